import type { CryptoKey } from 'jose';
import { type Bytes, concat } from './bytes.js';
import { unwrapByAgreement, wrapByAgreement } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';

/** Key management algorithms (JWE `alg`, RFC 7518 §4.1) that this library can carry out. */
export type KeyAlgorithm = 'RSA-OAEP-256' | 'ECDH-ES+A256KW';
/** Content encryption algorithms (JWE `enc`, RFC 7518 §5.1) that this library can carry out. */
export type ContentAlgorithm = 'A256GCM';

/** Everything about one key management algorithm. */
export interface KeyAlgorithmRow {
  /** Wraps a CEK with a public key. `header` is what the token's must say for it to be unwrapped. */
  readonly wrap: (key: CryptoKey, cek: Bytes) => Promise<{ encryptedKey: Bytes; header?: object }>;
  /** Unwraps a CEK with a private key. Rejects when the ciphertext is bad. */
  readonly unwrap: (key: CryptoKey, encryptedKey: Bytes, header: ProtectedHeader) => Promise<Bytes>;
}

/** Everything about one content encryption algorithm. */
export interface ContentAlgorithmRow {
  readonly cekBytes: number;
  readonly ivBytes: number;
  readonly tagBytes: number;
  /** Encrypts and authenticates a plaintext, under an IV of its own. */
  readonly seal: (cek: Bytes, content: PlainContent) => Promise<Omit<SealedContent, 'aad'>>;
  /** Opens and authenticates a ciphertext. Rejects when anything was altered. */
  readonly open: (cek: Bytes, content: SealedContent) => Promise<Bytes>;
}

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

const nullPrototype = <Table extends object>(rows: Table): Table => Object.assign(Object.create(null), rows);

/** One row per supported `alg`. What is not here is refused, whatever a profile lists. */
export const KEY_ALGORITHMS: Readonly<Record<KeyAlgorithm, KeyAlgorithmRow>> = nullPrototype({
  'RSA-OAEP-256': {
    wrap: async (key, cek) => ({
      encryptedKey: new Uint8Array(await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, key, cek)),
    }),
    unwrap: async (key, encryptedKey) =>
      new Uint8Array(await crypto.subtle.decrypt({ name: 'RSA-OAEP' }, key, encryptedKey)),
  },
  'ECDH-ES+A256KW': {
    wrap: (key, cek) => wrapByAgreement('ECDH-ES+A256KW', key, cek),
    unwrap: (key, encryptedKey, header) => unwrapByAgreement('ECDH-ES+A256KW', key, encryptedKey, header),
  },
} satisfies Record<KeyAlgorithm, KeyAlgorithmRow>);

/** One row per supported `enc`. */
export const CONTENT_ALGORITHMS: Readonly<Record<ContentAlgorithm, ContentAlgorithmRow>> = nullPrototype({
  A256GCM: { cekBytes: 32, ivBytes: 12, tagBytes: 16, seal: sealGcm, open: openGcm },
} satisfies Record<ContentAlgorithm, ContentAlgorithmRow>);

/** Finds a name from an untrusted header that is both in an allow-list and in our table; else throws `token_invalid`. */
export function allowed<Name extends string>(
  name: unknown,
  list: readonly Name[],
  table: Readonly<Record<Name, unknown>>,
): Name {
  return list.find((item) => item === name && item in table) ?? refuseToken();
}

const GCM = { name: 'AES-GCM', tagLength: 128 } as const;

async function sealGcm(cek: Bytes, { plaintext, aad }: PlainContent): Promise<Omit<SealedContent, 'aad'>> {
  const key = await crypto.subtle.importKey('raw', cek, GCM, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const params = { ...GCM, iv, additionalData: aad };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(params, key, plaintext as Bytes));
  return { iv, ciphertext: sealed.subarray(0, -16), tag: sealed.subarray(-16) };
}

async function openGcm(cek: Bytes, { iv, ciphertext, tag, aad }: SealedContent): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', cek, GCM, false, ['decrypt']);
  const params = { ...GCM, iv, additionalData: aad };
  return new Uint8Array(await crypto.subtle.decrypt(params, key, concat([ciphertext, tag])));
}
