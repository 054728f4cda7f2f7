import type { CryptoKey } from 'jose';
import type { CekUse, WrappedCek } from './algorithms.js';
import { decodeBase64url, encodeBase64url } from './base64url.js';
import { type Bytes, concat } from './bytes.js';
import { newCek } from './cek.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';

/* Key encryption with AES-GCM (RFC 7518 §4.7): its IV and tag stand in the header. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const GCM = { name: 'AES-GCM', tagLength: TAG_BYTES * 8 } as const;

export async function wrapByGcm(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const cek = newCek(use);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ ...GCM, iv }, key, cek));
  const tag = encodeBase64url(sealed.subarray(-TAG_BYTES));
  return { cek, encryptedKey: sealed.subarray(0, -TAG_BYTES), header: { iv: encodeBase64url(iv), tag } };
}

export async function unwrapByGcm(
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
): Promise<Bytes> {
  if (typeof header.iv !== 'string' || typeof header.tag !== 'string') refuseToken();
  const [iv, tag] = [decodeBase64url(header.iv), decodeBase64url(header.tag)];
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) refuseToken();
  return new Uint8Array(await crypto.subtle.decrypt({ ...GCM, iv }, key, concat([encryptedKey, tag])));
}
