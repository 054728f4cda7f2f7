import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { textOf, toHex, utf8 } from '../../test/bytes.js';
import { bytesOf } from '../../test/jwe-forge.js';
import { decryptionKeyOf, encryptionKeyOf, errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { RSA } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import type { DecryptionKey, EncryptionKey, ImportedKey } from '../keys/key.js';
import { type ContentAlgorithm, SEAL } from './algorithms.js';
import { decryptJwe } from './decrypt.js';
import { type EncryptJweOptions, encryptJwe } from './encrypt.js';

const [pair] = RSA;
const CANARY = 'canary-7d1f';
const bytes = utf8;

let publicKey: EncryptionKey;
let privateKey: DecryptionKey;
beforeAll(async () => {
  publicKey = await encryptionKeyOf(pair, 'bank-1');
  privateKey = await decryptionKeyOf(pair, 'bank-1');
});

const headerOf = (token: string): unknown => JSON.parse(textOf(bytesOf(token)[0] ?? bytes('')));

describe('encryptJwe', () => {
  it('makes five segments of base64url with the sizes of RSA-OAEP-256 and A256GCM', async () => {
    const token = await encryptJwe(bytes('four'), publicKey);
    expect(token).toMatch(/^eyJ[\w-]+\.[\w-]{342}\.[\w-]{16}\.[\w-]{6}\.[\w-]{22}$/);
    expect(bytesOf(token).map(({ length }) => length)).toEqual([expect.any(Number), 256, 12, 4, 16]);
  });

  it('names the algorithms and the kid in the header, and nothing else', async () => {
    expect(headerOf(await encryptJwe(bytes(''), publicKey))).toEqual({
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      kid: 'bank-1',
    });
  });

  it('adds cty and typ where they are asked for', async () => {
    const options = { cty: 'json', typ: 'JWE', enc: 'A256GCM' } as const;
    expect(headerOf(await encryptJwe(bytes(''), publicKey, options))).toMatchObject(options);
    const { header } = await decryptJwe(await encryptJwe(bytes(''), publicKey, options), privateKey);
    expect(header.cty).toBe('json');
    // Callers in JavaScript pass on options that they do not have.
    const absent = { cty: undefined, typ: undefined, enc: undefined } as unknown as EncryptJweOptions;
    expect(Object.keys(headerOf(await encryptJwe(bytes(''), publicKey, absent)) ?? {})).toHaveLength(3);
  });

  it('returns every plaintext exactly as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000, size: 'max' }), async (plaintext) => {
        const opened = await decryptJwe(await encryptJwe(plaintext, publicKey), privateKey);
        expect(opened.plaintext).toEqual(plaintext);
      }),
      { ...runs(100), examples: [[new Uint8Array()], [new Uint8Array(2000)]] },
    );
  });

  it('uses a new CEK and a new IV each time', async () => {
    const unwrapped: string[] = [];
    const watched: DecryptionKey = {
      ...privateKey,
      unwrap: async (...args) => {
        const cek = await privateKey.unwrap(...args);
        unwrapped.push(toHex(cek));
        return cek;
      },
    };
    const tokens = await Promise.all(Array.from({ length: 50 }, () => encryptJwe(bytes('same'), publicKey)));
    for (const token of tokens) await decryptJwe(token, watched);
    expect(new Set(unwrapped).size).toBe(50);
    for (const segment of [1, 2, 3, 4]) {
      expect(new Set(tokens.map((token) => token.split('.')[segment])).size).toBe(50);
    }
  });

  it('leaves the plaintext as it was and reads only its own part of a larger buffer', async () => {
    const large = bytes('before|inside|after');
    const token = await encryptJwe(large.subarray(7, 13), publicKey);
    expect(new TextDecoder().decode((await decryptJwe(token, privateKey)).plaintext)).toBe('inside');
    expect(large).toEqual(bytes('before|inside|after'));
  });

  it('keeps a kid that needs escaping as it is', async () => {
    const kid = 'a"b\\c\r\nd\u2028\ud83d\ude00';
    const key = await importKey(pair.publicJwk, { kid });
    const { header } = await decryptJwe(await encryptJwe(bytes('x'), key), privateKey);
    expect(header.kid).toBe(kid);
  });

  it('refuses a private key, and no key, as key_invalid', async () => {
    const noKey = undefined as unknown as ImportedKey; // what a caller in JavaScript may forget
    for (const key of [privateKey, noKey]) {
      const error = await errorOf(encryptJwe(bytes(CANARY), key));
      expect(error).toMatchObject({ code: 'key_invalid', status: 500, expose: false });
      expect(everythingOf(error)).not.toContain(CANARY);
    }
  });

  it.each(['A192GCM', 'A128CBC-HS256', 'toString', '__proto__', ''])('refuses %j as enc', async (enc) => {
    const options = { enc: enc as ContentAlgorithm };
    expect(await errorOf(encryptJwe(bytes('x'), publicKey, options))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`enc`'),
    });
  });

  it('reports a failure of the cryptography without the plaintext', async () => {
    const content = vi.spyOn(SEAL, 'A256GCM').mockRejectedValue(new Error('broken'));
    const failures = [await errorOf(encryptJwe(bytes(CANARY), publicKey))];
    content.mockRestore();
    const broken = { ...publicKey, publicKey: {} as never };
    failures.push(await errorOf(encryptJwe(bytes(CANARY), broken)));
    for (const error of failures) {
      expect(error).toMatchObject({ code: 'encryption_failed', status: 500, expose: false });
      expect(everythingOf(error)).not.toContain(CANARY);
    }
  });

  it('fails closed on a plaintext that is not bytes', async () => {
    const odd: readonly unknown[] = [CANARY, { name: CANARY }, [1, 2], undefined, null];
    for (const plaintext of odd) {
      const error = await errorOf(encryptJwe(plaintext as Uint8Array, publicKey));
      expect(error).toMatchObject({ code: 'encryption_failed' });
      expect(everythingOf(error)).not.toContain(CANARY);
    }
  });

  it.each(['alg', 'enc', 'kid', 'zip', 'crit', 'jwk', 'epk', 'b64', '__proto__'])(
    'refuses a header member %j, which has a meaning of its own',
    async (name) => {
      const header = Object.fromEntries([[name, 'x']]);
      expect(await errorOf(encryptJwe(bytes('x'), publicKey, { header }))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining(`\`${name}\``),
      });
    },
  );
});
