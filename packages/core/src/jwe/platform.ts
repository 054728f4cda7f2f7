import type { CryptoKey } from 'jose';
import { ANY_BYTES } from './aes-kw.js';
import type { PlainContent, SealedContent } from './algorithms.js';
import { type Bytes, concat } from './bytes.js';

/*
 * What Node does many times as fast in a way of its own, as browsers and workers do it. The same functions are in
 * platform.node.ts; `imports` in package.json chooses one of the two files.
 */

/** As many bytes as one call takes as its arguments. */
const CHUNK = 0x8000;

/** RFC 4648 §5, without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
}

/** What becomes of a text that is not base64url is not defined; it may throw. */
export function decodeLoosely(text: string): Bytes {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws for what is not UTF-8. A mark of the byte order stays a character. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Bytes that nobody can foresee. */
export function randomBytes(size: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** AES in GCM, with an IV of 12 bytes and a tag of 16 (RFC 7518 §5.3). */
export async function sealGcm(
  cek: Bytes,
  { plaintext, aad }: PlainContent,
): Promise<Omit<SealedContent, 'aad'>> {
  const key = await crypto.subtle.importKey('raw', cek, 'AES-GCM', false, ['encrypt']);
  const iv = randomBytes(12);
  const params = { name: 'AES-GCM', iv, additionalData: aad };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(params, key, plaintext as Bytes));
  return { iv, ciphertext: sealed.subarray(0, -16), tag: sealed.subarray(-16) };
}

/** Rejects when anything was altered. The IV has 12 bytes, and the tag 16. */
export async function openGcm(cek: Bytes, { iv, ciphertext, tag, aad }: SealedContent): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', cek, 'AES-GCM', false, ['decrypt']);
  const params = { name: 'AES-GCM', iv, additionalData: aad };
  return new Uint8Array(await crypto.subtle.decrypt(params, key, concat([ciphertext, tag])));
}

/** RSAES OAEP (RFC 7518 §4.3), with the hash function of the key. */
export async function encryptByRsa(key: CryptoKey, plaintext: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt('RSA-OAEP', key, plaintext));
}

/** Derives keys from one secret, each for its own purpose. */
export type Derive = (purpose: Bytes, length: number) => Promise<Bytes>;

/** HKDF with SHA-256 and no salt (RFC 5869): `purpose` is its `info`, `length` is in bytes. */
export async function hkdf(secret: Bytes): Promise<Derive> {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return async (info, length) => {
    const params = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
    return new Uint8Array(await crypto.subtle.deriveBits(params, key, length * 8));
  };
}

/** The public half of a key on a curve, as the `epk` header has it (RFC 7518 §4.6.1.1). */
export type CurvePoint = Readonly<Record<'kty' | 'crv' | 'x', string>> & { readonly y?: string };

/** ECDH with a key that is made for this one time, on the curve of the other's. */
export async function agreeOnce(publicKey: CryptoKey): Promise<{ secret: Bytes; point: CurvePoint }> {
  const pair = await crypto.subtle.generateKey(publicKey.algorithm, true, ['deriveBits']);
  const own = pair as { privateKey: CryptoKey; publicKey: CryptoKey }; // curves have two halves
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', own.publicKey);
  const point = { kty, crv, x, ...(y !== undefined && { y }) } as CurvePoint; // of a key that was just made
  return { secret: await secretOf(own.privateKey, publicKey), point };
}

/** ECDH. Rejects for a point that is not on the curve of the key, or of small order. */
export async function agreeWith(privateKey: CryptoKey, point: CurvePoint): Promise<Bytes> {
  return secretOf(privateKey, await crypto.subtle.importKey('jwk', point, privateKey.algorithm, false, []));
}

async function secretOf(privateKey: CryptoKey, publicKey: CryptoKey): Promise<Bytes> {
  const params = { name: privateKey.algorithm.name, public: publicKey };
  return new Uint8Array(await crypto.subtle.deriveBits(params, privateKey, 256));
}

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** AES Key Wrap (RFC 3394). */
export async function wrapKey(kek: Bytes, cek: Bytes): Promise<Bytes> {
  const by = await crypto.subtle.importKey('raw', kek, 'AES-KW', false, ['wrapKey']);
  const plain = await crypto.subtle.importKey('raw', cek, ANY_BYTES, true, ['sign']);
  return new Uint8Array(await crypto.subtle.wrapKey('raw', plain, by, 'AES-KW'));
}

/** Rejects when anything was altered. */
export async function unwrapKey(kek: Bytes, wrapped: Bytes): Promise<Bytes> {
  const by = await crypto.subtle.importKey('raw', kek, 'AES-KW', false, ['unwrapKey']);
  const cek = await crypto.subtle.unwrapKey('raw', wrapped, by, 'AES-KW', ANY_BYTES, true, ['sign']);
  return new Uint8Array(await crypto.subtle.exportKey('raw', cek));
}
