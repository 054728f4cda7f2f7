import fc from 'fast-check';
import { base64url, CompactSign, compactDecrypt, FlattenedEncrypt, importJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { concat, fromBase64url, latin1, randomBytes, utf8 } from '../../test/bytes.js';
import {
  bytesOf,
  bytesOfNumber,
  forge,
  HEADER,
  numberOf,
  type SpiedKey,
  spied,
  tokenOf,
} from '../../test/jwe-forge.js';
import { RFC7516_A1, RFC7520_TOKENS } from '../../test/jwe-vectors.js';
import { decryptionKeyOf, encryptionKeyOf, errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { bufferOf, inspected } from '../../test/runtime.js';
import { RSA, TOKEN_OF_CEK_24, TOKENS_BY_IV_SIZE } from '../../test/stored-keys.js';
import { E2eeError } from '../errors.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey } from '../keys/key.js';
import { createKeyRing, type KeyRing } from '../keys/key-ring.js';
import type { ContentAlgorithm, KeyAlgorithm } from './algorithms.js';
import { checkJwe, type DecryptJweOptions, decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

const [pair, other] = RSA;
const ownKey = await decryptionKeyOf(pair, 'own');
const otherKey = await decryptionKeyOf(other, 'other');
const GOOD = await forge(pair);
const TINY = await forge(pair, { plaintext: 'tiny', header: { ...HEADER, kid: 'own' } });
const decoder = new TextDecoder();
const EMPTY = new Uint8Array();

let key: SpiedKey;
let ring: KeyRing;
beforeEach(async () => {
  key = spied(ownKey);
  ring = await createKeyRing({ keys: [key, otherKey] });
});
afterEach(() => {
  ring.close();
});

/** Where an error was made; in Bun there are more of these than the stack, in some errors. */
const PLACES = new Set(['stack', 'sourceURL', 'line', 'column', 'originalLine', 'originalColumn']);

/** Every own property but its place, so that nothing at all may differ between two refusals. */
async function fingerprint(work: Promise<unknown> | (() => unknown)): Promise<object> {
  const error = await errorOf(work);
  if (!(error instanceof E2eeError)) throw error;
  const names = Object.getOwnPropertyNames(error).filter((name) => !PLACES.has(name));
  return Object.fromEntries(names.map((name) => [name, Reflect.get(error, name)]));
}

const REFUSAL = {
  name: 'E2eeError',
  code: 'token_invalid',
  status: 400,
  statusCode: 400,
  expose: true,
  message: 'The encrypted payload is not acceptable',
};
const REJECTION = {
  ...REFUSAL,
  code: 'key_rejected',
  status: 422,
  statusCode: 422,
  message: 'The encrypted payload names a key that is not held here',
};

/** Refused in both halves' entry points, by key and by ring, before the private key is touched. */
async function expectRefusedUntouched(token: unknown, options?: DecryptJweOptions): Promise<void> {
  for (const keys of [key, ring]) {
    expect(await fingerprint(() => checkJwe(token, keys, options))).toStrictEqual(REFUSAL);
    // As an attacker's JSON would hand it over: the type promises a string, the wire does not.
    expect(await fingerprint(decryptJwe(token as string, keys, options))).toStrictEqual(REFUSAL);
  }
  expect(key.unwrap).not.toHaveBeenCalled();
}

async function opens(token: string, options?: DecryptJweOptions): Promise<string> {
  return decoder.decode((await decryptJwe(token, key, options)).plaintext);
}

const json = (header: object): string => JSON.stringify(header);
const withHeader = (members: object): Promise<string> => forge(pair, { header: { ...HEADER, ...members } });

describe('a good token', () => {
  it('opens with exactly one key operation', async () => {
    const { plaintext, header, kid } = await decryptJwe(await forge(pair, { plaintext: 'grün' }), key);
    expect(decoder.decode(plaintext)).toBe('grün');
    expect({ ...header }).toEqual(HEADER);
    expect(kid).toBe('own');
    expect(key.unwrap).toHaveBeenCalledTimes(1);
  });

  it('opens with the key of the ring that its kid names, and with no other', async () => {
    const { kid } = await decryptJwe(await forge(other, { header: { ...HEADER, kid: 'other' } }), ring);
    expect(kid).toBe('other');
    expect(key.unwrap).not.toHaveBeenCalled();
  });

  it('without a kid is tried with each key of the ring', async () => {
    const { kid } = await decryptJwe(await forge(other), ring);
    expect(kid).toBe('other');
    expect(key.unwrap).toHaveBeenCalledTimes(1);
  });

  it('opens with a single key whatever its kid says', async () => {
    expect(await opens(await withHeader({ kid: 'some other name' }))).toBe('secret');
  });

  it('may hold the empty plaintext', async () => {
    const forged = await forge(pair, { plaintext: '' });
    expect(forged.split('.')[3]).toBe('');
    expect((await decryptJwe(forged, key)).plaintext).toHaveLength(0);
    const made = await encryptJwe(new Uint8Array(), await encryptionKeyOf(pair));
    expect((await decryptJwe(made, key)).plaintext).toHaveLength(0);
  });

  it('hands its header to unwrap, so that a key service can see it', async () => {
    await decryptJwe(await withHeader({ kid: 'k', tenant: 7 }), key);
    const [encryptedKey, header] = key.unwrap.mock.calls[0] ?? [];
    expect(encryptedKey).toHaveLength(256);
    expect(header).toMatchObject({ ...HEADER, kid: 'k', tenant: 7 });
  });

  it('shows a header without a prototype, also when it says __proto__', async () => {
    const header = `{"alg":"RSA-OAEP-256","enc":"A256GCM","__proto__":{"kid":"other","polluted":true}}`;
    const opened = await decryptJwe(await forge(pair, { header }), key);
    expect(Object.getPrototypeOf(opened.header)).toBeNull();
    expect(opened.header.kid).toBeUndefined();
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('a token of the wrong form is refused before any key operation', () => {
  const [head = '', wrapped = '', iv = '', ciphertext = '', tag = ''] = GOOD.split('.');
  const flattened = { protected: head, encrypted_key: wrapped, iv, ciphertext, tag };

  it.each<[what: string, token: unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a boolean', true],
    ['an array of segments', GOOD.split('.')],
    ['an array with one token', [GOOD]],
    ['bytes', bufferOf(utf8(GOOD))],
    ['a String object', new String(GOOD)],
    ['an object that becomes a token', { toString: () => GOOD, length: GOOD.length }],
    ['the flattened JSON serialisation', flattened],
    ['the flattened JSON serialisation as text', json(flattened)],
    ['the general JSON serialisation', { ...flattened, recipients: [{ encrypted_key: wrapped }] }],
    ['the empty string', ''],
    ['four segments', GOOD.slice(0, GOOD.lastIndexOf('.'))],
    ['six segments', `${GOOD}.${tag}`],
    ['a dot at the end', `${GOOD}.`],
    ['a dot at the start', `.${GOOD}`],
    ['no header', `.${wrapped}.${iv}.${ciphertext}.${tag}`],
    ['no encrypted key', `${head}..${iv}.${ciphertext}.${tag}`],
    ['no IV', `${head}.${wrapped}..${ciphertext}.${tag}`],
    ['no tag', `${head}.${wrapped}.${iv}.${ciphertext}.`],
    ['only dots', '....'],
  ])('%s', async (_what, token) => {
    await expectRefusedUntouched(token);
  });

  it('the JSON serialisation that jose makes', async () => {
    const made = await new FlattenedEncrypt(utf8('secret'))
      .setProtectedHeader(HEADER)
      .encrypt((await encryptionKeyOf(pair)).publicKey);
    await expectRefusedUntouched(made);
    await expectRefusedUntouched(json(made));
  });

  it('a JWS, also one whose algorithm is none', async () => {
    const signed = await new CompactSign(utf8('{}'))
      .setProtectedHeader({ alg: 'RS256' })
      .sign(await importJWK(pair.privateJwk, 'RS256'));
    await expectRefusedUntouched(signed);
    await expectRefusedUntouched(`${base64url.encode('{"alg":"none"}')}.e30.`);
    await expectRefusedUntouched(await withHeader({ alg: 'none' }));
  });

  it.each<[what: string, change: (segment: string) => string]>([
    ['padding', (segment) => `${segment}=`],
    ['two characters of padding', (segment) => `${segment}==`],
    ['a space before', (segment) => ` ${segment}`],
    ['a newline after', (segment) => `${segment}\n`],
    ['CR LF within', (segment) => `${segment.slice(0, 2)}\r\n${segment.slice(2)}`],
    ['a tab', (segment) => `\t${segment}`],
    ['a NUL', (segment) => `${segment}\0`],
    ['a plus sign', (segment) => `+${segment.slice(1)}`],
    ['a slash', (segment) => `/${segment.slice(1)}`],
    ['a fullwidth letter', (segment) => `Ａ${segment.slice(1)}`],
    ['a lone surrogate', (segment) => `\ud800${segment.slice(1)}`],
    ['a byte order mark', (segment) => `\ufeff${segment}`],
    ['a percent escape', (segment) => `%41${segment.slice(1)}`],
  ])('%s in any of its segments', async (_what, change) => {
    for (let i = 0; i < 5; i += 1) {
      await expectRefusedUntouched(
        GOOD.split('.')
          .map((segment, at) => (at === i ? change(segment) : segment))
          .join('.'),
      );
    }
  });

  it('every character outside of base64url and the dot', async () => {
    for (let code = 0; code < 0x180; code += 1) {
      const character = String.fromCharCode(code);
      if (/[\w.-]/.test(character)) continue;
      expect(await fingerprint(() => checkJwe(`${GOOD}${character}`, key))).toStrictEqual(REFUSAL);
    }
    expect(key.unwrap).not.toHaveBeenCalled();
  });

  it('unused bits at the end of a segment that are not zero', async () => {
    // 16 bytes leave 2 characters with 4 unused bits, 256 and 12 + 1 bytes likewise or with 2.
    const segments = GOOD.split('.');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    let tried = 0;
    for (const [i, segment] of segments.entries()) {
      const unused = { 2: 4, 3: 2 }[segment.length % 4] ?? 0;
      const last = alphabet.indexOf(segment.slice(-1));
      for (let bits = 1; bits < 1 << unused; bits += 1) {
        const spelling = `${segment.slice(0, -1)}${alphabet.charAt(last + bits)}`;
        expect(fromBase64url(spelling)).toEqual(fromBase64url(segment));
        await expectRefusedUntouched(segments.map((same, at) => (at === i ? spelling : same)).join('.'));
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThanOrEqual(15 + 15);
  });

  it('a segment of an impossible length', async () => {
    await expectRefusedUntouched(`${head}.${wrapped}.${iv}.${ciphertext}AAAAA`.concat(`.${tag}`));
    await expectRefusedUntouched(`${head}.${wrapped}A`.concat('AAA', `.${iv}.${ciphertext}.${tag}A`));
  });
});

describe('a token that is too long', () => {
  it('is refused one character above its limit, and opens at the limit', async () => {
    expect(await opens(GOOD, { tokenLength: GOOD.length })).toBe('secret');
    key.unwrap.mockClear();
    await expectRefusedUntouched(GOOD, { tokenLength: GOOD.length - 1 });
  });

  it('is limited to 1 MiB by default, also when the option is undefined', async () => {
    const long = await forge(pair, { plaintext: 'x'.repeat(790_000) });
    expect(long.length).toBeGreaterThan(1_048_576);
    await expectRefusedUntouched(long);
    // JavaScript callers pass on options that they do not have.
    await expectRefusedUntouched(long, { tokenLength: undefined } as unknown as DecryptJweOptions);
    expect(await opens(long, { tokenLength: 2_000_000 })).toHaveLength(790_000);
  });
});

describe('a protected header', () => {
  const members = '"alg":"RSA-OAEP-256","enc":"A256GCM"';

  it.each<[what: string, header: string | Uint8Array]>([
    ['an array', '["RSA-OAEP-256","A256GCM"]'],
    ['an array around the header', `[{${members}}]`],
    ['a string', '"RSA-OAEP-256"'],
    ['a number', '5'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['not JSON', 'alg=RSA-OAEP-256'],
    ['truncated JSON', `{${members}`],
    ['JSON with more after it', `{${members}}{}`],
    ['JSON with a comment', `{${members}/* */}`],
    ['JSON with a NUL after it', `{${members}}\0`],
    ['JSON with a trailing comma', `{${members},}`],
    ['single quotes', "{'alg':'RSA-OAEP-256','enc':'A256GCM'}"],
    ['a byte order mark', `\ufeff{${members}}`],
    ['UTF-16', latin1(Array.from(`{${members}}`, (character) => `${character}\0`).join(''))],
    ['an invalid byte in a string', concat(utf8(`{${members},"x":"`), Uint8Array.of(0xff), utf8('"}'))],
    ['an overlong encoding', concat(utf8(`{${members},"x":"`), Uint8Array.of(0xc0, 0xaf), utf8('"}'))],
    ['a surrogate in UTF-8', concat(utf8(`{${members},"x":"`), Uint8Array.of(0xed, 0xa0, 0x80), utf8('"}'))],
    ['duplicate alg', `{${members},"alg":"RSA-OAEP-256"}`],
    ['duplicate enc first', `{"enc":"A128GCM",${members}}`],
    ['duplicate kid', `{${members},"kid":"a","kid":"a"}`],
    ['duplicates of which one is escaped', `{${members},"\\u0061lg":"RSA-OAEP-256"}`],
    ['duplicates of which both are escaped', `{${members},"\\u006bid":"a","ki\\u0064":"b"}`],
    ['duplicates apart', `{"kid":"a",${members},"x":{"y":[{"z":"}"}]},"kid":"a"}`],
    ['duplicates within a member', `{${members},"x":[{"y":1,"y":1}]}`],
    ['duplicates with white space before the colon', `{${members},"kid":"a","kid"\n\t :"a"}`],
    ['a duplicate __proto__', `{${members},"__proto__":1,"__proto__":2}`],
    ['a duplicate empty name', `{${members},"":1,"":2}`],
  ])('that is %s is refused', async (_what, header) => {
    await expectRefusedUntouched(await forge(pair, { header }));
  });

  it.each([
    ['white space', `\r\n{ ${members} }\t`],
    ['one name at different depths', `{${members},"x":{"alg":1,"x":{"alg":2}},"y":[{"alg":3},{"alg":4}]}`],
    ['a value that looks like a duplicate', `{${members},"x":"alg","y":"\\"alg\\":","z":["alg","alg"]}`],
    ['names that differ in case', `{${members},"ALG":1,"Alg":2}`],
    ['an escaped name', `{"\\u0061lg":"RSA-OAEP-256","enc":"A256GCM"}`],
    ['a backslash before a quote', `{${members},"x\\\\":"\\\\","x":"\\\\\\""}`],
    ['members that nobody knows', `{${members},"iat":1,"x5t":"a","p2c":1,"constructor":null}`],
  ])('with %s is accepted', async (_what, header) => {
    expect(await opens(await forge(pair, { header }))).toBe('secret');
  });

  it('may have 2048 bytes, and no more', async () => {
    const ofSize = (size: number) => {
      const empty = json({ ...HEADER, x: '' });
      return forge(pair, { header: { ...HEADER, x: 'x'.repeat(size - empty.length) } });
    };
    expect(await opens(await ofSize(2048))).toBe('secret');
    key.unwrap.mockClear();
    await expectRefusedUntouched(await ofSize(2049));
    await expectRefusedUntouched(await ofSize(100_000), {
      headerBytes: undefined,
    } as unknown as DecryptJweOptions);
    await expectRefusedUntouched(await ofSize(200), { headerBytes: 199 });
    expect(await opens(await ofSize(3000), { headerBytes: 3000 })).toBe('secret');
  });

  it('nested 20,000 deep is refused, and exhausts no stack where the limit lets it in', async () => {
    const nested = (depth: number) =>
      forge(pair, { header: `{${members},"x":${'['.repeat(depth)}${']'.repeat(depth)}}` });
    await expectRefusedUntouched(await nested(20_000));
    expect(await opens(await nested(900))).toBe('secret');
    expect(await opens(await nested(20_000), { headerBytes: 100_000 })).toBe('secret');
    const objects = `{${members},"x":${'{"x":'.repeat(20_000)}1${'}'.repeat(20_001)}`;
    expect(await opens(await forge(pair, { header: objects }), { headerBytes: 200_000 })).toBe('secret');
  });

  it.each(['zip', 'crit', 'jku', 'jwk', 'x5u', 'x5c'])(
    'with %s is refused, whatever its value, and opens no socket',
    async (member) => {
      const fetch = vi.spyOn(globalThis, 'fetch');
      for (const value of ['DEF', 'http://127.0.0.1:9/', [], ['exp'], {}, null, false, 0, '']) {
        await expectRefusedUntouched(await withHeader({ [member]: value }));
      }
      const escaped = `\\u00${member.charCodeAt(0).toString(16)}${member.slice(1)}`;
      await expectRefusedUntouched(await forge(pair, { header: `{${members},"${escaped}":"DEF"}` }));
      expect(fetch).not.toHaveBeenCalled();
      fetch.mockRestore();
    },
  );

  it.each(['kid', 'typ', 'cty'])('whose %s is not a text is refused', async (member) => {
    for (const value of [5, null, true, {}, ['own']]) {
      await expectRefusedUntouched(await withHeader({ [member]: value }));
    }
  });
});

describe('an algorithm', () => {
  const ALGS: readonly unknown[] = [
    ...['RSA1_5', 'RSA-OAEP', 'RSA-OAEP-384', 'RSA-OAEP-512', 'dir', 'none', 'A128KW', 'A256KW', 'A256GCMKW'],
    ...['PBES2-HS256+A128KW', 'PBES2-HS512+A256KW', 'ECDH-ES', 'ECDH-ES+A256KW', 'RS256', 'HS256'],
    ...[
      'rsa-oaep-256',
      'Rsa-Oaep-256',
      'RSA-OAEP-256 ',
      ' RSA-OAEP-256',
      'RSA-OAEP-256\0',
      'RSA\u2010OAEP-256',
      '',
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
    ...[undefined, null, 0, true, {}, [], ['RSA-OAEP-256'], { alg: 'RSA-OAEP-256' }],
  ];
  const ENCS: readonly unknown[] = [
    ...[
      'A128GCM',
      'A192GCM',
      'A128CBC-HS256',
      'A256CBC-HS512',
      'C20P',
      'XC20P',
      'none',
      'dir',
      'RSA-OAEP-256',
    ],
    ...['a256gcm', 'A256gcm', 'A256GCM ', 'A256GCM\n', '__proto__', 'constructor', ''],
    ...[undefined, null, 0, {}, [], ['A256GCM']],
  ];

  it.each(ALGS)('%j as alg is refused without a key operation', async (alg) => {
    await expectRefusedUntouched(await withHeader({ alg }));
  });

  it.each(ENCS)('%j as enc is refused without a key operation', async (enc) => {
    await expectRefusedUntouched(await withHeader({ enc }));
  });

  it('that needs more than RSA is refused also with the members that belong to it', async () => {
    await expectRefusedUntouched(
      await withHeader({ alg: 'PBES2-HS256+A128KW', p2s: 'c2FsdA', p2c: 1_000_000_000 }),
    );
    await expectRefusedUntouched(await withHeader({ alg: 'ECDH-ES', epk: { kty: 'EC' } }));
  });

  it('outside of the given lists is refused, also when the library knows it', async () => {
    await expectRefusedUntouched(GOOD, { algs: [] });
    await expectRefusedUntouched(GOOD, { encs: [] });
  });

  it('that the library does not know is refused, also when a list holds it', async () => {
    const names = ['A192GCM', 'RSA1_5', '__proto__', 'toString', undefined];
    // What a profile written in plain JavaScript could hold.
    const options = { algs: names as KeyAlgorithm[], encs: names as ContentAlgorithm[] };
    for (const name of names) {
      await expectRefusedUntouched(await withHeader({ alg: name }), { algs: options.algs });
      await expectRefusedUntouched(await withHeader({ enc: name }), { encs: options.encs });
      key = spied({ ...ownKey, alg: name as KeyAlgorithm });
      await expectRefusedUntouched(await withHeader({ alg: name }), { algs: options.algs });
    }
  });

  it('that the key is not for is refused', async () => {
    key = spied({ ...ownKey, alg: 'RSA-OAEP-512' as KeyAlgorithm });
    expect(await fingerprint(decryptJwe(GOOD, key))).toStrictEqual(REFUSAL);
    expect(key.unwrap).not.toHaveBeenCalled();
  });
});

describe('a kid', () => {
  const ODD = [
    ...[
      'unknown',
      '',
      ' own',
      'OWN',
      '__proto__',
      'constructor',
      'toString',
      '../../etc/passwd',
      'own/../own',
    ],
    ...[
      "' OR 1=1 --",
      'a\r\nSet-Cookie: a=b',
      '\u001b[31mred',
      '\u2028',
      '$\u007bjndi:ldap://x}',
      '%00',
      'own\0',
    ],
    ...['k'.repeat(1900), '\ud83d\ude00', '<script>alert(1)</script>'],
  ];

  it.each(ODD)(
    '%j that the ring does not hold is rejected without a key operation or a fetch',
    async (kid) => {
      const fetch = vi.spyOn(globalThis, 'fetch');
      const token = await withHeader({ kid });
      expect(await fingerprint(() => checkJwe(token, ring))).toStrictEqual(REJECTION);
      const error = await errorOf(decryptJwe(token, ring));
      expect(error).toMatchObject(REJECTION);
      if (kid.length > 3) {
        expect(inspected(error)).not.toContain(kid);
        expect(everythingOf(error)).not.toContain(json([kid]).slice(2, -2));
      }
      expect(everythingOf(error)).not.toContain(token);
      expect(key.unwrap).not.toHaveBeenCalled();
      expect(fetch).not.toHaveBeenCalled();
      fetch.mockRestore();
    },
  );

  it('that is unknown does not excuse any other flaw', async () => {
    for (const flaw of [{ alg: 'RSA1_5' }, { enc: 'A128GCM' }, { zip: 'DEF' }]) {
      await expectRefusedUntouched(await withHeader({ kid: 'unknown', ...flaw }));
    }
    const header = { ...HEADER, kid: 'unknown' };
    await expectRefusedUntouched(await forge(pair, { header, iv: randomBytes(16) }));
  });

  it('of a key that was revoked is rejected like one that never was', async () => {
    const token = await withHeader({ kid: 'own' });
    expect((await decryptJwe(token, ring)).kid).toBe('own');
    await ring.revoke('own');
    key.unwrap.mockClear();
    expect(await fingerprint(decryptJwe(token, ring))).toStrictEqual(REJECTION);
    expect(key.unwrap).not.toHaveBeenCalled();
  });

  it('of one key on a token for another is refused', async () => {
    const token = await forge(other, { header: { ...HEADER, kid: 'own' } });
    expect(await fingerprint(decryptJwe(token, ring))).toStrictEqual(REFUSAL);
    expect(key.unwrap).toHaveBeenCalledTimes(1);
  });

  it('is only missed where it is required', async () => {
    await expectRefusedUntouched(GOOD, { requireKid: true });
    expect(await opens(await withHeader({ kid: 'own' }), { requireKid: true })).toBe('secret');
  });
});

describe('a token that was tampered with', () => {
  const token = TINY;

  it('is refused for every single flipped bit of its bytes, with one and the same error', async () => {
    const segments = bytesOf(token);
    const flipped = segments.flatMap((bytes, at) =>
      Array.from({ length: bytes.length * 8 }, (_, bit) =>
        tokenOf(segments.map((same, i) => (i === at ? flip(same, bit) : same))),
      ),
    );
    expect(flipped.length).toBeGreaterThan(2048 + 96 + 32 + 128);
    expect(await distinctErrors(flipped)).toEqual(new Set([json(REFUSAL)]));
  });

  it('is refused for every flipped bit of its text', async () => {
    // Of the encrypted key, which is most of the token, every ninth.
    const [head = '', wrapped = ''] = token.split('.');
    const flipped = Array.from(token, (character, i) => [i, character.charCodeAt(0)] as const)
      .filter(([i]) => i < head.length || i > head.length + wrapped.length || i % 9 === 0)
      .flatMap(([i, code]) =>
        [1, 2, 4, 8, 16, 32, 64, 128].map(
          (bit) => `${token.slice(0, i)}${String.fromCharCode(code ^ bit)}${token.slice(i + 1)}`,
        ),
      );
    expect(await distinctErrors(flipped)).toEqual(new Set([json(REFUSAL)]));
  });

  it('is refused when bytes move over a boundary between segments', async () => {
    const shifted = (by: number, left: number) => {
      const segments = bytesOf(token);
      const joined = concat(segments[left] ?? EMPTY, segments[left + 1] ?? EMPTY);
      const border = (segments[left]?.length ?? 0) + by;
      return tokenOf(segments.with(left, joined.subarray(0, border)).with(left + 1, joined.subarray(border)));
    };
    for (let left = 0; left < 4; left += 1) {
      for (const by of [-4, -1, 1, 4, 12]) {
        if (left === 3 && by > 4) continue;
        expect(await fingerprint(decryptJwe(shifted(by, left), key))).toStrictEqual(REFUSAL);
      }
    }
    key.unwrap.mockClear();
    for (const by of [-4, -1, 1, 4]) await expectRefusedUntouched(shifted(by, 3));
  });

  it('is refused when segments of two good tokens are mixed', async () => {
    const [a, b] = [bytesOf(token), bytesOf(await forge(pair, { plaintext: 'tony' }))];
    for (let mask = 1; mask < 31; mask += 1) {
      const mixed = a.map((bytes, i) => ((mask >> i) & 1 ? (b[i] ?? bytes) : bytes));
      expect(await fingerprint(decryptJwe(tokenOf(mixed), key))).toStrictEqual(REFUSAL);
    }
  });

  it('is refused for any garbage in the place of a segment', async () => {
    const segments = bytesOf(token);
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.uint8Array({ maxLength: 300 }), async (at, bytes) => {
        fc.pre(bytes.join() !== segments[at]?.join());
        const garbled = tokenOf(segments.with(at, bytes));
        expect(await fingerprint(decryptJwe(garbled, key))).toStrictEqual(REFUSAL);
      }),
      runs(150),
    );
  });

  it('is refused for any text at all', async () => {
    const anyText = fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes));
    const text = fc.oneof(
      anyText,
      fc.array(fc.base64String(), { minLength: 4, maxLength: 6 }).map((segments) => segments.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (garbage) => {
        expect(await fingerprint(decryptJwe(garbage, ring))).toStrictEqual(REFUSAL);
      }),
      runs(100),
    );
  });
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** Of many bad tokens, a good number at a time, so that the thread pool is busy. */
async function distinctErrors(tokens: readonly string[]): Promise<Set<string>> {
  const distinct = new Set<string>();
  for (let i = 0; i < tokens.length; i += 64) {
    const part = tokens.slice(i, i + 64).map((token) => fingerprint(decryptJwe(token, ownKey)));
    for (const found of await Promise.all(part)) distinct.add(json({ ...REFUSAL, ...found })); // in the order of REFUSAL
  }
  return distinct;
}

describe('the sizes of a token', () => {
  it.each([12, 13, 14, 15])(
    'a genuine tag of only %i bytes is refused without a key operation',
    async (tagBytes) => {
      await expectRefusedUntouched(await forge(pair, { tagBytes }));
    },
  );

  it.each([1, 8, 15, 17, 32])(
    'a tag cut or padded to %i bytes is refused without a key operation',
    async (size) => {
      const segments = bytesOf(GOOD);
      const tag = concat(segments[4] ?? EMPTY, new Uint8Array(16)).subarray(0, size);
      await expectRefusedUntouched(tokenOf(segments.with(4, tag)));
    },
  );

  it.each([1, 8, 11, 13, 16, 32])(
    'a genuine IV of %i bytes is refused without a key operation',
    async (size) => {
      await expectRefusedUntouched(TOKENS_BY_IV_SIZE[size]);
    },
  );

  it.each([1, 2, 32, 128, 255, 257, 512, 4096])('an encrypted key of %i bytes is refused', async (size) => {
    const encryptedKey = randomBytes(size);
    expect(await fingerprint(decryptJwe(await forge(pair, { encryptedKey }), key))).toStrictEqual(REFUSAL);
  });

  it('an encrypted key with a zero before it, or without its last byte, is refused', async () => {
    const segments = bytesOf(GOOD);
    const wrapped = segments[1] ?? EMPTY;
    for (const bytes of [
      concat(Uint8Array.of(0), wrapped),
      wrapped.subarray(0, 255),
      concat(wrapped, Uint8Array.of(0)),
    ]) {
      expect(await fingerprint(decryptJwe(tokenOf(segments.with(1, bytes)), key))).toStrictEqual(REFUSAL);
    }
  });

  it('an encrypted key that is 0, 1, the modulus, beside it, or above it is refused', async () => {
    const n = numberOf(fromBase64url(String(pair.publicJwk.n)));
    const wrapped = numberOf(bytesOf(GOOD)[1] ?? EMPTY);
    for (const number of [0n, 1n, n - 1n, n, n + 1n, n - wrapped, 2n ** 2048n - 1n]) {
      const encryptedKey = bytesOfNumber(number);
      expect(await fingerprint(decryptJwe(await forge(pair, { encryptedKey }), key))).toStrictEqual(REFUSAL);
    }
  });

  it.each([1, 16, 24, 31, 33, 48, 64, 128])(
    'a CEK of %i bytes is refused, although it is wrapped well',
    async (size) => {
      const token = size === 24 ? TOKEN_OF_CEK_24 : await forge(pair, { cek: randomBytes(size) });
      expect(await ownKey.unwrap(Uint8Array.from(bytesOf(token)[1] ?? []), HEADER)).toHaveLength(size);
      expect(await fingerprint(decryptJwe(token, key))).toStrictEqual(REFUSAL);
    },
  );

  it('an empty CEK is refused', async () => {
    const token = await forge(pair, { cek: new Uint8Array() });
    expect(await fingerprint(decryptJwe(token, key))).toStrictEqual(REFUSAL);
  });

  it.each(['oaep-sha1', 'oaep-label', 'pkcs1'] as const)(
    'a CEK wrapped with %s under the name RSA-OAEP-256 is refused',
    async (padding) => {
      expect(await fingerprint(decryptJwe(await forge(pair, { padding }), key))).toStrictEqual(REFUSAL);
    },
  );

  it('a token for somebody else is refused', async () => {
    expect(await fingerprint(decryptJwe(await forge(other), key))).toStrictEqual(REFUSAL);
  });
});

describe('a key whose private part is elsewhere', () => {
  const failing = (error: unknown) => spied({ ...ownKey, unwrap: () => Promise.reject(error) });
  const unavailable = new E2eeError('keys_unavailable', 'The key service is throttling');

  it('that says the ciphertext is bad, in whatever way, refuses the token', async () => {
    for (const error of [new Error('bad padding'), new E2eeError('key_invalid', 'no'), undefined, 'text']) {
      expect(await fingerprint(decryptJwe(GOOD, failing(error)))).toStrictEqual(REFUSAL);
    }
  });

  it('that throws instead of rejecting refuses the token as well', async () => {
    const throwing = spied({
      ...ownKey,
      unwrap: () => {
        throw new RangeError('data too large for key size');
      },
    });
    expect(await fingerprint(decryptJwe(GOOD, throwing))).toStrictEqual(REFUSAL);
  });

  it('that is out of reach says so, and does not blame the token', async () => {
    expect(await errorOf(decryptJwe(GOOD, failing(unavailable)))).toBe(unavailable);
  });

  it('that answers with anything but a CEK refuses the token', async () => {
    for (const answer of [undefined, null, new Uint8Array(), new Uint8Array(31), new Uint8Array(32)]) {
      // What a key service written in plain JavaScript could answer.
      const odd = spied({ ...ownKey, unwrap: async () => answer as Uint8Array });
      expect(await fingerprint(decryptJwe(GOOD, odd))).toStrictEqual(REFUSAL);
    }
  });

  it('a public key is refused as what it is: a mistake of ours', async () => {
    const publicKey = await encryptionKeyOf(pair);
    expect(await errorOf(decryptJwe(GOOD, publicKey))).toMatchObject({ code: 'key_invalid', expose: false });
  });

  it('a ring without keys refuses every token', async () => {
    const empty: KeyRing = { ...ring, find: () => undefined, decryptionKeys: () => [] };
    expect(await fingerprint(decryptJwe(GOOD, empty))).toStrictEqual(REFUSAL);
  });
});

describe('published tokens', () => {
  it('RFC 7516 A.1 is intact, but refused: RSA-OAEP is SHA-1', async () => {
    const { token, plaintext, key: jwk } = RFC7516_A1;
    const opened = await compactDecrypt(token, await importJWK({ ...jwk }, 'RSA-OAEP'));
    expect(decoder.decode(opened.plaintext)).toBe(plaintext);
    key = spied(asDecryptionKey(await importKey({ ...jwk })));
    await expectRefusedUntouched(token);
    // The same key opens a token of our algorithm, so it is the algorithm that was refused.
    const publicKey = await importKey({ kty: 'RSA', n: String(jwk.n), e: 'AQAB' });
    const token256 = await encryptJwe(utf8(plaintext), publicKey);
    expect(await opens(token256)).toBe(plaintext);
  });

  it.each(Object.entries(RFC7520_TOKENS))('RFC 7520 section %s is refused', async (_section, segments) => {
    await expectRefusedUntouched(segments.join('.'));
  });
});
