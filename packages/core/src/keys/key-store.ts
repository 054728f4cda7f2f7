import { invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';

/** One private key as a store keeps it. Plain JSON. Times are seconds since the epoch, with fractions. */
export interface StoredKey {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** The private key: PKCS#8 in PEM. Absent once the key is retired or revoked. */
  readonly pkcs8?: string;
  readonly createdAt: number;
  /** From when on it is published. By then every process that shares the store can decrypt with it. */
  readonly publishAt: number;
  /** When it expires for those who encrypt to it, as published. */
  readonly expiresAt: number;
  /** When another key takes its place in the publication. */
  readonly replacedAt?: number;
  /** Until when it decrypts, once it is replaced. */
  readonly decryptsUntil?: number;
  /** When it was taken out of use. */
  readonly revokedAt?: number;
}

/** Where a key ring keeps its keys. Several processes may share one store. */
export interface KeyStore {
  /** All keys, in any order. The same array as before when nothing has changed, where that is easy to tell. */
  read(): Promise<readonly StoredKey[]>;
  /**
   * Reads, changes and writes as one step that no other writer can come between; `change` may be called again when one
   * was faster. All is written, or nothing; nothing when `change` resolves to what it was given. Resolves to what is
   * stored afterwards. What `change` rejects with goes through.
   */
  update(
    change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>,
  ): Promise<readonly StoredKey[]>;
  /**
   * How often a ring looks for changes that other processes have made, in milliseconds. Absent for a store that no
   * other process shares.
   */
  readonly pollInterval?: number;
}

/** Keeps keys in this process only: they are lost when it ends. The default of `createKeyRing()`. */
export function memoryKeyStore(): KeyStore {
  let keys: readonly StoredKey[] = [];
  const inTurn = queue();
  return {
    read: async () => keys,
    update: (change) =>
      inTurn(async () => {
        keys = await change(keys);
        return keys;
      }),
  };
}

/** Makes a function that runs one task after the other. A task that fails does not hold up the next. */
export function queue(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  };
}

/** The longest time between two looks, in milliseconds. */
const MAX_POLL_INTERVAL = 3_600_000;

export function checkStore(store: KeyStore): KeyStore {
  if (typeof store?.read !== 'function' || typeof store.update !== 'function')
    invalidOption('store', 'a key store, such as fileKeyStore(directory)', store);
  if (store.pollInterval !== undefined) checkPollInterval('store.pollInterval', store.pollInterval);
  return store;
}

/** A timer takes anything else for 1 ms. */
export function checkPollInterval(option: string, value: number): number {
  return Number.isFinite(value) && value >= 1 && value <= MAX_POLL_INTERVAL
    ? value
    : invalidOption(option, 'milliseconds, from 1 to an hour', value);
}
