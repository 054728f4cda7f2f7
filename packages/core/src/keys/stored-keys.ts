import { E2eeError } from '../errors.js';
import { withDeadline } from './deadline.js';
import type { HeldKeys } from './held-keys.js';
import { type KeyStore, queue, type StoredKey } from './key-store.js';

/** How long a store may take for an answer, in seconds. A key that is written is published no sooner than after that. */
export const STORE_DEADLINE = 30;

/**
 * A store, and what this process has taken over from it. One answer after the other, so that an older one never takes the
 * place of a newer one.
 */
export class StoredKeys {
  readonly #store: KeyStore;
  readonly #held: HeldKeys;
  readonly #inTurn = queue();

  constructor(store: KeyStore, held: HeldKeys) {
    this.#store = store;
    this.#held = held;
  }

  read(): Promise<readonly StoredKey[]> {
    return this.#take(() => this.#store.read());
  }

  change(
    change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>,
  ): Promise<readonly StoredKey[]> {
    return this.#take(() => this.#store.update(change));
  }

  #take(ask: () => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]> {
    return this.#inTurn(async () => {
      const stored = await withDeadline(ask(), STORE_DEADLINE * 1000, late);
      // Keys are never all removed: an empty directory, or table, is one that is not there.
      if (stored.length === 0 && this.#held.stored.length > 0)
        throw new E2eeError('key_invalid', 'The key store has lost its keys');
      await this.#held.take(stored);
      return stored;
    });
  }
}

function late(): E2eeError {
  return new E2eeError('keys_unavailable', `The key store did not answer within ${STORE_DEADLINE} s`);
}
