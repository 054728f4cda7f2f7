import {
  type CipherGCMTypes,
  constants,
  createCipheriv,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { base64url } from 'jose';
import { type Mock, vi } from 'vitest';
import type { DecryptionKey } from '../src/keys/key.js';

/** What differs from a flawless token. */
export interface Flaws {
  /** The protected header: an object, or the very text or bytes. */
  readonly header?: object | string | Uint8Array;
  readonly plaintext?: string;
  readonly cek?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly tagBytes?: number;
  /** Replaces the wrapped CEK. */
  readonly encryptedKey?: Uint8Array;
  readonly padding?: 'oaep-sha256' | 'oaep-sha1' | 'oaep-label' | 'pkcs1';
}

export const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM' } as const;

const PADDINGS = {
  'oaep-sha256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
  'oaep-sha1': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'oaep-label': {
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: 'sha256',
    oaepLabel: Buffer.from('label'),
  },
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
} as const;

const CIPHERS: Readonly<Record<number, CipherGCMTypes>> = {
  16: 'aes-128-gcm',
  24: 'aes-192-gcm',
  32: 'aes-256-gcm',
};

/**
 * Makes a token with node:crypto and nothing of ours. Each flaw is wrapped and authenticated like the real thing, so
 * that a token is refused for that flaw only.
 */
export function forge(key: KeyObject, flaws: Flaws = {}): string {
  const { header = HEADER, plaintext = 'secret', cek = randomBytes(32), iv = randomBytes(12) } = flaws;
  const { tagBytes = 16, padding = 'oaep-sha256' } = flaws;
  const head = base64url.encode(
    typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header),
  );
  const cipher = createCipheriv(CIPHERS[cek.length] ?? 'aes-256-gcm', cipherKey(cek), iv, {
    authTagLength: tagBytes,
  });
  cipher.setAAD(Buffer.from(head));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const encryptedKey = flaws.encryptedKey ?? publicEncrypt({ key, ...PADDINGS[padding] }, cek);
  return [
    head,
    ...[encryptedKey, iv, ciphertext, cipher.getAuthTag()].map((part) => base64url.encode(part)),
  ].join('.');
}

/** Of a CEK that no AES takes: what a careless receiver would make of it, zeros added or bytes cut off. */
function cipherKey(cek: Uint8Array): Uint8Array {
  return CIPHERS[cek.length] ? cek : Buffer.concat([cek, Buffer.alloc(32)]).subarray(0, 32);
}

/** The five segments of a token, decoded. */
export function bytesOf(token: string): Uint8Array[] {
  return token.split('.').map((segment) => Buffer.from(segment, 'base64url'));
}

export function tokenOf(segments: readonly Uint8Array[]): string {
  return segments.map((segment) => base64url.encode(segment)).join('.');
}

/** A key whose operations are counted. */
export type SpiedKey = DecryptionKey & { readonly unwrap: Mock<DecryptionKey['unwrap']> };

export function spied(key: DecryptionKey): SpiedKey {
  return { ...key, unwrap: vi.fn(key.unwrap) };
}
