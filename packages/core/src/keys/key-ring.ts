import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { importKey } from './import-key.js';
import { RSA_BITS } from './jwk.js';
import { asDecryptionKey, type DecryptionKey, type ImportedKey } from './key.js';
import { checkStore, type KeyStore, memoryKeyStore, type StoredKey } from './key-store.js';

export interface KeyRingOptions {
  /** Where made keys are kept. Default: in memory, lost when the process ends. */
  readonly store?: KeyStore;
  /**
   * Private keys of your own, first the one to publish. With them the ring makes no first key by itself; keys that
   * `rotate()` makes come before them.
   */
  readonly keys?: ImportedKey | readonly ImportedKey[];
  /** Size of the RSA keys that the ring makes, in bits. Default 2048. */
  readonly modulusLength?: number;
  /** How long a key that the ring made is published, in seconds. Default 2,592,000 (30 days). */
  readonly lifetime?: number;
  /** How long a replaced key still decrypts, in seconds. Default 90,000 (25 hours: a day's stale cache, and an hour). */
  readonly grace?: number;
}

/** What may be logged about a key. Times are ISO 8601. */
export interface KeyDescription {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** `active`: published and in use. `retiring`: no longer published, still decrypts. */
  readonly state: 'active' | 'retiring';
  readonly createdAt?: string;
  readonly expiresAt?: string;
  readonly decryptsUntil?: string;
}

/** A public key, with its issue and expiry times in seconds since the epoch where they are known. */
export interface PublishedJwk extends JWK {
  readonly iat?: number;
  readonly exp?: number;
}

/** Our own private keys. Its public view is the JWKS. */
export interface KeyRing {
  /** The key of this id, if it still decrypts. */
  find(kid: string): DecryptionKey | undefined;
  /** Every key that decrypts, the newest first. */
  decryptionKeys(): readonly DecryptionKey[];
  /** What to publish: the active keys' public members, with `iat` and `exp` where known (RFC 7517 §5). */
  jwks(): { keys: PublishedJwk[] };
  /** Makes a new key and publishes it; the one before still decrypts for the grace time. Concurrent calls share one. */
  rotate(): Promise<KeyDescription>;
  /** Rotates when the active key nears its expiry. Called before each publication. */
  rotateIfDue(): Promise<void>;
  /** Takes a key out of use at once. When it was the active one, another takes its place first. */
  revoke(kid: string): Promise<void>;
  /** The keys without any key material, for logs. */
  describe(): KeyDescription[];
}

/** A key is replaced when less than this part of its lifetime is left, so that no client ever sees an expired one. */
const ROTATE_AT_REST = 1 / 15;
/** Longest time, in seconds: a date made from a larger number might not exist. */
const CENTURY = 3_155_760_000;
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Opens a key ring. An empty store gets its first key at once, made off the event loop.
 *
 * Throws `option_invalid`, `key_invalid` for a public key among `keys`, and whatever the store throws.
 *
 * @example
 * const keyRing = await createKeyRing({ store: fileKeyStore('./keys') })
 */
export async function createKeyRing(options: KeyRingOptions = {}): Promise<KeyRing> {
  const settings = checkOptions(options);
  const ring = new StoredKeyRing(settings);
  await ring.open();
  return ring;
}

interface Settings {
  readonly store: KeyStore;
  readonly given: readonly DecryptionKey[];
  readonly modulusLength: number;
  readonly lifetime: number;
  readonly grace: number;
}

interface Entry {
  readonly key: DecryptionKey;
  /** Absent for a key that was given, not made. */
  readonly stored?: StoredKey;
}

class StoredKeyRing implements KeyRing {
  readonly #settings: Settings;
  #entries: readonly Entry[] = [];
  #given: readonly DecryptionKey[];
  #rotation: Promise<KeyDescription> | undefined;
  #lastChange: Promise<void> = Promise.resolve();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#given = settings.given;
  }

  async open(): Promise<void> {
    const needsKey = this.#given.length === 0;
    await this.#change(async (keys) => (keys.length === 0 && needsKey ? [await this.#make()] : keys));
  }

  find(kid: string): DecryptionKey | undefined {
    return this.decryptionKeys().find((key) => key.kid === kid);
  }

  decryptionKeys(): readonly DecryptionKey[] {
    return this.#live().map(({ key }) => key);
  }

  jwks(): { keys: PublishedJwk[] } {
    const active = this.#live().filter((entry) => this.#isActive(entry));
    return {
      keys: active.map(({ key, stored }) =>
        stored ? { ...key.publicJwk, iat: stored.createdAt, exp: stored.expiresAt } : { ...key.publicJwk },
      ),
    };
  }

  rotate(): Promise<KeyDescription> {
    this.#rotation ??= this.#rotate().finally(() => {
      this.#rotation = undefined;
    });
    return this.#rotation;
  }

  async rotateIfDue(): Promise<void> {
    const active = this.#live().find((entry) => this.#isActive(entry))?.stored;
    const margin = this.#settings.lifetime * ROTATE_AT_REST;
    if (active && seconds() > active.expiresAt - margin) await this.rotate();
  }

  async revoke(kid: string): Promise<void> {
    const active = this.#live().filter((entry) => this.#isActive(entry));
    if (active.length === 1 && active[0]?.key.kid === kid) await this.rotate();
    this.#given = this.#given.filter((key) => key.kid !== kid);
    await this.#change(async (keys) => keys.filter((key) => key.kid !== kid));
  }

  describe(): KeyDescription[] {
    return this.#live().map((entry) => this.#describe(entry));
  }

  toJSON(): KeyDescription[] {
    return this.describe();
  }

  [INSPECT](): KeyDescription[] {
    return this.describe();
  }

  async #rotate(): Promise<KeyDescription> {
    const made = await this.#make();
    const now = made.createdAt;
    const known = new Set(this.#entries.map(({ key }) => key.kid));
    await this.#change(async (keys) => {
      // Another process was faster, or this very change is stored already: one new key is enough.
      if (keys.some((key) => key.replacedAt === undefined && !known.has(key.kid))) return keys;
      const kept = keys.filter((key) => decrypts(key, now));
      return [made, ...kept.map((key) => replaced(key, now, this.#settings.grace))];
    });
    const entry = this.#entries.find((candidate) => candidate.stored && this.#isActive(candidate));
    if (!entry) throw new E2eeError('key_invalid', 'The key store did not keep the new key');
    return this.#describe(entry);
  }

  /** One change after the other, so that an older answer of the store never overwrites a newer one. */
  #change(change: Parameters<KeyStore['update']>[0]): Promise<void> {
    const done = this.#lastChange.then(async () => this.#load(await this.#settings.store.update(change)));
    this.#lastChange = done.catch(() => {});
    return done;
  }

  /** Imports what the store holds; keys that are already known are not imported again. */
  async #load(stored: readonly StoredKey[]): Promise<void> {
    const known = new Map(this.#entries.map((entry) => [entry.key.kid, entry.key]));
    const entries = stored.map(async (item) => {
      const key =
        known.get(item.kid) ?? asDecryptionKey(await importKey(item.pkcs8, { kid: item.kid, alg: item.alg }));
      return { key, stored: item };
    });
    const made = await Promise.all(entries);
    made.sort((a, b) => b.stored.createdAt - a.stored.createdAt);
    this.#entries = [...made, ...this.#given.map((key) => ({ key }))];
  }

  async #make(): Promise<StoredKey> {
    const alg = 'RSA-OAEP-256';
    const { modulusLength, lifetime } = this.#settings;
    const { publicKey, privateKey } = await generateKeyPair(alg, { modulusLength, extractable: true });
    const createdAt = seconds();
    const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
    return { kid, alg, pkcs8: await exportPKCS8(privateKey), createdAt, expiresAt: createdAt + lifetime };
  }

  #live(): readonly Entry[] {
    const now = seconds();
    return this.#entries.filter(({ stored }) => !stored || decrypts(stored, now));
  }

  /** Given keys are published only while the ring has made none; of them, the first. */
  #isActive({ key, stored }: Entry): boolean {
    if (stored) return stored.replacedAt === undefined;
    return key === this.#given[0] && !this.#entries.some((entry) => entry.stored);
  }

  #describe(entry: Entry): KeyDescription {
    const { key, stored } = entry;
    const state = this.#isActive(entry) ? 'active' : 'retiring';
    if (!stored) return { kid: key.kid, alg: key.alg, state };
    const { createdAt, expiresAt, decryptsUntil } = stored;
    const until = decryptsUntil !== undefined && { decryptsUntil: iso(decryptsUntil) };
    return {
      kid: key.kid,
      alg: key.alg,
      state,
      createdAt: iso(createdAt),
      expiresAt: iso(expiresAt),
      ...until,
    };
  }
}

function checkOptions(options: KeyRingOptions): Settings {
  const { store = memoryKeyStore(), keys = [], modulusLength = 2048 } = options;
  if (!Number.isInteger(modulusLength) || modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) {
    invalidOption('modulusLength', `a number of bits from ${RSA_BITS.min} to ${RSA_BITS.max}`, modulusLength);
  }
  return {
    store: checkStore(store),
    given: [keys].flat().map(asDecryptionKey),
    modulusLength,
    lifetime: duration('lifetime', options.lifetime ?? 2_592_000),
    grace: duration('grace', options.grace ?? 90_000),
  };
}

function duration(option: string, value: number): number {
  return value >= 0 && value <= CENTURY
    ? value
    : invalidOption(option, 'a number of seconds, at most 100 years', value);
}

function replaced(key: StoredKey, now: number, grace: number): StoredKey {
  return key.replacedAt === undefined ? { ...key, replacedAt: now, decryptsUntil: now + grace } : key;
}

function decrypts(key: StoredKey, now: number): boolean {
  return key.decryptsUntil === undefined || key.decryptsUntil > now;
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

function iso(time: number): string {
  return new Date(time * 1000).toISOString();
}
