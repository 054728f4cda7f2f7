import type { CryptoKey } from 'jose';
import { type ContentAlgorithm, cekUse, type KeyAlgorithm, type Unwrap } from '../jwe/algorithms.js';
import type { DecryptionKey } from './key.js';

/** How a key that is at hand unwraps. The `enc` of the header was checked. */
export function unwrapperOf(key: CryptoKey, alg: KeyAlgorithm, unwrap: Unwrap): DecryptionKey['unwrap'] {
  return (encryptedKey, header) =>
    unwrap(key, encryptedKey, header, cekUse(alg, header.enc as ContentAlgorithm));
}
