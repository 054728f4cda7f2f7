import type { CryptoKey } from 'jose';
import { unwrapByAgreement } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';

/** Key management algorithms (JWE `alg`, RFC 7518 §4.1) that this library can carry out. */
export type KeyAlgorithm = 'RSA-OAEP-256' | 'ECDH-ES+A256KW';
/** Content encryption algorithms (JWE `enc`, RFC 7518 §5.1) that this library can carry out. */
export type ContentAlgorithm = 'A256GCM';

/** Everything about one key management algorithm. */
export interface KeyAlgorithmRow {
  /** Unwraps a CEK with a private key. Rejects when the ciphertext is bad. */
  readonly unwrap: (
    key: CryptoKey,
    encryptedKey: Uint8Array<ArrayBuffer>,
    header: ProtectedHeader,
  ) => Promise<Uint8Array<ArrayBuffer>>;
}

/** Everything about one content encryption algorithm. */
export interface ContentAlgorithmRow {
  readonly cekBytes: number;
  readonly ivBytes: number;
  readonly tagBytes: number;
  /** Opens and authenticates a ciphertext. Rejects when anything was altered. */
  readonly open: (cek: Uint8Array<ArrayBuffer>, content: SealedContent) => Promise<Uint8Array<ArrayBuffer>>;
}

export interface SealedContent {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: Uint8Array<ArrayBuffer>;
  readonly tag: Uint8Array<ArrayBuffer>;
  readonly aad: Uint8Array<ArrayBuffer>;
}

const nullPrototype = <Table extends object>(rows: Table): Table => Object.assign(Object.create(null), rows);

/** One row per supported `alg`. What is not here is refused, whatever a profile lists. */
export const KEY_ALGORITHMS: Readonly<Record<KeyAlgorithm, KeyAlgorithmRow>> = nullPrototype({
  'RSA-OAEP-256': {
    unwrap: async (key, encryptedKey) =>
      new Uint8Array(await crypto.subtle.decrypt({ name: 'RSA-OAEP' }, key, encryptedKey)),
  },
  'ECDH-ES+A256KW': {
    unwrap: (key, encryptedKey, header) => unwrapByAgreement('ECDH-ES+A256KW', key, encryptedKey, header),
  },
} satisfies Record<KeyAlgorithm, KeyAlgorithmRow>);

/** One row per supported `enc`. */
export const CONTENT_ALGORITHMS: Readonly<Record<ContentAlgorithm, ContentAlgorithmRow>> = nullPrototype({
  A256GCM: { cekBytes: 32, ivBytes: 12, tagBytes: 16, open: openGcm },
} satisfies Record<ContentAlgorithm, ContentAlgorithmRow>);

/** Finds a name from an untrusted header that is both in an allow-list and in our table; else throws `token_invalid`. */
export function allowed<Name extends string>(
  name: unknown,
  list: readonly Name[],
  table: Readonly<Record<Name, unknown>>,
): Name {
  return list.find((item) => item === name && item in table) ?? refuseToken();
}

async function openGcm(
  cek: Uint8Array<ArrayBuffer>,
  content: SealedContent,
): Promise<Uint8Array<ArrayBuffer>> {
  const { iv, ciphertext, tag, aad } = content;
  const key = await crypto.subtle.importKey('raw', cek, 'AES-GCM', false, ['decrypt']);
  const sealed = new Uint8Array(ciphertext.length + tag.length);
  sealed.set(ciphertext);
  sealed.set(tag, ciphertext.length);
  const params = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 };
  return new Uint8Array(await crypto.subtle.decrypt(params, key, sealed));
}
