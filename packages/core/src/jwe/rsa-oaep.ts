import type { CryptoKey } from 'jose';
import { encryptByRsa } from '#platform';
import type { CekUse, WrappedCek } from './algorithms.js';
import type { Bytes } from './bytes.js';
import { newCek } from './cek.js';

/* RSAES OAEP (RFC 7518 §4.3). Which hash function it is with, the key says. */

export async function wrapByRsa(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const cek = newCek(use);
  return { cek, encryptedKey: await encryptByRsa(key, cek) };
}

/** Rejects for a wrong length before the key is used: a client end takes long tokens, and OpenSSL would chew them. */
export async function unwrapByRsa(key: CryptoKey, encryptedKey: Bytes): Promise<Bytes> {
  const { modulusLength } = key.algorithm as { modulusLength?: number }; // of every RSA key (WebCrypto §20.2)
  if (encryptedKey.length * 8 !== Math.ceil(Number(modulusLength) / 8) * 8)
    throw new RangeError('The encrypted key is not as long as the modulus');
  return new Uint8Array(await crypto.subtle.decrypt('RSA-OAEP', key, encryptedKey));
}
