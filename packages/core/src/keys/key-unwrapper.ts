import type { JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { decodeBase64url } from '../jwe/base64url.js';
import { refuseToken } from '../jwe/refusal.js';
import { withDeadline } from './deadline.js';
import { unavailable } from './encryption-keys.js';
import { isTimeout } from './fetch-jwks.js';
import { importKey } from './import-key.js';
import { asEncryptionKey, type DecryptionKey } from './key.js';

/**
 * A key service (KMS, HSM) that holds a private key which never leaves it. One method, which fits AWS KMS `Decrypt` with
 * `RSAES_OAEP_SHA_256`, Azure Key Vault `unwrapKey` with `RSA-OAEP-256`, Google Cloud KMS `asymmetricDecrypt` and Vault
 * Transit `decrypt`.
 */
export interface KeyUnwrapper {
  /**
   * Resolves to the unwrapped CEK; to `undefined` when the service says that the ciphertext is bad. Rejects when it
   * cannot tell: throttled, timed out, out of reach. Should stop when `signal` aborts.
   */
  unwrap(
    encryptedKey: Uint8Array,
    key: { readonly kid: string; readonly alg: KeyAlgorithm; readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined>;
}

export interface ServiceKeyOptions {
  /** The public half of the key, as {@link importKey} takes it. */
  readonly publicKey: string | Uint8Array | JWK;
  readonly unwrapper: KeyUnwrapper;
  /** The key's id. Default: as of {@link importKey}. */
  readonly kid?: string;
  /** Deadline for one unwrapping, in milliseconds. Default 5,000. */
  readonly timeout?: number;
}

/**
 * A private key that is held by a key service, for `createKeyRing({ keys: … })`.
 *
 * A token that the service refuses is refused as every bad token is; a service that cannot be asked makes decryption
 * reject with `keys_unavailable`, which becomes a 503 with `Retry-After`. Rejects with `key_invalid` or `option_invalid`.
 *
 * @example
 * const keyRing = await createKeyRing({ keys: await serviceKey({ publicKey: pem, unwrapper }) })
 */
export async function serviceKey(options: ServiceKeyOptions): Promise<DecryptionKey> {
  const { publicKey, unwrapper, timeout = 5_000 } = options;
  if (typeof unwrapper?.unwrap !== 'function')
    invalidOption('unwrapper', 'an object with `unwrap`', unwrapper);
  if (!isTimeout(timeout)) invalidOption('timeout', 'a whole number of milliseconds', timeout);
  const imported = await importKey(publicKey, options.kid === undefined ? {} : { kid: options.kid });
  const { kid, alg, publicJwk } = asEncryptionKey(imported);
  if (alg !== 'RSA-OAEP-256') {
    throw new E2eeError(
      'key_invalid',
      'A key service unwraps with RSA-OAEP-256 only: the key must be an RSA key',
    );
  }
  const length = modulusBytes(publicJwk);
  const unwrap = async (encryptedKey: Uint8Array): Promise<Uint8Array> => {
    // Services call this anything but a bad ciphertext, and charge for it.
    if (encryptedKey.length !== length) refuseToken();
    const cek = await askService(encryptedKey, { kid, alg, timeout }, unwrapper);
    if (cek !== undefined && cek !== null && !ArrayBuffer.isView(cek))
      unavailable('The key service answered something else than bytes');
    return cek ?? refuseToken();
  };
  return Object.freeze({ kind: 'decryption', kid, alg, publicJwk, unwrap });
}

/** How long everything is that is encrypted to an RSA key (RFC 8017 §7.1.1). */
function modulusBytes({ n = '' }: JWK): number {
  const bytes = decodeBase64url(n);
  return bytes.length - bytes.findIndex((byte) => byte !== 0);
}

async function askService(
  encryptedKey: Uint8Array,
  { kid, alg, timeout }: { kid: string; alg: KeyAlgorithm; timeout: number },
  unwrapper: KeyUnwrapper,
): Promise<Uint8Array | undefined> {
  const ending = new AbortController();
  const late = (): unknown => {
    ending.abort(new DOMException('The key service did not answer in time', 'TimeoutError'));
    return ending.signal.reason;
  };
  // What throws at once is caught below as well.
  const ask = async (): Promise<Uint8Array | undefined> =>
    unwrapper.unwrap(encryptedKey, { kid, alg, signal: ending.signal });
  try {
    return await withDeadline(ask(), timeout, late);
  } catch (cause) {
    return unavailable('The key service cannot be asked', cause);
  }
}
