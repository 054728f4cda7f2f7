import { E2eeError, invalidOption } from '../errors.js';
import { seconds } from './clock.js';
import type { HeldKeys } from './held-keys.js';
import { graceFor, isCurrent, stateOf, withPublication, withSuccessor } from './key-life.js';
import type { KeyRingSettings } from './key-ring-options.js';
import type { StoredKey } from './key-store.js';
import { type MadeKey, makeKey, planned } from './make-key.js';
import { STORE_DEADLINE, type StoredKeys } from './stored-keys.js';
import { tell } from './tell.js';

/** What a ring makes successors of its keys with. */
export interface SuccessionContext {
  readonly settings: KeyRingSettings;
  readonly held: HeldKeys;
  readonly stored: StoredKeys;
  /** How long clients may keep what is published, in seconds. */
  maxAge(): number;
  /** Hears of a store that fails where the work can go on. */
  storeFailed(error: unknown): void;
}

/** Makes keys that take the place of others, so that all processes with one store make one, and hold it before it is published. */
export class KeySuccession {
  readonly #context: SuccessionContext;
  /** A key that was made and found no place: for the next time. */
  #spare: MadeKey | undefined;

  constructor(context: SuccessionContext) {
    this.#context = context;
  }

  /** Resolves to the id of the one key that is made for all who ask at the same time, in other processes too. */
  async rotate(): Promise<string> {
    const { lead, makesKeys } = this.#context.settings;
    if (!makesKeys) invalidOption('store', 'given to a ring that is to make keys beside `keys`', undefined);
    let successor: string | undefined;
    const kid = await this.succeed((keys, before) => {
      // One that somebody made since, or that is on its way to publication. No clock tells that.
      const isNew = ({ kid, publishAt }: StoredKey): boolean =>
        !before.some((key) => key.kid === kid) ||
        (publishAt > seconds() && publishAt <= seconds() + lead + allowance(lead));
      successor = keys.find((key) => isCurrent(key) && isNew(key))?.kid;
      return successor !== undefined;
    });
    if (kid === undefined && successor !== undefined) await this.#bringForward(successor, lead);
    return kid ?? successor ?? storeLostKey();
  }

  /**
   * Makes the next key, unless the store has what is wanted by then, and resolves to its id. It is published `lead`
   * seconds after it was written, however long that took: first it is written with a later time, and brought forward
   * once it is in the store; by whoever sees it there, if this process does not live to do so.
   */
  async succeed(
    isThere: (keys: readonly StoredKey[], before: readonly StoredKey[]) => boolean,
    lead: number = this.#context.settings.lead,
  ): Promise<string | undefined> {
    const before = await this.#context.stored.read();
    // Ahead of its turn: it takes a while, in which another process may publish a key that this one must see in time.
    let made = isThere(before, before) ? undefined : await this.#takeSpare();
    let kid: string | undefined;
    try {
      const stored = await this.#context.stored.change(async (keys) => {
        kid = undefined; // a store may call again
        if (isThere(keys, before)) return keys;
        if (!made || isAmong(made, keys)) made = await makeKey(this.#context.settings);
        const successor = this.#planned(made, keys, lead + allowance(lead));
        kid = successor.kid;
        return withSuccessor(keys, successor, {
          grace: this.#context.settings.grace ?? graceFor(this.#context.maxAge()),
        });
      });
      if (kid !== undefined && !stored.some((key) => key.kid === kid)) storeLostKey();
    } catch (error) {
      kid = undefined;
      throw error;
    } finally {
      if (kid === undefined) this.#spare = made;
    }
    if (kid === undefined) return undefined;
    tell(this.#context.settings.onEvent, { type: 'made', kid });
    await this.#bringForward(kid, lead);
    return kid;
  }

  /** A key that is in the store, and whose maker has not lived to bring it forward. */
  async bringForgotten(): Promise<void> {
    const { lead } = this.#context.settings;
    const isForgotten = (key: StoredKey): boolean =>
      stateOf(key, seconds()) === 'next' &&
      key.createdAt + lead < seconds() &&
      key.publishAt > seconds() + lead;
    const forgotten = this.#context.held.stored.find(isForgotten);
    if (forgotten) await this.#bringForward(forgotten.kid, lead);
  }

  #planned(made: MadeKey, keys: readonly StoredKey[], lead: number): StoredKey {
    const { kid: form, lifetime, given } = this.#context.settings;
    const taken = [...keys, ...given].map(({ kid }) => kid);
    return planned(made, { form, taken, createdAt: seconds(), lead, lifetime });
  }

  async #bringForward(kid: string, lead: number): Promise<void> {
    if (lead === 0) return;
    try {
      await this.#context.stored.change(async (keys) => withPublication(keys, kid, seconds() + lead));
    } catch (error) {
      this.#context.storeFailed(error);
    }
  }

  async #takeSpare(): Promise<MadeKey> {
    const spare = this.#spare ?? (await makeKey(this.#context.settings));
    this.#spare = undefined;
    return spare;
  }
}

/** Whether a store has a key already, from an attempt that it said had failed. */
function isAmong({ thumbprint, pkcs8 }: MadeKey, keys: readonly StoredKey[]): boolean {
  return keys.some((key) => key.kid === thumbprint || key.pkcs8 === pkcs8);
}

/** How much later than needed a key is first said to be published, in seconds: by then every answer of a store is in. */
function allowance(lead: number): number {
  return lead === 0 ? 0 : STORE_DEADLINE;
}

export function storeLostKey(): never {
  throw new E2eeError('key_invalid', 'The key store did not keep the new key');
}
