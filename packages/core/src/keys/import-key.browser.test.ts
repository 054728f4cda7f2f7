import { describe, expect, it, vi } from 'vitest';
import { concat, fromBase64url, fromHex, textOf, toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { importKey } from './import-key.js';
import { asEncryptionKey } from './key.js';

const [pair] = RSA;

describe('importKey in a browser', () => {
  it('imports PKCS#1, public and private, which WebCrypto alone cannot', async () => {
    const token = await encryptJwe(utf8('by PKCS#1'), await importKey(pair.publicPkcs1));
    const { plaintext } = await decryptJwe(token, await importKey(pair.privatePkcs1));
    expect(textOf(plaintext)).toBe('by PKCS#1');
  });

  it('gives the private key to WebCrypto so that nobody gets it out again', async () => {
    const importing = vi.spyOn(crypto.subtle, 'importKey');
    await importKey(pair.privatePkcs1);
    const [held] = await Promise.all(importing.mock.results.slice(-1).map(({ value }) => value));
    importing.mockRestore();
    expect(held).toMatchObject({ type: 'private', extractable: false, usages: ['decrypt'] });
    const refused = { name: 'InvalidAccessError' };
    await expect(crypto.subtle.exportKey('jwk', held)).rejects.toMatchObject(refused);
    await expect(crypto.subtle.exportKey('pkcs8', held)).rejects.toMatchObject(refused);
  });

  it('holds a public key that can only encrypt', async () => {
    const { publicKey } = asEncryptionKey(await importKey(pair.spki));
    expect(publicKey).toBeInstanceOf(Reflect.get(globalThis, 'CryptoKey'));
    expect(publicKey).toMatchObject({ type: 'public', extractable: false, usages: ['encrypt'] });
  });

  it.each([
    ['is even', fromHex('f0'.repeat(256))],
    ['is spelt with a zero before it', concat(new Uint8Array(1), fromBase64url(String(pair.publicJwk.n)))],
  ])('refuses a modulus that %s at once, as WebCrypto does here', async (_, modulus) => {
    const jwk = { ...pair.publicJwk, n: toBase64url(modulus) };
    expect(await errorOf(importKey(jwk))).toMatchObject({ code: 'key_invalid' });
  });
});
