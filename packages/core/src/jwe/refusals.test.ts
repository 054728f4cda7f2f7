import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromBase64url, randomBytes } from '../../test/bytes.js';
import { bytesOf, forge, HEADER, tokenOf } from '../../test/jwe-forge.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { OPEN } from './algorithms.js';
import { decryptJwe } from './decrypt.js';

const [pair, other] = RSA;
const key = await decryptionKeyOf(pair, 'own');
const modulus = fromBase64url(String(pair.publicJwk.n));

/** A good token with the last byte of one of its parts changed. */
async function flipped(at: number): Promise<string> {
  const parts = bytesOf(await forge(pair));
  const bytes = Uint8Array.from(parts[at] ?? []);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return tokenOf(parts.with(at, bytes));
}

/** What is wrong with tokens that get as far as the private key. */
const FLAWS: Readonly<Record<string, () => Promise<string>>> = {
  'a flipped encrypted key': () => flipped(1),
  'a flipped IV': () => flipped(2),
  'a flipped ciphertext': () => flipped(3),
  'a flipped tag': () => flipped(4),
  'a key of somebody else': () => forge(other),
  'an encrypted key of zeros': () => forge(pair, { encryptedKey: new Uint8Array(256) }),
  'an encrypted key that is the modulus': () => forge(pair, { encryptedKey: modulus }),
  'an encrypted key above the modulus': () => forge(pair, { encryptedKey: new Uint8Array(256).fill(255) }),
  'a wrapping with SHA-1': () => forge(pair, { padding: 'oaep-sha1' }),
  'a wrapping of PKCS#1': () => forge(pair, { padding: 'pkcs1' }),
  'a CEK of 16 bytes': () => forge(pair, { cek: randomBytes(16) }),
  'a CEK of 33 bytes': () => forge(pair, { cek: randomBytes(33) }),
  'another header': async () => {
    const [, ...rest] = bytesOf(await forge(pair));
    return tokenOf([new TextEncoder().encode(JSON.stringify({ ...HEADER, typ: 'x' })), ...rest]);
  },
};

/** What everybody sees to be wrong. */
const LENGTHS: Readonly<Record<string, Uint8Array>> = {
  'a byte short': modulus.subarray(1),
  'of one byte': Uint8Array.of(1),
  'a byte long': Uint8Array.of(0, ...modulus),
  'of half a megabyte': new Uint8Array(500_000),
};

let operations: string[];
beforeEach(() => {
  operations = [];
  const { decrypt } = crypto.subtle;
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementation((algorithm, ...args) => {
    if (algorithm === 'RSA-OAEP') operations.push(algorithm);
    return Reflect.apply(decrypt, crypto.subtle, [algorithm, ...args]);
  });
  const { A256GCM } = OPEN;
  vi.spyOn(OPEN, 'A256GCM').mockImplementation((...args) => {
    operations.push('A256GCM');
    return A256GCM(...args);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the work that a bad token makes', () => {
  it.each(Object.entries(FLAWS))('is that of a good one, to the end, with %s', async (_, make) => {
    const token = await make();
    expect(await errorOf(decryptJwe(token, key))).toMatchObject({ code: 'token_invalid' });
    expect(operations).toEqual(['RSA-OAEP', 'A256GCM']);
  });

  it.each(Object.entries(LENGTHS))(
    'is none for the private key with an encrypted key %s',
    async (_, encryptedKey) => {
      const token = await forge(pair, { encryptedKey });
      expect(await errorOf(decryptJwe(token, key))).toMatchObject({ code: 'token_invalid' });
      expect(operations).toEqual(['A256GCM']);
    },
  );

  it('is counted: a good one takes as much', async () => {
    await decryptJwe(await forge(pair), key);
    expect(operations).toEqual(['RSA-OAEP', 'A256GCM']);
  });
});
