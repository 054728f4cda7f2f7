import { describe, expect, it, vi } from 'vitest';
import { derOf, fromBase64url, textOf, toBase64url } from '../../test/bytes.js';
import { encryptionKeyOf, errorOf, everythingOf, secretsOf } from '../../test/keys-fixtures.js';
import { RSA, RSA_1024, type RsaPair } from '../../test/stored-keys.js';
import { memberOf, post } from '../../test/two-ends.js';
import { createE2eeClient } from '../exchange/client.js';
import { createE2eeServer } from '../exchange/server.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { banked } from '../profiles/banked.js';
import { staticKeys } from './encryption-keys.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import { type KeyUnwrapper, type ServiceKeyOptions, serviceKey } from './key-unwrapper.js';

type Unwrap = KeyUnwrapper['unwrap'];

const [pair, older] = RSA;
const publicKey = pair.spki;

/** A key service that works. */
const honest = await serviceWith(pair);

async function serviceWith({ pkcs8 }: RsaPair): Promise<Unwrap> {
  const oaep = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('pkcs8', derOf(pkcs8), oaep, false, ['decrypt']);
  return async (encryptedKey) =>
    new Uint8Array(await crypto.subtle.decrypt(oaep, key, Uint8Array.from(encryptedKey)));
}

const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function ringOf(unwrap: Unwrap, options: Partial<ServiceKeyOptions> = {}): Promise<KeyRing> {
  return createKeyRing({ keys: await serviceKey({ publicKey, unwrapper: { unwrap }, ...options }) });
}

const plaintext = new TextEncoder().encode('{"name":"canary-4711"}');
const token = await encryptJwe(plaintext, await encryptionKeyOf(pair));

/** The token with another encrypted key in it. */
function withEncryptedKey(bytes: Uint8Array): string {
  const [head, , ...rest] = token.split('.');
  return [head, toBase64url(bytes), ...rest].join('.');
}

const encryptedKey = fromBase64url(token.split('.')[1] as string);

describe('a key that a service holds', () => {
  it('opens tokens: the service is asked once for each, with the key, the algorithm and a deadline', async () => {
    const unwrap = vi.fn(honest);
    const keyRing = await ringOf(unwrap);
    const { plaintext: opened } = await decryptJwe(token, keyRing);
    expect(textOf(opened)).toBe('{"name":"canary-4711"}');
    expect(unwrap).toHaveBeenCalledOnce();
    const [bytes, key] = unwrap.mock.calls[0] as Parameters<Unwrap>;
    expect(Uint8Array.from(bytes)).toEqual(encryptedKey);
    const [published] = keyRing.jwks().keys;
    expect(key).toMatchObject({ kid: published?.kid, alg: 'RSA-OAEP-256' });
    expect(key.signal).toBeInstanceOf(AbortSignal);
    expect(key.signal.aborted).toBe(false);
  });

  it.each<[string, ServiceKeyOptions['publicKey']]>([
    ['SPKI in PEM', publicKey],
    ['PKCS#1 in PEM', pair.publicPkcs1],
    ['SPKI in DER', derOf(pair.spki)],
    ['a JWK', pair.publicJwk],
    ['a JWK as text', JSON.stringify(pair.publicJwk)],
  ])('is known by its public half: %s', async (_, source) => {
    const keyRing = await ringOf(honest, { publicKey: source });
    expect((await decryptJwe(token, keyRing)).plaintext).toEqual(plaintext);
  });

  it('is called as the service calls it, where that is said', async () => {
    const unwrap = vi.fn(honest);
    const keyRing = await ringOf(unwrap, { kid: 'projects/p/keys/k/versions/1' });
    const other = await encryptJwe(plaintext, await encryptionKeyOf(pair, 'projects/p/keys/k/versions/1'));
    expect((await decryptJwe(other, keyRing)).kid).toBe('projects/p/keys/k/versions/1');
    expect(unwrap.mock.calls[0]?.[1].kid).toBe('projects/p/keys/k/versions/1');
    expect(keyRing.jwks().keys).toEqual([
      {
        kty: 'RSA',
        n: pair.publicJwk.n,
        e: 'AQAB',
        use: 'enc',
        alg: 'RSA-OAEP-256',
        kid: 'projects/p/keys/k/versions/1',
      },
    ]);
  });

  it('stands beside other keys: the first is published, all decrypt', async () => {
    const keys = [
      await serviceKey({ publicKey, unwrapper: { unwrap: honest } }),
      await serviceKey({
        publicKey: older.publicJwk,
        unwrapper: { unwrap: await serviceWith(older) },
      }),
    ];
    const keyRing = await createKeyRing({ keys });
    expect(keyRing.jwks().keys.map(({ n }) => n)).toEqual([pair.publicJwk.n]);
    const tokens = [token, await encryptJwe(plaintext, await encryptionKeyOf(older))];
    for (const one of tokens) expect((await decryptJwe(one, keyRing)).plaintext).toEqual(plaintext);
  });

  it('shows nothing of a private key, even of one that its unwrapper holds', async () => {
    const key = await serviceKey({ publicKey, unwrapper: { unwrap: honest } });
    const shown = everythingOf([key, await createKeyRing({ keys: key })]);
    for (const secret of secretsOf(pair)) expect(shown).not.toContain(secret);
  });
});

describe('a ciphertext that the service refuses', () => {
  const refused = { code: 'token_invalid', status: 400, message: 'The encrypted payload is not acceptable' };

  it.each<[string, Unwrap]>([
    ['says so', async () => undefined],
    ['says so with null, as JavaScript may', async () => null as unknown as undefined],
    ['answers a CEK of another length', async () => new Uint8Array(16)],
    ['answers no bytes at all', async () => new Uint8Array(0)],
    ['answers another CEK', async () => new Uint8Array(32)],
  ])('is a bad token like any other when the service %s', async (_, unwrap) => {
    const error = await errorOf(decryptJwe(token, await ringOf(unwrap)));
    expect(error).toMatchObject(refused);
    expect(memberOf(error, 'cause')).toBeUndefined();
  });

  it.each([1, 255, 257, 512, 10_000])(
    'does not reach the service at all with %d bytes where 256 are due',
    async (length) => {
      const unwrap = vi.fn(honest);
      const error = await errorOf(decryptJwe(withEncryptedKey(new Uint8Array(length)), await ringOf(unwrap)));
      expect(error).toMatchObject(refused);
      expect(unwrap).not.toHaveBeenCalled();
    },
  );
});

describe('a service that cannot be asked', () => {
  const unavailable = { code: 'keys_unavailable', status: 503, expose: false };
  const throttled = new Error('ThrottlingException');

  it.each<[string, Unwrap]>([
    ['rejects', () => Promise.reject(throttled)],
    [
      'throws at once',
      () => {
        throw throttled;
      },
    ],
  ])('has not said that the token is bad when it %s', async (_, unwrap) => {
    const error = await errorOf(decryptJwe(token, await ringOf(unwrap)));
    expect(error).toMatchObject({ ...unavailable, cause: throttled });
  });

  it.each<[string, unknown]>([
    ['text', 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ'],
    ['an array of numbers', Array.from({ length: 32 }, () => 1)],
    ['an ArrayBuffer', new ArrayBuffer(32)],
    ['an object', { plaintext: 'AAAA' }],
  ])('is one whose unwrapper answers %s in place of bytes', async (_, answer) => {
    const error = await errorOf(decryptJwe(token, await ringOf(async () => answer as Uint8Array)));
    expect(error).toMatchObject(unavailable);
  });

  it('is given up at the deadline, and told to stop', async () => {
    let signal: AbortSignal | undefined;
    const unwrap: Unwrap = (_, key) => {
      signal = key.signal;
      return new Promise(() => {});
    };
    const keyRing = await ringOf(unwrap, { timeout: 50 });
    const begin = performance.now();
    const error = await errorOf(decryptJwe(token, keyRing));
    expect(error).toMatchObject({ ...unavailable, cause: { name: 'TimeoutError' } });
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(signal?.aborted).toBe(true);
  });

  it('may fail or answer after the deadline without anybody hearing of it', async () => {
    const late: Unwrap[] = [
      async () => {
        await delay(60);
        throw throttled;
      },
      async (bytes, key) => {
        await delay(60);
        return honest(bytes, key);
      },
    ];
    for (const unwrap of late) {
      const error = await errorOf(decryptJwe(token, await ringOf(unwrap, { timeout: 20 })));
      expect(error).toMatchObject(unavailable);
    }
    await delay(100); // an unhandled rejection would fail the run
  });

  it('makes a server answer 503 with Retry-After, and shows nothing of the request', async () => {
    const keyRing = await ringOf(() => Promise.reject(throttled));
    const server = createE2eeServer({ profile: banked, keyRing, onEvent: () => {} });
    const client = createE2eeClient({
      profile: banked,
      encryptionKeys: staticKeys(await encryptionKeyOf(pair)),
    });
    const body = { payee: { name: 'canary-4711' }, payer: { name: 'canary-4711' } };
    const error = await errorOf(
      server.decryptRequest(await client.encryptRequest(post('/v2/payment_sessions', body))),
    );
    const answer = server.errorResponse(error);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(everythingOf([error, answer])).not.toContain('canary-4711');
    expect(JSON.stringify(answer)).not.toContain('Throttling');
  });

  it('lets nothing through when it fails at the second of two fields', async () => {
    let asked = 0;
    const keyRing = await ringOf((bytes, key) => {
      asked += 1;
      return asked === 1 ? honest(bytes, key) : Promise.reject(throttled);
    });
    const server = createE2eeServer({ profile: banked, keyRing, onEvent: () => {} });
    const body = { encrypted_payee: token, encrypted_payer: token };
    const error = await errorOf(server.decryptRequest(post('/v2/payment_sessions', body)));
    expect(error).toMatchObject(unavailable);
    expect(everythingOf(error)).not.toContain('canary-4711');
  });

  it('is asked again by the next request', async () => {
    const unwrap = vi.fn(honest).mockRejectedValueOnce(throttled);
    const keyRing = await ringOf(unwrap);
    expect(await errorOf(decryptJwe(token, keyRing))).toMatchObject(unavailable);
    expect((await decryptJwe(token, keyRing)).plaintext).toEqual(plaintext);
  });
});

describe('serviceKey refuses', () => {
  const unwrapper = { unwrap: honest };

  it.each<[string, object, string]>([
    ['no unwrapper', { publicKey }, '`unwrapper`'],
    ['a function in place of an unwrapper', { publicKey, unwrapper: honest }, '`unwrapper`'],
    ...[0, -1, 1.5, Number.NaN, 2 ** 31, '5000'].map((timeout): [string, object, string] => [
      `a time-out of ${timeout}`,
      { publicKey, unwrapper, timeout },
      '`timeout`',
    ]),
  ])('%s, naming the option', async (_, options, name) => {
    const error = await errorOf(serviceKey(options as ServiceKeyOptions));
    expect(error).toMatchObject({ code: 'option_invalid', message: expect.stringContaining(name) });
  });

  it('a private key, without a word of it', async () => {
    const error = await errorOf(serviceKey({ publicKey: pair.pkcs8, unwrapper }));
    expect(error).toMatchObject({ code: 'key_invalid' });
    for (const secret of secretsOf(pair)) expect(everythingOf(error)).not.toContain(secret);
  });

  it('a public key that is too weak', async () => {
    const error = await errorOf(serviceKey({ publicKey: RSA_1024.publicJwk, unwrapper }));
    expect(error).toMatchObject({ code: 'key_invalid' });
  });
});
