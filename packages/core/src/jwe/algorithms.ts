import type { CryptoKey } from 'jose';
import { openGcm, sealGcm } from '#platform';
import { openCbc, sealCbc } from './aes-cbc-hmac.js';
import type { Bytes } from './bytes.js';
import { agree, reagree, unwrapByAgreement, wrapByAgreement } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { unwrapByRsa, wrapByRsa } from './rsa-oaep.js';

/*
 * Every supported algorithm has its name in a list, and a row in a table for each direction, so that a page which only
 * encrypts does not load what decrypts. The rows for shared secrets are in shared-algorithms.ts, for the same reason.
 */

/** Key management algorithms (JWE `alg`, RFC 7518 §4.1) that this library can carry out. */
export const KEY_ALGORITHMS = [
  'RSA-OAEP-256',
  'RSA-OAEP',
  'ECDH-ES',
  'ECDH-ES+A256KW',
  'A256KW',
  'A256GCMKW',
  'dir',
] as const;

export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** Those for which both ends have one secret. */
export type SharedAlgorithm = 'A256KW' | 'A256GCMKW' | 'dir';

/** Content encryption algorithms (JWE `enc`, RFC 7518 §5.1) that this library can carry out. */
export type ContentAlgorithm = 'A256GCM' | 'A128GCM' | 'A256CBC-HS512';

/** What a CEK is for. */
export interface CekUse {
  readonly alg: KeyAlgorithm;
  readonly enc: ContentAlgorithm;
  /** How long the CEK must be, in bytes. */
  readonly size: number;
}

/** What a token's CEK is for, by its header. */
export function cekUse(alg: KeyAlgorithm, enc: ContentAlgorithm): CekUse {
  return { alg, enc, size: CONTENT_SIZES[enc].cek };
}

/** A CEK, and how it goes to the recipient. */
export interface WrappedCek {
  readonly cek: Bytes;
  /** Of no length where both ends come by the CEK without it. */
  readonly encryptedKey: Bytes;
  /** What the token's header must say for it to be unwrapped. */
  readonly header?: object;
}

/** Makes a CEK, or agrees on one, with the other party's key or a shared one. */
export type Wrap = (key: CryptoKey, use: CekUse) => Promise<WrappedCek>;

export const WRAP: Readonly<Record<Exclude<KeyAlgorithm, SharedAlgorithm>, Wrap>> = {
  'RSA-OAEP-256': wrapByRsa,
  'RSA-OAEP': wrapByRsa,
  'ECDH-ES': agree,
  'ECDH-ES+A256KW': wrapByAgreement,
};

/** Comes by the CEK again, with a private key or a shared one. Rejects when the ciphertext is bad. */
export type Unwrap = (
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
  use: CekUse,
) => Promise<Bytes>;

export const UNWRAP: Readonly<Record<Exclude<KeyAlgorithm, SharedAlgorithm>, Unwrap>> = {
  'RSA-OAEP-256': unwrapByRsa,
  'RSA-OAEP': unwrapByRsa,
  'ECDH-ES': reagree,
  'ECDH-ES+A256KW': unwrapByAgreement,
};

/** The algorithms whose tokens have an empty encrypted key (RFC 7516 §5.1, steps 3 to 6); those of all others have one. */
const WITHOUT_ENCRYPTED_KEY: readonly KeyAlgorithm[] = ['ECDH-ES', 'dir'];

export function hasEncryptedKey(alg: KeyAlgorithm): boolean {
  return !WITHOUT_ENCRYPTED_KEY.includes(alg);
}

/** How long the parts of an encrypted content are, in bytes. */
export interface ContentSizes {
  readonly cek: number;
  readonly iv: number;
  readonly tag: number;
}

export const CONTENT_SIZES: Readonly<Record<ContentAlgorithm, ContentSizes>> = {
  A256GCM: { cek: 32, iv: 12, tag: 16 },
  A128GCM: { cek: 16, iv: 12, tag: 16 },
  'A256CBC-HS512': { cek: 64, iv: 16, tag: 32 },
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

export const SEAL: Readonly<Record<ContentAlgorithm, Seal>> = {
  A256GCM: sealGcm,
  A128GCM: sealGcm,
  'A256CBC-HS512': sealCbc,
};

/** Opens and authenticates a ciphertext. Rejects when anything was altered. */
export type Open = (cek: Bytes, content: SealedContent) => Promise<Bytes>;

export const OPEN: Readonly<Record<ContentAlgorithm, Open>> = {
  A256GCM: openGcm,
  A128GCM: openGcm,
  'A256CBC-HS512': openCbc,
};

/** Whether a name, which may be anything, is one of an algorithm that this library can carry out. */
export function isKeyAlgorithm(name: unknown): name is KeyAlgorithm {
  return KEY_ALGORITHMS.some((known) => known === name);
}

export function isContentAlgorithm(name: unknown): name is ContentAlgorithm {
  return typeof name === 'string' && Object.hasOwn(CONTENT_SIZES, name);
}
