import { type EncryptionKeys, newestValidKey, unavailable } from '../keys/encryption-keys.js';
import { readJwkSet } from '../keys/jwk-set.js';
import type { EncryptionKey } from '../keys/key.js';
import type { KeyRing } from '../keys/key-ring.js';

/** Secrets that are shared are not published. */
const PUBLISHABLE = ['RSA-OAEP-256', 'RSA-OAEP', 'ECDH-ES', 'ECDH-ES+A256KW'] as const;

/**
 * The public keys of a ring that is in the same process, as it would publish them now: what the other party of a test
 * encrypts to. Follows every rotation at once.
 *
 * `current()` rejects with `keys_unavailable` or `key_invalid` when the ring publishes no usable key.
 *
 * @example
 * // The client end for the tests of a server that has `keyRing`
 * const client = createE2eeClient({ profile: banked, encryptionKeys: publicKeysOf(keyRing) })
 */
export function publicKeysOf(keyRing: KeyRing): EncryptionKeys {
  return {
    current: async () => {
      const { keys } = keyRing.jwks();
      const published = await readJwkSet({ keys }, PUBLISHABLE);
      return newestValidKey(published) ?? unavailable('Every key of the ring has expired');
    },
    refresh: async () => {},
  };
}

/** Keeps what `load` brings until all of it has expired, or a refresh brings other keys. */
export function keptKeys(load: () => Promise<readonly EncryptionKey[]>): EncryptionKeys {
  let kept: readonly EncryptionKey[] = [];
  return {
    current: async () => {
      if (!newestValidKey(kept)) kept = await load();
      return newestValidKey(kept) ?? unavailable('Every published key has expired');
    },
    refresh: async () => {
      kept = await load().catch(() => kept);
    },
  };
}
