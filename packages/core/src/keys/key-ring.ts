import { E2eeError, invalidOption } from '../errors.js';
import { describeStored, HeldKeys, type KeyDescription, type PublishedJwk } from './held-keys.js';
import type { DecryptionKey } from './key.js';
import {
  decrypts,
  graceFor,
  isCurrent,
  isRotationDue,
  isTidyingDue,
  onItsWay,
  stateOf,
  tidied,
  withRevoked,
  withSuccessor,
} from './key-life.js';
import { reportKeyEvent } from './key-ring-events.js';
import {
  checkOptions,
  IDLE_INTERVAL,
  type KeyRingOptions,
  type KeyRingSettings,
} from './key-ring-options.js';
import { queue, type StoredKey } from './key-store.js';
import { type MadeKey, makeKey, planned } from './make-key.js';

/** Our own private keys. Its public view is the JWKS. */
export interface KeyRing {
  /** The key of this id, if it decrypts. */
  find(kid: string): DecryptionKey | undefined;
  /** Every key that decrypts, the newest first. */
  decryptionKeys(): readonly DecryptionKey[];
  /** What to publish: the active key's public members, with `iat` and `exp` where known (RFC 7517 §5). */
  jwks(): { keys: PublishedJwk[] };
  /**
   * Makes a new key, and resolves when it is published: in a store that is shared, as soon as every process has had
   * time to load it. The key before still decrypts for the grace time. Concurrent calls, of other processes too, make
   * one key. Rejects with `option_invalid` where all keys were given to the ring and it has no `store`.
   */
  rotate(): Promise<KeyDescription>;
  /** Makes a successor when the active key nears its expiry. Called before each publication, and now and then. */
  rotateIfDue(): Promise<void>;
  /**
   * Takes a key out of use at once. When it is the active one, another takes its place first, as by `rotate()`; a ring
   * that makes no keys publishes the next one that it was given, or none. Rejects with `key_invalid` for an id that the
   * ring does not know.
   */
  revoke(kid: string): Promise<void>;
  /** The keys without any key material, for logs. */
  describe(): KeyDescription[];
  /**
   * Tells how long clients may keep what is published, in seconds: the `grace` of replaced keys is computed from the
   * longest. A server end does so by itself. A ring of your own may leave it out.
   */
  publishedFor?(maxAge: number): void;
  /** Stops looking for changes of the store. The keys stay usable. */
  close(): void;
}

/** A revocation that rotations of other processes come between is tried this often. */
const MAX_PASSES = 5;
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Opens a key ring. An empty store gets its first key at once, made off the event loop. Keys are replaced in time, and
 * what other processes do to the store is noticed; the timer for that does not keep the process alive.
 *
 * Throws `option_invalid`, `key_invalid` for a public key among `keys`, and whatever the store throws.
 *
 * @example
 * const keyRing = await createKeyRing({ store: fileKeyStore('./keys'), profile: banked })
 */
export async function createKeyRing(options: KeyRingOptions = {}): Promise<KeyRing> {
  const ring = new StoredKeyRing(checkOptions(options));
  await ring.open();
  return ring;
}

class StoredKeyRing implements KeyRing {
  readonly #settings: KeyRingSettings;
  readonly #held: HeldKeys;
  readonly #inTurn = queue();
  readonly #rotateOnce = shared(() => this.#rotate());
  readonly #rotateDueOnce = shared(() => this.#rotateDue());
  readonly #lookOnce = shared(() => this.#look());
  #maxAge: number;
  #storeFails = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(settings: KeyRingSettings) {
    this.#settings = settings;
    this.#held = new HeldKeys(settings.given);
    this.#maxAge = settings.maxAge;
  }

  async open(): Promise<void> {
    const { store, given } = this.#settings;
    const first = once(() => makeKey(this.#settings));
    await this.#change(async (keys) => {
      const isServed = keys.some((key) => decrypts(key, seconds()) && key.expiresAt > seconds());
      if (isServed || (keys.length === 0 && given.length > 0)) return keys;
      return this.#succeeded(keys, this.#planned(await first(), keys, 0));
    });
    this.#timer = setInterval(() => void this.#lookOnce(), store.pollInterval ?? IDLE_INTERVAL);
    if (typeof this.#timer === 'object') this.#timer.unref?.(); // a number in browsers
  }

  close(): void {
    clearInterval(this.#timer);
  }

  publishedFor(maxAge: number): void {
    this.#maxAge = Math.max(this.#maxAge, maxAge);
  }

  find(kid: string): DecryptionKey | undefined {
    return this.decryptionKeys().find((key) => key.kid === kid);
  }

  decryptionKeys(): readonly DecryptionKey[] {
    return this.#held.decrypting(seconds());
  }

  jwks(): { keys: PublishedJwk[] } {
    return { keys: this.#held.published(seconds()) };
  }

  async rotate(): Promise<KeyDescription> {
    const made = await this.#rotateOnce();
    // Timers drop fractions of a millisecond, and may come one early.
    const wait = Math.ceil((made.publishAt - seconds()) * 1000) + 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    return describeStored(made, seconds());
  }

  async rotateIfDue(): Promise<void> {
    if (this.#isDue(this.#held.stored)) await this.#rotateDueOnce();
  }

  async revoke(kid: string): Promise<void> {
    const without = (keys: readonly StoredKey[]): readonly StoredKey[] => withRevoked(keys, kid, seconds());
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      // A successor may be on its way: until it is published, not every process has it.
      if (!this.#isServed(without(this.#held.stored), kid)) await this.rotate();
      const stored = await this.#change(async (keys) => {
        this.#refuseUnknown(kid, keys);
        return this.#isServed(without(keys), kid) ? without(keys) : keys;
      });
      if (!stored.some((key) => key.kid === kid && key.revokedAt === undefined)) {
        this.#held.dropGiven(kid);
        this.#report('revoked', kid);
        return;
      }
    }
    throw new E2eeError('key_invalid', 'The key store did not keep that the key is revoked');
  }

  describe(): KeyDescription[] {
    return this.#held.describe(seconds());
  }

  toJSON(): KeyDescription[] {
    return this.describe();
  }

  [INSPECT](): KeyDescription[] {
    return this.describe();
  }

  /** Whether something is published when the store holds these, and the given key of this id is gone. */
  #isServed(keys: readonly StoredKey[], kid: string): boolean {
    const { makesKeys } = this.#settings;
    if (!makesKeys || this.#held.given.some((key) => key.kid !== kid)) return true;
    return keys.some((key) => stateOf(key, seconds()) === 'active') && keys.some(isCurrent);
  }

  #refuseUnknown(kid: string, stored: readonly StoredKey[]): void {
    if ([...stored, ...this.#settings.given].some((key) => key.kid === kid)) return;
    throw new E2eeError('key_invalid', `The key ring has no key of the id ${JSON.stringify(kid)}`);
  }

  #isDue(keys: readonly StoredKey[]): boolean {
    return isRotationDue(keys, seconds(), this.#settings);
  }

  async #rotateDue(): Promise<void> {
    const made = await makeKey(this.#settings);
    let kid: string | undefined;
    await this.#change(async (keys) => {
      if (!this.#isDue(keys)) return keys; // another process was faster
      const successor = this.#planned(made, keys, this.#settings.lead);
      kid = successor.kid;
      return this.#succeeded(keys, successor);
    });
    if (kid !== undefined) this.#report('made', kid);
  }

  /** One key for all who ask at the same time, in other processes too. */
  async #rotate(): Promise<StoredKey> {
    const { store, lead, makesKeys } = this.#settings;
    if (!makesKeys) invalidOption('store', 'given to a ring that is to make keys beside `keys`', undefined);
    const before = await store.read();
    const known = new Set(before.map(({ kid }) => kid));
    // A key that somebody made since, or that is on its way to publication. No clock tells that.
    const successorAmong = (keys: readonly StoredKey[]): StoredKey | undefined =>
      keys.find((key) => isCurrent(key) && (!known.has(key.kid) || onItsWay(key, seconds(), lead)));
    const make = once(() => makeKey(this.#settings));
    // Ahead of its turn: meanwhile another process may publish its own, and this one must see that in time.
    if (!successorAmong(before)) await make();
    let kid: string | undefined; // settled within the change: afterwards, what was on its way may be there
    let isOurs = false;
    const stored = await this.#change(async (keys) => {
      const found = successorAmong(keys);
      const successor = found ?? this.#planned(await make(), keys, lead);
      kid = successor.kid;
      if (found) return keys;
      isOurs = true;
      return this.#succeeded(keys, successor);
    });
    const rotated = stored.find((key) => key.kid === kid) ?? storeLostKey();
    if (isOurs) this.#report('made', rotated.kid);
    return rotated;
  }

  #planned(made: MadeKey, keys: readonly StoredKey[], lead: number): StoredKey {
    const { kid: form, lifetime, given } = this.#settings;
    const taken = [...keys, ...given].map(({ kid }) => kid);
    return planned(made, { form, taken, createdAt: seconds(), lead, lifetime });
  }

  #succeeded(keys: readonly StoredKey[], successor: StoredKey): readonly StoredKey[] {
    return withSuccessor(keys, successor, { grace: this.#settings.grace ?? graceFor(this.#maxAge) });
  }

  #change(
    change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>,
  ): Promise<readonly StoredKey[]> {
    return this.#takeFrom(() => this.#settings.store.update(change));
  }

  /** One answer of the store after the other, so that an older one never takes the place of a newer one. */
  #takeFrom(ask: () => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]> {
    return this.#inTurn(async () => {
      const stored = await ask();
      await this.#held.take(stored, seconds());
      return stored;
    });
  }

  /** Takes over what other processes did, and does what is due. A store that fails is asked again the next time. */
  async #look(): Promise<void> {
    try {
      await this.#takeFrom(() => this.#settings.store.read());
      if (isTidyingDue(this.#held.stored, seconds()))
        await this.#change(async (keys) => tidied(keys, seconds()));
      await this.rotateIfDue();
      this.#storeFails = false;
    } catch (error) {
      if (!this.#storeFails) reportKeyEvent(this.#settings.onEvent, { type: 'store_failed', error });
      this.#storeFails = true;
    }
  }

  #report(type: 'made' | 'revoked', kid: string): void {
    reportKeyEvent(this.#settings.onEvent, { type, kid });
  }
}

function storeLostKey(): never {
  throw new E2eeError('key_invalid', 'The key store did not keep the new key');
}

/** Makes a thing at the first call, and gives the same thing at every other. */
function once<Thing>(make: () => Promise<Thing>): () => Promise<Thing> {
  let made: Promise<Thing> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Joins calls that come while the work is under way. */
function shared<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let pending: Promise<Result> | undefined;
  return () => {
    pending ??= work().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

function seconds(): number {
  return Date.now() / 1000;
}
