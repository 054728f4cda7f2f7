import type { CryptoKey } from 'jose';
import type { Bytes } from './bytes.js';

/* RSAES OAEP (RFC 7518 §4.3). Which hash function it is with, the key says. */
const RSA_OAEP = { name: 'RSA-OAEP' } as const;

export async function wrapByRsa(key: CryptoKey, cek: Bytes): Promise<{ encryptedKey: Bytes }> {
  return { encryptedKey: new Uint8Array(await crypto.subtle.encrypt(RSA_OAEP, key, cek)) };
}

export async function unwrapByRsa(key: CryptoKey, encryptedKey: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.decrypt(RSA_OAEP, key, encryptedKey));
}
