import {
  CompactSign,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  importPKCS8,
  type JWK,
  SignJWT,
} from 'jose';
import { describe, expect, it } from 'vitest';
import { fromBase64url, textOf, toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { P256, RSA, RSA_1024, RSA_EXPONENT_3 } from '../../test/stored-keys.js';
import { answer, type Ends, type EndsOptions, party, post, twoEnds } from '../../test/two-ends.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import type { ProtectedHeader } from '../jwe/protected-header.js';
import type { SigningAlgorithm } from '../jws/algorithms.js';
import { importSigningKey, type SigningKey } from '../jws/signing-key.js';
import { remoteVerificationKeys, type VerificationKeys, verificationKeys } from '../jws/verification-keys.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { thumbprintOf } from '../keys/thumbprint.js';
import { banked } from '../profiles/banked.js';
import { bindTokens } from '../profiles/binding.js';
import { perMessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import { strict } from '../profiles/strict.js';
import { signedBy } from './open-request.js';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => (i * i * 151 + i * 67 + 13) % 256);

interface Pair {
  readonly signWith: SigningKey;
  readonly verifyWith: VerificationKeys;
  readonly privatePem: string;
  readonly publicPem: string;
}

async function pairFor(alg: SigningAlgorithm, kid = 'shop-1'): Promise<Pair> {
  if (alg === 'HS256') {
    const signWith = await importSigningKey(SECRET, { alg, kid });
    const verifyWith = await verificationKeys([{ key: SECRET, alg, kid }]);
    return { signWith, verifyWith, privatePem: '', publicPem: '' };
  }
  const [privatePem, publicPem] =
    alg.endsWith('S256') && alg !== 'ES256' ? [RSA[0].pkcs8, RSA[0].spki] : await newPair(alg);
  return {
    signWith: await importSigningKey(privatePem, { alg, kid }),
    verifyWith: await verificationKeys([{ key: publicPem, alg, kid }]),
    privatePem,
    publicPem,
  };
}

async function newPair(alg: SigningAlgorithm): Promise<[string, string]> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return [await exportPKCS8(privateKey), await exportSPKI(publicKey)];
}

const ALGORITHMS: readonly SigningAlgorithm[] = ['PS256', 'RS256', 'ES256', 'EdDSA', 'HS256'];
const FIELDS = {
  card: { request: 'encrypt', response: 'encrypt' },
  pin: { request: 'encrypt', as: 'text' },
} as const;
const AUDIENCE = 'https://api.example';
const profile: Profile = {
  ...strict,
  binding: bindTokens({ audience: AUDIENCE }),
  policy: { 'POST /orders': FIELDS, 'POST /messages': { $: { request: 'encrypt', response: 'encrypt' } } },
};
const BODY = { card: { number: '4111' }, pin: ' 0070 ' };
const REFUSED = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };

function ends(
  client: NonNullable<EndsOptions['client']>,
  server: NonNullable<EndsOptions['server']>,
): Promise<Ends> {
  return twoEnds({ profile, client, server: { replay: false, ...server } });
}

/** A request whose `pin` holds what somebody has put there, signed or not. */
async function forged({ client }: Pick<Ends, 'client'>, plaintext: string): Promise<ReturnType<typeof post>> {
  const sent = await client.encryptRequest(post('/orders', BODY));
  const { encryptionKey } = await party('bank');
  const now = Math.floor(Date.now() / 1000);
  const header = { ...headerNow(), iat: now, exp: now + 300 };
  const pin = await encryptJwe(utf8(plaintext), encryptionKey, { header, cty: 'JWT' });
  return { ...sent, body: { ...Object(sent.body), pin } };
}

const headerNow = (): Record<string, unknown> => {
  const now = Math.floor(Date.now() / 1000);
  return {
    op: 'POST /orders',
    dir: 'request',
    path: 'pin',
    iat: now,
    exp: now + 300,
    jti: 'x',
    aud: AUDIENCE,
  };
};

/** What a signature says that is encrypted to the bank. */
async function headerOfJws(): Promise<Record<string, unknown>> {
  const { encryptionKey } = await party('bank');
  return { ...headerNow(), jkt: await thumbprintOf(encryptionKey.publicJwk) };
}

/** The same bytes with unused bits that are not zero, or one more. */
function otherLastBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return `${text.slice(0, -1)}${alphabet[alphabet.indexOf(text.slice(-1)) + 1]}`;
}

/** The other of the two values that ECDSA accepts: the order of P-256 less s. */
function otherRoot(signature: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const bytes = fromBase64url(signature);
  const s = order - BigInt(`0x${hexOf(bytes.subarray(32))}`);
  const rest = s.toString(16).padStart(64, '0').match(/../g) ?? [];
  return toBase64url(
    Uint8Array.from([...bytes.subarray(0, 32), ...rest.map((byte) => Number.parseInt(byte, 16))]),
  );
}

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

describe.each(ALGORITHMS)('a request that is signed by %s', (alg) => {
  it('goes through, whole or by field', async () => {
    const { signWith, verifyWith } = await pairFor(alg);
    const both = await ends({ signWith }, { verifyWith });
    for (const path of ['/orders', '/messages']) {
      const sent = await both.client.encryptRequest(post(path, BODY));
      expect((await both.server.decryptRequest(sent)).body).toEqual(BODY);
    }
  });

  it('is accepted once, whatever is done to the form of the signature', async () => {
    const { signWith, verifyWith } = await pairFor(alg);
    const { client, server } = await twoEnds({ profile, client: { signWith }, server: { verifyWith } });
    const signed = await signWith.sign(utf8('1234'), await headerOfJws());
    const sent = (): Promise<ReturnType<typeof post>> => forged({ client }, signed);
    await server.decryptRequest(await sent());
    const [head, payload, signature = ''] = signed.split('.');
    const forms = [
      signed,
      `\ufeff${signed}`,
      `${signed}=`,
      [head, payload, otherLastBits(signature)].join('.'),
      ...(alg === 'ES256' ? [[head, payload, otherRoot(signature)].join('.')] : []),
    ];
    for (const form of forms)
      expect(await errorOf(server.decryptRequest(await forged({ client }, form))), form).toMatchObject(
        REFUSED,
      );
  });

  it('is refused from somebody else, and unsigned', async () => {
    const { verifyWith } = await pairFor(alg);
    const [otherPem] =
      alg === 'HS256' || alg === 'PS256' || alg === 'RS256' ? [RSA[1].pkcs8] : await newPair(alg);
    const other =
      alg === 'HS256'
        ? await importSigningKey(SECRET.toReversed(), { alg, kid: 'shop-1' })
        : await importSigningKey(String(otherPem), { alg, kid: 'shop-1' });
    for (const client of [{ signWith: other }, {}]) {
      const both = await ends(client, { verifyWith });
      const sent = await both.client.encryptRequest(post('/orders', BODY));
      expect(await errorOf(both.server.decryptRequest(sent))).toMatchObject(REFUSED);
    }
  });
});

describe('what is inside a token', () => {
  const jws = (header: object, payload: string, signature = 'AAAA'): string =>
    [toBase64url(utf8(JSON.stringify(header))), toBase64url(utf8(payload)), signature].join('.');

  it.each<[what: string, forge: (pair: Pair) => string | Promise<string>]>([
    ['a plain value', () => ' 0070 '],
    ['nothing', () => ''],
    ['a JWS with `alg: none`', () => jws({ alg: 'none', kid: 'shop-1', ...headerNow() }, 'x', '')],
    ['a JWS with no signature', () => jws({ alg: 'ES256', kid: 'shop-1', ...headerNow() }, 'x', '')],
    ['a JWS without `kid`', () => jws({ alg: 'ES256', ...headerNow() }, 'x')],
    ['a JWS of an unknown key', () => jws({ alg: 'ES256', kid: '__proto__', ...headerNow() }, 'x')],
    ['a JWS with a critical extension', () => jws({ alg: 'ES256', kid: 'shop-1', crit: ['x'], x: 1 }, 'x')],
    ['two JWS', () => `${jws({ alg: 'ES256' }, 'x')}.${jws({ alg: 'ES256' }, 'x')}`],
    [
      'a JWS whose payload is not encoded (RFC 7797)',
      async ({ privatePem }) => {
        const header = { alg: 'ES256', kid: 'shop-1', ...(await headerOfJws()), b64: true, crit: ['b64'] };
        return new CompactSign(utf8('x'))
          .setProtectedHeader(header)
          .sign(await importPKCS8(privatePem, 'ES256'));
      },
    ],
    [
      'a JWS that says twice where it belongs',
      async ({ privatePem }) => {
        const [head, ...rest] = jws({ alg: 'ES256', kid: 'shop-1', ...(await headerOfJws()) }, 'x').split(
          '.',
        );
        const doubled = textOf(fromBase64url(head ?? '')).replace('{', '{"path":"card",');
        const input = `${toBase64url(utf8(doubled))}.${rest[0]}`;
        return `${input}.${await signatureOf(input, privatePem)}`;
      },
    ],
    [
      'a signature for another recipient',
      async ({ signWith }) => {
        const { encryptionKey } = await party('partner');
        const jkt = await thumbprintOf(encryptionKey.publicJwk);
        return signWith.sign(utf8('x'), { ...headerNow(), jkt });
      },
    ],
    ['a signature for any recipient', async ({ signWith }) => signWith.sign(utf8('x'), headerNow())],
    [
      'a JWS by HS256 with the public key as the secret',
      async ({ publicPem }) =>
        new CompactSign(utf8('x'))
          .setProtectedHeader({ alg: 'HS256', kid: 'shop-1', ...headerNow() })
          .sign(utf8(publicPem)),
    ],
    [
      'a signature for another field',
      async ({ signWith }) => signWith.sign(utf8('x'), { ...(await headerOfJws()), path: 'card' }),
    ],
    [
      'a signature for another operation',
      async ({ signWith }) => signWith.sign(utf8('x'), { ...(await headerOfJws()), op: 'POST /messages' }),
    ],
    ['a signature that says nothing of its place', async ({ signWith }) => signWith.sign(utf8('x'), {})],
    [
      'an old signature',
      async ({ signWith }) => signWith.sign(utf8('x'), { ...(await headerOfJws()), iat: 1, exp: 2 }),
    ],
    [
      'a JWT that says all that, but not in its header',
      async ({ privatePem }) => {
        const key = await importPKCS8(privatePem, 'ES256');
        return new SignJWT(headerNow()).setProtectedHeader({ alg: 'ES256', kid: 'shop-1' }).sign(key);
      },
    ],
  ])('is refused as any bad token: %s', async (_what, forge) => {
    const pair = await pairFor('ES256');
    const both = await ends({ signWith: pair.signWith }, { verifyWith: pair.verifyWith });
    const error = await errorOf(both.server.decryptRequest(await forged(both, await forge(pair))));
    expect(error).toMatchObject(REFUSED);
    expect(everythingOf(error)).not.toContain('0070');
    expect(Object(error).cause?.message ?? 'It is').toMatch(
      /^(?:It|Its signature|The `\w+` of its signature) /,
    );
    expect(JSON.stringify(both.server.errorResponse(error))).not.toContain('signature');
  });

  it('is accepted when it is signed for its place', async () => {
    const pair = await pairFor('ES256');
    const both = await ends({ signWith: pair.signWith }, { verifyWith: pair.verifyWith });
    const made = await pair.signWith.sign(utf8('1234'), await headerOfJws());
    expect((await both.server.decryptRequest(await forged(both, made))).body).toEqual({
      ...BODY,
      pin: '1234',
    });
  });

  it('is for the audience that the other end expects', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const bound = (audience: string): Profile => ({
      ...profile,
      binding: bindTokens({ audience, add: ['audience', 'recipient'] }),
    });
    const { client } = await twoEnds({ profile: bound('https://a.example'), client: { signWith } });
    const sent = await client.encryptRequest(post('/orders', BODY));
    for (const [audience, fits] of [
      ['https://a.example', true],
      ['https://b.example', false],
    ] as const) {
      const { server } = await twoEnds({ profile: bound(audience), server: { verifyWith } });
      if (fits) expect((await server.decryptRequest(sent)).body).toEqual(BODY);
      else expect(await errorOf(server.decryptRequest(sent))).toMatchObject(REFUSED);
    }
  });
});

/** What a header says of the place, without what encryption says itself. */
function claimsOf({
  alg: _,
  enc: __,
  kid: ___,
  cty: ____,
  ...claims
}: ProtectedHeader): Record<string, unknown> {
  return claims;
}

/** A signature by ES256 over what no library would sign. */
async function signatureOf(input: string, privatePem: string): Promise<string> {
  const key = await crypto.subtle.importKey(
    'pkcs8',
    derOf(privatePem),
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  );
  return toBase64url(
    new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, utf8(input))),
  );
}

describe('who signed', () => {
  it('is told of what was encrypted, and of nothing else', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const { client, server } = await ends({ signWith }, { verifyWith });
    for (const path of ['/orders', '/messages']) {
      const opened = await server.decryptRequest(await client.encryptRequest(post(path, BODY)));
      expect(signedBy(opened)).toBe('shop-1');
    }
    expect(signedBy(await server.decryptRequest(post('/orders', {})))).toBeUndefined();
    expect(signedBy(post('/orders', BODY))).toBeUndefined();
  });

  it('is one: tokens of two signers are no request', async () => {
    const [one, other] = [await newPair('ES256'), await newPair('ES256')];
    const verifyWith = await verificationKeys([
      { key: one[1], alg: 'ES256', kid: 'shop-1' },
      { key: other[1], alg: 'ES256', kid: 'shop-2' },
    ]);
    const sentBy = async (pem: string, kid: string): Promise<[Ends, ReturnType<typeof post>]> => {
      const both = await ends(
        { signWith: await importSigningKey(pem, { alg: 'ES256', kid }) },
        { verifyWith },
      );
      return [both, await both.client.encryptRequest(post('/orders', BODY))];
    };
    const [{ server }, mine] = await sentBy(one[0], 'shop-1');
    const [, theirs] = await sentBy(other[0], 'shop-2');
    expect(signedBy(await server.decryptRequest(mine))).toBe('shop-1');
    expect(signedBy(await server.decryptRequest(theirs))).toBe('shop-2');
    const mixed = { ...mine, body: { ...Object(mine.body), pin: Object(theirs.body).pin } };
    expect(await errorOf(server.decryptRequest(mixed))).toMatchObject(REFUSED);
  });

  it('is not helped by whoever encrypts what was signed once more', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const both = await twoEnds({ profile, client: { signWith }, server: { verifyWith } });
    const signed = await signWith.sign(utf8('1234'), await headerOfJws());
    expect((await both.server.decryptRequest(await forged(both, signed))).body).toEqual({
      ...BODY,
      pin: '1234',
    });
    expect(await errorOf(both.server.decryptRequest(await forged(both, signed)))).toMatchObject(REFUSED);
  });

  it('is not told to another recipient by whoever encrypts an answer to him', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const policy = { 'GET /balance': { amount: { response: 'encrypt' } } } as const;
    const both = await twoEnds({
      profile: { ...profile, policy },
      client: { verifyWith },
      server: { signWith },
    });
    const asked = { method: 'GET', path: '/balance', headers: {} };
    const told = await both.server.protectResponse(asked, answer({ amount: 5 }));
    expect((await both.client.decryptResponse(asked, told)).body).toEqual({ amount: 5 });

    const [{ decryptionKey }, other] = [await party('partner'), await party('other')];
    const { plaintext, header } = await decryptJwe(Object(told.body).amount, decryptionKey);
    const amount = await encryptJwe(plaintext, other.encryptionKey, { header: claimsOf(header), cty: 'JWT' });
    const keyRing = await createKeyRing({ keys: other.decryptionKey });
    const victim = await twoEnds({ profile: { ...profile, policy }, client: { verifyWith, keyRing } });
    const forwarded = { ...told, body: { amount } };
    expect(await errorOf(victim.client.decryptResponse(asked, forwarded))).toMatchObject(REFUSED);
  });

  it.each(['JWT', 'jwt', 'application/JWT'])(
    'is not overlooked by an end that verifies nothing: %s',
    async (cty) => {
      const { server } = await ends({}, {});
      const { encryptionKey } = await party('bank');
      const pin = await encryptJwe(utf8('eyJ.x.y'), encryptionKey, { header: headerNow(), cty });
      const error = await errorOf(server.decryptRequest(post('/orders', { pin })));
      expect(error).toMatchObject({ ...REFUSED, cause: { message: 'It is signed; set `verifyWith`' } });
    },
  );

  it('needs an audience in the binding: it could be encrypted to somebody else', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const without = { ...profile, binding: bindTokens() };
    const everybodys = { ...profile, binding: bindTokens({ audience: AUDIENCE, add: ['audience', 'path'] }) };
    expect(await errorOf(twoEnds({ profile: everybodys, client: { signWith } }))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`recipient`'),
    });
    for (const options of [
      { client: { signWith } },
      { client: { verifyWith } },
      { server: { signWith } },
      { server: { verifyWith } },
    ]) {
      expect(await errorOf(twoEnds({ profile: without, ...options }))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('`audience`'),
      });
    }
  });

  it('cannot be asked for while plain values are accepted', async () => {
    const { verifyWith } = await pairFor('ES256');
    expect(await errorOf(ends({}, { verifyWith, plaintext: 'accept' }))).toMatchObject({
      code: 'option_invalid',
    });
  });
});

describe('a plain value in an answer', () => {
  it.each<[what: string, client: NonNullable<EndsOptions['client']>, refused: boolean]>([
    ['is refused where answers are bound', {}, true],
    ['is let through where that is asked for', { plaintext: 'accept' }, false],
  ])('%s', async (_what, client, isRefused) => {
    const { client: end } = await ends(client, {});
    for (const [path, body] of [
      ['/orders', { card: 'forged' }],
      ['/messages', BODY],
    ] as const) {
      const received = end.decryptResponse(post(path), answer(body));
      const field = path === '/orders' ? 'card' : '$';
      const refusal = {
        code: 'plaintext_refused',
        path: field,
        message: `Field \`${field}\` must be encrypted`,
      };
      if (isRefused) expect(await errorOf(received)).toMatchObject(refusal);
      else expect((await received).body).toEqual(body);
    }
    // What the other end says by itself of an error is never encrypted.
    const failed = { ...answer({ error: 'sorry' }), status: 400 };
    expect((await end.decryptResponse(post('/messages'), failed)).body).toEqual(failed.body);
    const masked = answer({ card: { number: '[REDACTED]' }, id: 7 });
    expect((await end.decryptResponse(post('/orders'), masked)).body).toEqual(masked.body);
  });
});

it.each<[what: string, profile: Profile, client: NonNullable<EndsOptions['client']>, refused: boolean]>([
  ['nothing that would prove them', banked, {}, false],
  ['signatures', banked, { verifyWith: { verify: async () => Promise.reject(new Error('unasked')) } }, true],
  ['a key for each call', { ...banked, perMessageKey: perMessageKey() }, {}, true],
  ['a binding that requires nothing', { ...banked, binding: bindTokens({ require: [] }) }, {}, false],
  ['a binding', { ...banked, binding: bindTokens({ require: ['path'] }) }, {}, true],
])('plain values in answers are refused where there is %s', async (_what, changed, client, isRefused) => {
  const policy = { 'GET /x': { card: { response: 'encrypt' } } } as const;
  const both = await twoEnds({ profile: changed, policy, client });
  const got = both.client.decryptResponse({ method: 'GET', path: '/x', headers: {} }, answer({ card: 1 }));
  if (isRefused) expect(await errorOf(got)).toMatchObject({ code: 'plaintext_refused' });
  else expect((await got).body).toEqual({ card: 1 });
});

it('a value that cannot be signed, or whose key the profile does not list, is not sent', async () => {
  const { signWith } = await pairFor('ES256');
  const broken: SigningKey = { ...signWith, sign: async () => Promise.reject(new Error('the HSM is gone')) };
  const both = await ends({ signWith: broken }, {});
  expect(await errorOf(both.client.encryptRequest(post('/orders', BODY)))).toMatchObject({
    code: 'encryption_failed',
    message: 'The value could not be signed',
    cause: { message: 'the HSM is gone' },
  });
  const { encryptionKey } = await party('bank');
  const encryptionKeys = staticKeys({ ...encryptionKey, alg: 'ECDH-ES' });
  const { client } = await twoEnds({ client: { encryptionKeys } });
  expect(await errorOf(client.encryptRequest(post('/v2/payment_sessions', { payee: 'x' })))).toMatchObject({
    code: 'encryption_failed',
    message: 'The key is for `ECDH-ES`, which profile `banked` does not list',
  });
});

describe('a response that is signed', () => {
  it('goes through by field and whole, and is refused unsigned', async () => {
    const { signWith, verifyWith } = await pairFor('EdDSA');
    const signing = await ends({ verifyWith }, { signWith });
    const silent = await ends({ verifyWith }, {});
    for (const path of ['/orders', '/messages']) {
      const request = post(path, BODY);
      const opened = await signing.server.decryptRequest(await signing.client.encryptRequest(request));
      const sent = await signing.server.protectResponse(opened, answer({ card: BODY.card }));
      expect((await signing.client.decryptResponse(request, sent)).body).toEqual({ card: BODY.card });
      const again = await silent.server.decryptRequest(await silent.client.encryptRequest(request));
      const unsigned = await silent.server.protectResponse(again, answer({ card: BODY.card }));
      expect(await errorOf(silent.client.decryptResponse(request, unsigned))).toMatchObject(REFUSED);
      const forged = silent.client.decryptResponse(request, answer({ card: 'forged' }));
      expect(await errorOf(forged)).toMatchObject({ code: 'plaintext_refused' });
    }
  });
});

describe('the sender of a request', () => {
  it('is found by its headers; a stranger is refused, and nobody is looked for without a token', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const asked: unknown[] = [];
    const find = async ({ headers }: { headers: Readonly<Record<string, string>> }) => {
      asked.push(headers['x-client']);
      return headers['x-client'] === 'shop' ? verifyWith : undefined;
    };
    const both = await ends({ signWith }, { verifyWith: find });
    const sentBy = (name: string) => both.client.encryptRequest(post('/orders', BODY, { 'x-client': name }));
    expect((await both.server.decryptRequest(await sentBy('shop'))).body).toEqual(BODY);
    expect(await errorOf(both.server.decryptRequest(await sentBy('other')))).toMatchObject(REFUSED);
    asked.length = 0;
    await both.server.decryptRequest(post('/orders', {}));
    expect(asked).toEqual([]);
  });

  it('cannot be told from a directory that fails: 503, and nothing of why', async () => {
    const { signWith } = await pairFor('ES256');
    const verifyWith = async (): Promise<never> => Promise.reject(new Error('secret detail'));
    const both = await ends({ signWith }, { verifyWith });
    const error = await errorOf(
      both.server.decryptRequest(await both.client.encryptRequest(post('/orders', BODY))),
    );
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
    expect(JSON.stringify(both.server.errorResponse(error))).not.toContain('secret detail');
    expect(error).toMatchObject({ cause: { message: expect.stringContaining('secret detail') } });
    expect(String(error)).toContain('`verifyWith` has thrown');
  });
});

describe('keys to sign and verify with', () => {
  const valid = { alg: 'ES256', kid: 'a' } as const;

  it.each<[what: string, make: () => Promise<unknown>, code: string]>([
    [
      'a public key to sign with',
      () => importSigningKey(RSA[0].spki, { alg: 'PS256', kid: 'a' }),
      'key_invalid',
    ],
    ['a key of another kind', () => importSigningKey(RSA[0].pkcs8, valid), 'key_invalid'],
    ['a weak RSA key', () => importSigningKey(RSA_1024.pkcs8, { alg: 'RS256', kid: 'a' }), 'key_invalid'],
    ['a short secret', () => importSigningKey(SECRET.subarray(1), { alg: 'HS256', kid: 'a' }), 'key_invalid'],
    [
      'a passphrase',
      () => importSigningKey(utf8('correct horse battery staple 123'), { alg: 'HS256', kid: 'a' }),
      'key_invalid',
    ],
    ['a PEM as the secret', () => importSigningKey(RSA[0].spki, { alg: 'HS256', kid: 'a' }), 'key_invalid'],
    ['bytes for a key pair', () => importSigningKey(SECRET, valid), 'key_invalid'],
    [
      'an unknown algorithm',
      () => importSigningKey(RSA[0].pkcs8, { alg: 'none' as never, kid: 'a' }),
      'option_invalid',
    ],
    ['no id', () => importSigningKey(RSA[0].pkcs8, { alg: 'PS256', kid: '' }), 'option_invalid'],
    [
      'a private key to verify with',
      () => verificationKeys([{ key: RSA[0].pkcs8, alg: 'PS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a weak key to verify with',
      () => verificationKeys([{ key: RSA_1024.spki, alg: 'PS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a public key as a secret',
      () => verificationKeys([{ key: RSA[0].spki, alg: 'HS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'one id twice',
      () => verificationKeys([0, 1].map(() => ({ key: RSA[0].spki, alg: 'PS256' as const, kid: 'a' }))),
      'option_invalid',
    ],
    [
      'an unknown algorithm to verify',
      () => verificationKeys([{ key: SECRET, alg: 'HS512' as never, kid: 'a' }]),
      'option_invalid',
    ],
    [
      'published keys for HS256',
      async () => remoteVerificationKeys('https://a.example', { algs: ['HS256'] }),
      'option_invalid',
    ],
    ['published keys over http', async () => remoteVerificationKeys('http://a.example'), 'option_invalid'],
    [
      'a JWK for encryption',
      () => verificationKeys([{ key: { ...RSA[0].publicJwk, use: 'enc' }, alg: 'PS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a JWK for another algorithm',
      () => verificationKeys([{ key: { ...RSA[0].publicJwk, alg: 'PS256' }, alg: 'RS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'an exponent of 3',
      () => verificationKeys([{ key: RSA_EXPONENT_3.spki, alg: 'RS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a public key in PEM bytes as a secret',
      () => verificationKeys([{ key: utf8(P256.spki), alg: 'HS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a public key in DER as a secret',
      () => verificationKeys([{ key: derOf(P256.spki), alg: 'HS256', kid: 'a' }]),
      'key_invalid',
    ],
    [
      'a public JWK in bytes as a secret',
      () =>
        verificationKeys([{ key: utf8(JSON.stringify(P256.publicJwk, null, 2)), alg: 'HS256', kid: 'a' }]),
      'key_invalid',
    ],
    ['no options', () => importSigningKey(RSA[0].pkcs8, undefined as never), 'option_invalid'],
    ['nothing to verify with', () => verificationKeys([null as never]), 'option_invalid'],
    [
      'shared bytes for something else',
      () => importSigningKey({ kty: 'oct', k: toBase64url(SECRET), use: 'enc' }, { alg: 'HS256', kid: 'a' }),
      'key_invalid',
    ],
    ['no keys', () => verificationKeys([]), 'option_invalid'],
    ['one key that is no list', () => verificationKeys({} as never), 'option_invalid'],
    ['no key to sign with', () => ends({ signWith: {} as never }, {}), 'option_invalid'],
    ['no key to verify with', () => ends({}, { verifyWith: [] as never }), 'option_invalid'],
    ['null to sign with', () => ends({ signWith: null as never }, {}), 'option_invalid'],
    ['null to verify with', () => ends({}, { verifyWith: null as never }), 'option_invalid'],
  ])('are refused: %s', async (_what, make, code) => {
    const error = await errorOf(make());
    expect(error).toMatchObject({ code });
    expect(everythingOf(error)).not.toContain('PRIVATE KEY');
  });

  it('show nothing of themselves', async () => {
    const shown =
      everythingOf(await pairFor('HS256')) +
      everythingOf(await importSigningKey(RSA[0].pkcs8, { alg: 'PS256', kid: 'a' }));
    expect(shown).not.toContain(toBase64url(SECRET));
    expect(shown).not.toContain(RSA[0].privateJwk.d);
  });
});

describe('keys of your own', () => {
  it('are asked about nothing but a JWS in its one form', async () => {
    const { signWith, verifyWith } = await pairFor('ES256');
    const asked: string[] = [];
    /** Takes a JWS in many forms. */
    const lax: VerificationKeys = {
      verify: async (jws) => {
        asked.push(jws);
        return verifyWith.verify(jws.trim().split('.').slice(0, 3).join('.'));
      },
    };
    const { client, server } = await twoEnds({ profile, client: { signWith }, server: { verifyWith: lax } });
    const signed = await signWith.sign(utf8('1234'), await headerOfJws());
    for (const form of [`${signed}.x`, ` ${signed}`, `${signed}\n`, `\ufeff${signed}`])
      expect(await errorOf(server.decryptRequest(await forged({ client }, form)))).toMatchObject(REFUSED);
    expect((await server.decryptRequest(await forged({ client }, signed))).body).toMatchObject({
      pin: '1234',
    });
    expect(asked).not.toContain(`${signed}.x`);
  });
});

describe('keys in other forms', () => {
  it('go by bytes of DER, by JWKs with the newer name of EdDSA, and by JWKs of shared bytes', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const [jwk, publicJwk] = [await exportJWK(privateKey), await exportJWK(publicKey)];
    const oct = { kty: 'oct', k: toBase64url(SECRET), use: 'sig' };
    const pairs: [SigningAlgorithm, string | Uint8Array | JWK, string | Uint8Array | JWK][] = [
      ['EdDSA', derOf(await exportPKCS8(privateKey)), derOf(await exportSPKI(publicKey))],
      ['EdDSA', { ...jwk, alg: 'Ed25519' }, { ...publicJwk, alg: 'Ed25519', use: 'sig' }],
      ['PS256', derOf(RSA[0].pkcs8), derOf(RSA[0].spki)],
      ['HS256', oct, oct],
    ];
    for (const [alg, own, theirs] of pairs) {
      const signWith = await importSigningKey(own, { alg, kid: 'shop-1' });
      const verifyWith = await verificationKeys([{ key: theirs, alg, kid: 'shop-1' }]);
      const { client, server } = await ends({ signWith }, { verifyWith });
      expect((await server.decryptRequest(await client.encryptRequest(post('/orders', BODY)))).body).toEqual(
        BODY,
      );
    }
  });

  it('verify what is by Ed25519 under its newer name (RFC 9864)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
    const { verify } = await verificationKeys([{ key: await exportSPKI(publicKey), alg: 'EdDSA', kid: 'a' }]);
    const jws = await new CompactSign(utf8('x'))
      .setProtectedHeader({ alg: 'Ed25519', kid: 'a' })
      .sign(privateKey);
    expect(textOf((await verify(jws)).payload)).toBe('x');
  });
});

describe('a PEM file', () => {
  it('may be given as its bytes', async () => {
    const signWith = await importSigningKey(utf8(RSA[0].pkcs8), { alg: 'PS256', kid: 'shop-1' });
    const verifyWith = await verificationKeys([{ key: utf8(RSA[0].spki), alg: 'PS256', kid: 'shop-1' }]);
    const { client, server } = await ends({ signWith }, { verifyWith });
    expect((await server.decryptRequest(await client.encryptRequest(post('/orders', BODY)))).body).toEqual(
      BODY,
    );
  });
});

function derOf(pem: string): Uint8Array {
  return Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, '')), (char) => char.charCodeAt(0));
}
