import type { CryptoKey, JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm, Wrap } from '../jwe/algorithms.js';
import type { ProtectedHeader } from '../jwe/protected-header.js';

/** Another party's public key, to encrypt to. Made by {@link importKey}. */
export interface EncryptionKey {
  readonly kind: 'encryption';
  /** Identifies the key in the header of each token. */
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** Of a secret that both ends share: the secret. For `dir` its bytes can be exported. */
  readonly publicKey: CryptoKey;
  /** How it makes CEKs, where that is not by the public key: of a shared secret. */
  readonly wrap?: Wrap;
  /** The same, to be stored or published. */
  readonly publicJwk: JWK;
  /** When it was issued, in seconds since the epoch. */
  readonly issuedAt?: number;
  /** From when on it must not be used, in seconds since the epoch. */
  readonly expiresAt?: number;
}

/**
 * One of our own private keys, to decrypt with. The private part is reached only through `unwrap`, so that it can
 * just as well live in a key service.
 */
export interface DecryptionKey {
  readonly kind: 'decryption';
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** The public half, to be published. Holds no private member. */
  readonly publicJwk: JWK;
  /** Unwraps the CEK of a token. Rejects when the ciphertext is bad; with `keys_unavailable` when it cannot tell now. */
  unwrap(encryptedKey: Uint8Array<ArrayBuffer>, header: ProtectedHeader): Promise<Uint8Array>;
}

/** What {@link importKey} makes: which of the two depends on what it is given. Tell them apart by `kind`. */
export type ImportedKey = EncryptionKey | DecryptionKey;

/** Throws `key_invalid` when the key is a private one, which is never the right key to encrypt to. */
export function asEncryptionKey(key: ImportedKey): EncryptionKey {
  if (key?.kind === 'encryption') return key;
  throw new E2eeError(
    'key_invalid',
    'Encryption needs the public key of the other party; make it with importKey()',
  );
}

/** Throws `key_invalid` when the key is a public one. */
export function asDecryptionKey(key: ImportedKey): DecryptionKey {
  if (key?.kind === 'decryption') return key;
  throw new E2eeError('key_invalid', 'Decryption needs a private key; make it with importKey()');
}
