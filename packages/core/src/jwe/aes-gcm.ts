import type { PlainContent, SealedContent } from './algorithms.js';
import { type Bytes, concat } from './bytes.js';

/* AES in GCM with an IV of 12 bytes and a tag of 16 (RFC 7518 §5.3). */
export const GCM = { name: 'AES-GCM', tagLength: 128 } as const;

export async function sealGcm(
  cek: Bytes,
  { plaintext, aad }: PlainContent,
): Promise<Omit<SealedContent, 'aad'>> {
  const key = await crypto.subtle.importKey('raw', cek, GCM, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const params = { ...GCM, iv, additionalData: aad };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(params, key, plaintext as Bytes));
  return { iv, ciphertext: sealed.subarray(0, -16), tag: sealed.subarray(-16) };
}

export async function openGcm(cek: Bytes, { iv, ciphertext, tag, aad }: SealedContent): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', cek, GCM, false, ['decrypt']);
  const params = { ...GCM, iv, additionalData: aad };
  return new Uint8Array(await crypto.subtle.decrypt(params, key, concat([ciphertext, tag])));
}
