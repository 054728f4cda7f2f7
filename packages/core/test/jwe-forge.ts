import { type Mock, vi } from 'vitest';
import type { DecryptionKey } from '../src/keys/key.js';
import { concat, fromBase64url, fromHex, randomBytes, toBase64url, toHex, utf8 } from './bytes.js';
import type { RsaPair } from './stored-keys.js';

/** What differs from a flawless token. */
export interface Flaws {
  /** The protected header: an object, or the very text or bytes. */
  readonly header?: object | string | Uint8Array;
  readonly plaintext?: string;
  readonly cek?: Uint8Array<ArrayBuffer>;
  readonly iv?: Uint8Array<ArrayBuffer>;
  readonly tagBytes?: number;
  /** Replaces the wrapped CEK. */
  readonly encryptedKey?: Uint8Array;
  readonly padding?: 'oaep-sha256' | 'oaep-sha1' | 'oaep-label' | 'pkcs1';
}

export const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM' } as const;

type Wrap = (pair: RsaPair, cek: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> | Uint8Array;

const WRAPS: Readonly<Record<NonNullable<Flaws['padding']>, Wrap>> = {
  'oaep-sha256': (pair, cek) => wrapOaep(pair, cek, 'SHA-256'),
  'oaep-sha1': (pair, cek) => wrapOaep(pair, cek, 'SHA-1'),
  'oaep-label': (pair, cek) => wrapOaep(pair, cek, 'SHA-256', utf8('label')),
  pkcs1: wrapPkcs1,
};

/** Sizes of a CEK that every runtime has an AES for. */
const AES_SIZES: readonly number[] = [16, 32];

/**
 * Makes a token with WebCrypto and nothing of ours. Each flaw is wrapped and authenticated like the real thing, so that
 * a token is refused for that flaw only.
 */
export async function forge(pair: RsaPair, flaws: Flaws = {}): Promise<string> {
  const { header = HEADER, plaintext = 'secret', cek = randomBytes(32), iv = randomBytes(12) } = flaws;
  const { tagBytes = 16, padding = 'oaep-sha256' } = flaws;
  const isText = typeof header === 'string' || header instanceof Uint8Array;
  const head = encoded(isText ? header : JSON.stringify(header));
  const key = await crypto.subtle.importKey('raw', cipherKey(cek), 'AES-GCM', false, ['encrypt']);
  const params = { name: 'AES-GCM', iv, additionalData: utf8(head) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(params, key, utf8(plaintext)));
  const encryptedKey = flaws.encryptedKey ?? (await WRAPS[padding](pair, cek));
  // A shorter tag is the beginning of the whole one (NIST SP 800-38D §7.1).
  const parts = [encryptedKey, iv, sealed.subarray(0, -16), sealed.subarray(-16).subarray(0, tagBytes)];
  return [head, ...parts.map(encoded)].join('.');
}

function encoded(part: string | Uint8Array): string {
  return toBase64url(typeof part === 'string' ? utf8(part) : part);
}

/** Of a CEK that no AES takes: what a careless receiver would make of it, zeros added or bytes cut off. */
function cipherKey(cek: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return AES_SIZES.includes(cek.length) ? cek : concat(cek, new Uint8Array(32)).subarray(0, 32);
}

async function wrapOaep(
  { publicJwk }: RsaPair,
  cek: Uint8Array<ArrayBuffer>,
  hash: string,
  label?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('jwk', publicJwk, { name: 'RSA-OAEP', hash }, false, ['encrypt']);
  return new Uint8Array(await crypto.subtle.encrypt({ name: 'RSA-OAEP', ...(label && { label }) }, key, cek));
}

/** RSAES-PKCS1-v1_5 (RFC 8017 §7.2.1), which WebCrypto does not have: 0, 2, random bytes other than 0, 0, the CEK. */
function wrapPkcs1({ publicJwk }: RsaPair, cek: Uint8Array): Uint8Array {
  const modulus = numberOf(fromBase64url(String(publicJwk.n)));
  const random = randomBytes(256 - 3 - cek.length).map((byte) => byte || 1);
  let power = numberOf(concat(Uint8Array.of(0, 2), random, Uint8Array.of(0), cek));
  const message = power;
  for (let bit = 0; bit < 16; bit += 1) power = (power * power) % modulus; // to the power of 65537
  return bytesOfNumber((power * message) % modulus);
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/** 256 bytes, as many as a modulus of 2048 bits has. */
export function bytesOfNumber(number: bigint): Uint8Array<ArrayBuffer> {
  return fromHex(number.toString(16).padStart(512, '0'));
}

/** The five segments of a token, decoded. */
export function bytesOf(token: string): Uint8Array<ArrayBuffer>[] {
  return token.split('.').map(fromBase64url);
}

export function tokenOf(segments: readonly Uint8Array[]): string {
  return segments.map(toBase64url).join('.');
}

/** A key whose operations are counted. */
export type SpiedKey = DecryptionKey & { readonly unwrap: Mock<DecryptionKey['unwrap']> };

export function spied(key: DecryptionKey): SpiedKey {
  return { ...key, unwrap: vi.fn(key.unwrap) };
}
