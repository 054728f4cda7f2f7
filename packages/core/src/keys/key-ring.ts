import { E2eeError } from '../errors.js';
import { seconds } from './clock.js';
import { describeStored, HeldKeys, type KeyDescription, type PublishedJwk } from './held-keys.js';
import type { DecryptionKey } from './key.js';
import {
  decrypts,
  isCurrent,
  isRotationDue,
  isTidyingDue,
  revokedMark,
  stateOf,
  tidied,
  withRevoked,
} from './key-life.js';
import { checkMaxAge, checkOptions, type KeyRingOptions, type KeyRingSettings } from './key-ring-options.js';
import type { StoredKey } from './key-store.js';
import { KeySuccession, storeLostKey } from './key-succession.js';
import { StoredKeys } from './stored-keys.js';
import { tell } from './tell.js';

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
  readonly #stored: StoredKeys;
  readonly #succession: KeySuccession;
  readonly #rotateOnce = shared(() => this.#succession.rotate());
  readonly #rotateDueOnce = shared(() => this.#rotateDue());
  readonly #lookOnce = shared(() => this.#look());
  #maxAge: number;
  #storeFails = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(settings: KeyRingSettings) {
    this.#settings = settings;
    this.#held = new HeldKeys(settings.given);
    this.#stored = new StoredKeys(settings.store, this.#held);
    this.#maxAge = settings.maxAge;
    this.#succession = new KeySuccession({
      settings,
      held: this.#held,
      stored: this.#stored,
      maxAge: () => this.#maxAge,
      storeFailed: (error) => this.#storeFailed(error),
    });
  }

  async open(): Promise<void> {
    const { given, interval } = this.#settings;
    await this.#succession.succeed((keys) => {
      const isServed = keys.some((key) => decrypts(key, seconds()) && key.expiresAt > seconds());
      const hasGiven = given.some(({ kid }) => !keys.some((key) => key.kid === kid));
      return isServed || (hasGiven && !keys.some((key) => key.pkcs8)) || !this.#settings.makesKeys;
    }, 0);
    this.#timer = setInterval(() => void this.#lookOnce(), interval);
    if (typeof this.#timer === 'object') this.#timer.unref?.(); // a number in browsers
  }

  close(): void {
    clearInterval(this.#timer);
  }

  publishedFor(maxAge: number): void {
    this.#maxAge = Math.max(this.#maxAge, checkMaxAge('maxAge', maxAge));
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
    const kid = await this.#rotateOnce();
    const { pollInterval = Number.POSITIVE_INFINITY } = this.#settings.store;
    for (;;) {
      const key = this.#held.stored.find((each) => each.kid === kid) ?? storeLostKey();
      if (stateOf(key, seconds()) !== 'next') return describeStored(key, seconds());
      // Whoever has made it may bring it forward. Timers drop fractions of a millisecond, and may come one early.
      const wait = Math.ceil((key.publishAt - seconds()) * 1000) + 1;
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, pollInterval)));
    }
  }

  async rotateIfDue(): Promise<void> {
    if (this.#isDue(this.#held.stored)) await this.#rotateDueOnce();
  }

  async revoke(kid: string): Promise<void> {
    const without = (keys: readonly StoredKey[]): readonly StoredKey[] => {
      const given = this.#settings.given.find((key) => key.kid === kid);
      const isStored = keys.some((key) => key.kid === kid);
      if (isStored) return withRevoked(keys, kid, seconds());
      return given ? [...keys, revokedMark(given, seconds())] : unknownKey(kid);
    };
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      // A successor may be on its way: until it is published, not every process has it.
      if (!this.#isServed(this.#held.stored, kid)) await this.rotate();
      let isOurs = false;
      const stored = await this.#stored.change(async (keys) => {
        const changed = without(keys);
        isOurs = changed !== keys && this.#isServed(keys, kid);
        return isOurs ? changed : keys;
      });
      if (stored.some((key) => key.kid === kid && key.revokedAt !== undefined)) {
        if (isOurs) tell(this.#settings.onEvent, { type: 'revoked', kid });
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

  /** Whether something else is published when the store holds these and the key of this id is revoked. */
  #isServed(keys: readonly StoredKey[], kid: string): boolean {
    const now = seconds();
    const { makesKeys } = this.#settings;
    const others = withRevoked(keys, kid, now).filter((key) => key.kid !== kid);
    if (!makesKeys || (others.some((key) => stateOf(key, now) === 'active') && others.some(isCurrent)))
      return true;
    return this.#held.publishesGiven(now) && this.#held.given.some((key) => key.kid !== kid);
  }

  #isDue(keys: readonly StoredKey[]): boolean {
    return isRotationDue(keys, seconds(), this.#settings);
  }

  async #rotateDue(): Promise<void> {
    try {
      await this.#succession.succeed((keys) => !this.#isDue(keys)); // another process may have been faster
    } catch (error) {
      this.#storeFailed(error);
      throw error;
    }
  }

  /** Takes over what other processes did, and does what is due. A store that fails is asked again the next time. */
  async #look(): Promise<void> {
    try {
      await this.#stored.read();
      if (isTidyingDue(this.#held.stored, seconds()))
        await this.#stored.change(async (keys) => tidied(keys, seconds()));
      await this.#succession.bringForgotten();
      await this.rotateIfDue();
      this.#storeFails = false;
    } catch (error) {
      this.#storeFailed(error);
    }
  }

  #storeFailed(error: unknown): void {
    if (!this.#storeFails) tell(this.#settings.onEvent, { type: 'store_failed', error });
    this.#storeFails = true;
  }
}

function unknownKey(kid: string): never {
  throw new E2eeError('key_invalid', `The key ring has no key of the id ${JSON.stringify(kid)}`);
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
