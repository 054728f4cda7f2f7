import type { CryptoKey } from 'jose';
import { openCbc, sealCbc } from './aes-cbc-hmac.js';
import { openGcm, sealGcm } from './aes-gcm.js';
import { unwrapByGcm, wrapByGcm } from './aes-gcm-kw.js';
import { unwrapByAes, wrapByAes } from './aes-kw.js';
import type { Bytes } from './bytes.js';
import { sharedSecret } from './dir.js';
import { agree, reagree, unwrapByAgreement, wrapByAgreement } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';
import { unwrapByRsa, wrapByRsa } from './rsa-oaep.js';

/*
 * Every supported algorithm has its name in a type, and a row in each of the tables below it. There is a table for each
 * direction, so that a page which only encrypts does not load what decrypts.
 */

/** Key management algorithms (JWE `alg`, RFC 7518 §4.1) that this library can carry out. */
export type KeyAlgorithm =
  | 'RSA-OAEP-256'
  | 'RSA-OAEP'
  | 'ECDH-ES'
  | 'ECDH-ES+A256KW'
  | 'A256KW'
  | 'A256GCMKW'
  | 'dir';

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

export const WRAP: Readonly<Record<KeyAlgorithm, Wrap>> = {
  'RSA-OAEP-256': wrapByRsa,
  'RSA-OAEP': wrapByRsa,
  'ECDH-ES': agree,
  'ECDH-ES+A256KW': wrapByAgreement,
  A256KW: wrapByAes,
  A256GCMKW: wrapByGcm,
  dir: sharedSecret,
};

/** Comes by the CEK again, with a private key or a shared one. Rejects when the ciphertext is bad. */
export type Unwrap = (
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
  use: CekUse,
) => Promise<Bytes>;

export const UNWRAP: Readonly<Record<KeyAlgorithm, Unwrap>> = {
  'RSA-OAEP-256': unwrapByRsa,
  'RSA-OAEP': unwrapByRsa,
  'ECDH-ES': reagree,
  'ECDH-ES+A256KW': unwrapByAgreement,
  A256KW: unwrapByAes,
  A256GCMKW: unwrapByGcm,
  dir: async (key, _, __, use) => (await sharedSecret(key, use)).cek,
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

/** Whether a name, which may be anything, has a row in one of the tables. */
export function isSupported(name: unknown, table: object): boolean {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** Finds a name from an untrusted header that is both in an allow-list and in our table; else throws `token_invalid`. */
export function allowed<Name extends string>(name: unknown, list: readonly Name[], table: object): Name {
  return list.find((item) => item === name && isSupported(item, table)) ?? refuseToken();
}
