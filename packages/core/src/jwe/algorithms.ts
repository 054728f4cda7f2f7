import type { CryptoKey } from 'jose';
import { openGcm, sealGcm } from './aes-gcm.js';
import type { Bytes } from './bytes.js';
import { unwrapByAgreement, wrapByAgreement } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';
import { unwrapByRsa, wrapByRsa } from './rsa-oaep.js';

/*
 * Every supported algorithm has its name in a type, and a row in each of the tables below it. There is a table for each
 * direction, so that a page which only encrypts does not load what decrypts.
 */

/** Key management algorithms (JWE `alg`, RFC 7518 §4.1) that this library can carry out. */
export type KeyAlgorithm = 'RSA-OAEP-256' | 'ECDH-ES+A256KW';

/** Content encryption algorithms (JWE `enc`, RFC 7518 §5.1) that this library can carry out. */
export type ContentAlgorithm = 'A256GCM';

/** Wraps a CEK with a public key. `header` is what the token's must say for it to be unwrapped. */
export type Wrap = (key: CryptoKey, cek: Bytes) => Promise<{ encryptedKey: Bytes; header?: object }>;

export const WRAP: Readonly<Record<KeyAlgorithm, Wrap>> = {
  'RSA-OAEP-256': wrapByRsa,
  'ECDH-ES+A256KW': (key, cek) => wrapByAgreement('ECDH-ES+A256KW', key, cek),
};

/** Unwraps a CEK with a private key. Rejects when the ciphertext is bad. */
export type Unwrap = (key: CryptoKey, encryptedKey: Bytes, header: ProtectedHeader) => Promise<Bytes>;

export const UNWRAP: Readonly<Record<KeyAlgorithm, Unwrap>> = {
  'RSA-OAEP-256': unwrapByRsa,
  'ECDH-ES+A256KW': (key, cek, header) => unwrapByAgreement('ECDH-ES+A256KW', key, cek, header),
};

/** How long the parts of an encrypted content are, in bytes. */
export interface ContentSizes {
  readonly cek: number;
  readonly iv: number;
  readonly tag: number;
}

export const CONTENT_SIZES: Readonly<Record<ContentAlgorithm, ContentSizes>> = {
  A256GCM: { cek: 32, iv: 12, tag: 16 },
};

export interface PlainContent {
  readonly plaintext: Uint8Array;
  readonly aad: Bytes;
}

export interface SealedContent {
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
  readonly tag: Bytes;
  readonly aad: Bytes;
}

/** Encrypts and authenticates a plaintext, under an IV of its own. */
export type Seal = (cek: Bytes, content: PlainContent) => Promise<Omit<SealedContent, 'aad'>>;

export const SEAL: Readonly<Record<ContentAlgorithm, Seal>> = { A256GCM: sealGcm };

/** Opens and authenticates a ciphertext. Rejects when anything was altered. */
export type Open = (cek: Bytes, content: SealedContent) => Promise<Bytes>;

export const OPEN: Readonly<Record<ContentAlgorithm, Open>> = { A256GCM: openGcm };

/** Whether a name, which may be anything, has a row in one of the tables. */
export function isSupported(name: unknown, table: object): boolean {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** Finds a name from an untrusted header that is both in an allow-list and in our table; else throws `token_invalid`. */
export function allowed<Name extends string>(name: unknown, list: readonly Name[], table: object): Name {
  return list.find((item) => item === name && isSupported(item, table)) ?? refuseToken();
}
