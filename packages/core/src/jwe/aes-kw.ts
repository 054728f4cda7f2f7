import type { CryptoKey } from 'jose';
import type { CekUse, WrappedCek } from './algorithms.js';
import type { Bytes } from './bytes.js';
import { newCek } from './cek.js';

/* AES Key Wrap (RFC 7518 §4.4, RFC 3394). */

/** A CEK is only a string of bytes here; HMAC is a kind of key that takes any. */
export const ANY_BYTES = { name: 'HMAC', hash: 'SHA-256' } as const;

export async function wrapByAes(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const cek = newCek(use);
  const plain = await crypto.subtle.importKey('raw', cek, ANY_BYTES, true, ['sign']);
  return { cek, encryptedKey: new Uint8Array(await crypto.subtle.wrapKey('raw', plain, key, 'AES-KW')) };
}

export async function unwrapByAes(key: CryptoKey, encryptedKey: Bytes): Promise<Bytes> {
  const cek = await crypto.subtle.unwrapKey('raw', encryptedKey, key, 'AES-KW', ANY_BYTES, true, ['sign']);
  return new Uint8Array(await crypto.subtle.exportKey('raw', cek));
}
