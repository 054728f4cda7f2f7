import { afterEach, describe, expect, it, vi } from 'vitest';
import { randomBytes, utf8 } from '../../test/bytes.js';
import { spied } from '../../test/jwe-forge.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { P256, RSA } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, type DecryptionKey, type EncryptionKey } from '../keys/key.js';
import { importSharedSecret } from '../keys/shared-secret.js';
import type { ContentAlgorithm } from './algorithms.js';
import { checkJwe, decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

const PLAINTEXT = utf8('{"name":"Zoë"}');

/** Kinds of key that a CEK, or what wraps one, becomes for a moment. */
const MOMENTARY = ['AES-CBC', 'AES-GCM', 'AES-KW'];

interface Ends {
  readonly to: EncryptionKey;
  readonly from: DecryptionKey;
}

async function shared(alg: 'A256KW' | 'A256GCMKW' | 'dir', size: number): Promise<Ends> {
  const { encryptionKey, decryptionKey } = await importSharedSecret(randomBytes(size), {
    kid: 'shared',
    alg,
  });
  return { to: encryptionKey, from: decryptionKey };
}

async function curve(): Promise<Ends> {
  const to = (await importKey(P256.spki)) as EncryptionKey; // it is a public key
  return { to, from: asDecryptionKey(await importKey(P256.pkcs8)) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a key that is made of a CEK', () => {
  it.each<[string, () => Promise<Ends>, ContentAlgorithm]>([
    ['dir with A256CBC-HS512', () => shared('dir', 64), 'A256CBC-HS512'],
    ['A256GCMKW with A256CBC-HS512', () => shared('A256GCMKW', 32), 'A256CBC-HS512'],
    ['ECDH-ES+A256KW with A256CBC-HS512', curve, 'A256CBC-HS512'],
  ])('cannot be exported: %s', async (_way, endsFor, enc) => {
    const { to, from } = await endsFor();
    const importing = vi.spyOn(crypto.subtle, 'importKey');
    const token = await encryptJwe(PLAINTEXT, to, { enc });
    await decryptJwe(token, from, { algs: [to.alg], encs: [enc] });
    const made = importing.mock.calls.map(([, , algorithm, extractable]) => {
      const { name = algorithm, hash } = Object(algorithm);
      return { name, hash, extractable };
    });
    const secret = made.filter(({ name, hash }) => MOMENTARY.includes(name) || hash === 'SHA-512');
    expect(secret.length).toBeGreaterThan(3);
    expect(secret.filter(({ extractable }) => extractable)).toEqual([]);
  });
});

describe('a shared secret that is the CEK', () => {
  it.each<[number, ContentAlgorithm, number]>([
    [16, 'A256GCM', 32],
    [32, 'A128GCM', 16],
    [32, 'A256CBC-HS512', 64],
    [64, 'A256GCM', 32],
  ])('of %i bytes makes no token for %s', async (size, enc, needed) => {
    const { to } = await shared('dir', size);
    expect(await errorOf(encryptJwe(PLAINTEXT, to, { enc }))).toMatchObject({
      code: 'encryption_failed',
      message: 'Encryption failed',
      cause: { message: `The shared secret has ${size} bytes, not ${needed}` },
    });
  });

  it.each<[number, ContentAlgorithm]>([
    [16, 'A256GCM'],
    [64, 'A256GCM'],
  ])('of %i bytes opens no token for %s', async (size, enc) => {
    const { from } = await shared('dir', size);
    const token = await encryptJwe(PLAINTEXT, (await shared('dir', 32)).to, { enc });
    const error = await errorOf(decryptJwe(token, from, { algs: ['dir'], encs: [enc] }));
    expect(error).toMatchObject({ code: 'token_invalid' });
  });
});

describe('a key for another algorithm than the token’s', () => {
  it('is no candidate: the token is refused before any key is used', async () => {
    const { to } = await curve();
    const token = await encryptJwe(PLAINTEXT, to);
    const key = spied(await decryptionKeyOf(RSA[0]));
    const accepted = { algs: ['RSA-OAEP-256', 'ECDH-ES+A256KW'] } as const;
    expect(await errorOf(() => checkJwe(token, key, accepted))).toMatchObject({ code: 'token_invalid' });
    expect(key.unwrap).not.toHaveBeenCalled();
  });
});
