import type { PlainContent, SealedContent } from './algorithms.js';
import { type Bytes, concat } from './bytes.js';
import { refuseToken } from './refusal.js';

/* AES in CBC with HMAC SHA-512 (RFC 7518 §5.2.5): the first half of the CEK authenticates, the second encrypts. */
const HALF = 32;
const TAG_BYTES = 32;
const CBC = 'AES-CBC';
const HMAC = { name: 'HMAC', hash: 'SHA-512' } as const;

export async function sealCbc(
  cek: Bytes,
  { plaintext, aad }: PlainContent,
): Promise<Omit<SealedContent, 'aad'>> {
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const key = await crypto.subtle.importKey('raw', cek.subarray(HALF), CBC, false, ['encrypt']);
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: CBC, iv }, key, plaintext as Bytes));
  return { iv, ciphertext, tag: await tagOf(cek, { iv, ciphertext, aad }) };
}

export async function openCbc(cek: Bytes, { iv, ciphertext, tag, aad }: SealedContent): Promise<Bytes> {
  const expected = await tagOf(cek, { iv, ciphertext, aad });
  if (!isEqual(tag, expected)) refuseToken(); // before anything is decrypted, so that padding tells nothing
  const key = await crypto.subtle.importKey('raw', cek.subarray(HALF), CBC, false, ['decrypt']);
  return new Uint8Array(await crypto.subtle.decrypt({ name: CBC, iv }, key, ciphertext));
}

/** RFC 7518 §5.2.2.1, steps 4 and 5. */
async function tagOf(cek: Bytes, { iv, ciphertext, aad }: Omit<SealedContent, 'tag'>): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', cek.subarray(0, HALF), HMAC, false, ['sign']);
  const aadBits = new DataView(new ArrayBuffer(8));
  aadBits.setBigUint64(0, BigInt(aad.length) * 8n);
  const signed = concat([aad, iv, ciphertext, new Uint8Array(aadBits.buffer)]);
  return new Uint8Array(await crypto.subtle.sign(HMAC, key, signed)).subarray(0, TAG_BYTES);
}

/** In a time that does not depend on where two texts of one length differ. */
function isEqual(a: Bytes, b: Bytes): boolean {
  const difference = a.reduce((sum, byte, i) => sum | (byte ^ (b[i] as number)), a.length ^ b.length);
  return difference === 0;
}
