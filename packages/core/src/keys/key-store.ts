import { invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';

/** One private key as a store keeps it. Plain JSON. Times are seconds since the epoch. */
export interface StoredKey {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** The private key: PKCS#8 in PEM. */
  readonly pkcs8: string;
  readonly createdAt: number;
  /** When it expires for those who encrypt to it, as published. */
  readonly expiresAt: number;
  /** When another key took its place and it left the publication. */
  readonly replacedAt?: number;
  /** Until when it still decrypts, once it has been replaced. */
  readonly decryptsUntil?: number;
}

/** Where a key ring keeps its keys. Several processes may share one store. */
export interface KeyStore {
  /** All keys, in any order. */
  read(): Promise<readonly StoredKey[]>;
  /**
   * Reads, changes and writes as one step that no other process can come between. All is written, or nothing. Resolves
   * to what is stored afterwards. `change` may be called again on what it has changed already, when another process
   * wrote at the same time; it returns its argument to leave everything as it is.
   */
  update(
    change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>,
  ): Promise<readonly StoredKey[]>;
}

/** Keeps keys in this process only: they are lost when it ends. The default of `createKeyRing()`. */
export function memoryKeyStore(): KeyStore {
  let keys: readonly StoredKey[] = [];
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: async () => keys,
    update: (change) => {
      const done = last.then(async () => {
        keys = await change(keys);
        return keys;
      });
      last = done.catch(() => {});
      return done;
    },
  };
}

export function checkStore(store: KeyStore): KeyStore {
  if (typeof store?.read === 'function' && typeof store.update === 'function') return store;
  return invalidOption('store', 'a key store, such as fileKeyStore(directory)', store);
}
