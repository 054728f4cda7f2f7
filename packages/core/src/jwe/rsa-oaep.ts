import type { CryptoKey } from 'jose';
import type { CekUse, WrappedCek } from './algorithms.js';
import type { Bytes } from './bytes.js';
import { newCek } from './cek.js';

/* RSAES OAEP (RFC 7518 §4.3). Which hash function it is with, the key says. */
const RSA_OAEP = { name: 'RSA-OAEP' } as const;

export async function wrapByRsa(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const cek = newCek(use);
  return { cek, encryptedKey: new Uint8Array(await crypto.subtle.encrypt(RSA_OAEP, key, cek)) };
}

export async function unwrapByRsa(key: CryptoKey, encryptedKey: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.decrypt(RSA_OAEP, key, encryptedKey));
}
