import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../jwe/algorithms.js';
import { importKey } from './import-key.js';
import { asDecryptionKey, type DecryptionKey, type ImportedKey } from './key.js';
import {
  decrypts,
  isCurrent,
  isRotationDue,
  type KeyState,
  type KeyTimes,
  stateOf,
  withRevoked,
  withSuccessor,
} from './key-life.js';
import { checkStore, type KeyStore, memoryKeyStore, queue, type StoredKey } from './key-store.js';
import { RSA_BITS } from './key-types.js';

export interface KeyRingOptions {
  /** Where made keys are kept. Default: in memory, lost when the process ends. */
  readonly store?: KeyStore;
  /**
   * Private keys of your own, first the one to publish. With them the ring makes no first key by itself; keys that
   * `rotate()` makes take their place in the publication.
   */
  readonly keys?: ImportedKey | readonly ImportedKey[];
  /** What the ring makes keys for. Default `RSA-OAEP-256`. The profile must accept it. */
  readonly alg?: KeyAlgorithm;
  /** The curve of keys for `ECDH-ES+A256KW`. Default `P-256`. */
  readonly crv?: 'P-256' | 'X25519';
  /** Size of the RSA keys that the ring makes, in bits. Default 2048. */
  readonly modulusLength?: number;
  /** What ids look like: the RFC 7638 thumbprint (default), or the time of making in seconds since the epoch. */
  readonly kid?: 'thumbprint' | 'timestamp';
  /** How long a made key is published, in seconds. A successor is made in time. Default 2,592,000 (30 days). */
  readonly lifetime?: number;
  /**
   * How long a replaced key still decrypts, in seconds. Default 87,300: the `max-age` of the publication (600), the time
   * that a client may use a set which it cannot refresh (86,400) and the difference between clocks (300).
   */
  readonly grace?: number;
}

/** What may be logged about a key. Times are ISO 8601. */
export interface KeyDescription {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  readonly state: KeyState;
  readonly createdAt?: string;
  readonly expiresAt?: string;
  /** For a key that is replaced. */
  readonly decryptsUntil?: string;
}

/** A public key, with its issue and expiry times in seconds since the epoch where they are known. */
export interface PublishedJwk extends JWK {
  readonly iat?: number;
  readonly exp?: number;
}

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
   * one key.
   */
  rotate(): Promise<KeyDescription>;
  /** Makes a successor when the active key nears its expiry. Called before each publication, and now and then. */
  rotateIfDue(): Promise<void>;
  /** Takes a key out of use at once. When it is the active one, another takes its place first, as by `rotate()`. */
  revoke(kid: string): Promise<void>;
  /** The keys without any key material, for logs. */
  describe(): KeyDescription[];
  /** Stops looking for changes of the store. The keys stay usable. */
  close(): void;
}

/** A ring looks for changes this often, in milliseconds, where no other process shares its store. */
const IDLE_INTERVAL = 3_600_000;
/** A key is published after this many looks of the other processes. */
const LOOKS_BEFORE_PUBLICATION = 4;
/** A revocation that rotations of other processes come between is tried this often. */
const MAX_PASSES = 5;
/** Longest time, in seconds: there might be no date for a larger number. */
const CENTURY = 3_155_760_000;
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Opens a key ring. An empty store gets its first key at once, made off the event loop. Keys are replaced in time, and
 * what other processes do to the store is noticed; the timer for that does not keep the process alive.
 *
 * Throws `option_invalid`, `key_invalid` for a public key among `keys`, and whatever the store throws.
 *
 * @example
 * const keyRing = await createKeyRing({ store: fileKeyStore('./keys') })
 */
export async function createKeyRing(options: KeyRingOptions = {}): Promise<KeyRing> {
  const ring = new StoredKeyRing(checkOptions(options));
  await ring.open();
  return ring;
}

interface Settings extends KeyTimes {
  readonly store: KeyStore;
  readonly given: readonly DecryptionKey[];
  readonly alg: KeyAlgorithm;
  readonly crv: string;
  readonly modulusLength: number;
  readonly kid: 'thumbprint' | 'timestamp';
}

type MadeKey = Required<Pick<StoredKey, 'kid' | 'alg' | 'pkcs8'>>;

class StoredKeyRing implements KeyRing {
  readonly #settings: Settings;
  readonly #imported = new Map<string, DecryptionKey>();
  readonly #inTurn = queue();
  #given: readonly DecryptionKey[];
  #stored: readonly StoredKey[] = [];
  #rotation: Promise<StoredKey> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#given = settings.given;
  }

  async open(): Promise<void> {
    const { store } = this.#settings;
    const needsKey = this.#given.length === 0;
    const first = once(() => this.#make());
    await this.#loadFrom(() =>
      store.update(async (keys) => {
        const isServed = keys.some((key) => decrypts(key, seconds()) && key.expiresAt > seconds());
        if (isServed || (keys.length === 0 && !needsKey)) return keys;
        return withSuccessor(keys, this.#scheduled(await first(), 0), this.#settings);
      }),
    );
    this.#timer = setInterval(() => void this.#look(), store.pollInterval ?? IDLE_INTERVAL);
    if (typeof this.#timer === 'object') this.#timer.unref?.(); // a number in browsers
  }

  close(): void {
    clearInterval(this.#timer);
  }

  find(kid: string): DecryptionKey | undefined {
    return this.decryptionKeys().find((key) => key.kid === kid);
  }

  decryptionKeys(): readonly DecryptionKey[] {
    const now = seconds();
    const made = this.#stored.filter((key) => decrypts(key, now)).map(({ kid }) => this.#imported.get(kid));
    return [...made.filter((key) => key !== undefined), ...this.#given];
  }

  jwks(): { keys: PublishedJwk[] } {
    const active = this.#active();
    if (active.length === 0)
      return { keys: this.#given.slice(0, 1).map(({ publicJwk }) => ({ ...publicJwk })) };
    return {
      keys: active.map(({ kid, publishAt, expiresAt }) => {
        const times = { iat: Math.floor(publishAt), exp: Math.floor(expiresAt) };
        return { ...(this.#imported.get(kid) as DecryptionKey).publicJwk, ...times }; // what decrypts is imported
      }),
    };
  }

  async rotate(): Promise<KeyDescription> {
    const made = await this.#rotateOnce();
    // Timers drop fractions of a millisecond, and may come one early.
    const wait = Math.ceil((made.publishAt - seconds()) * 1000) + 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    return describeStored(made, seconds());
  }

  async rotateIfDue(): Promise<void> {
    if (isRotationDue(this.#stored, seconds(), this.#settings)) await this.#rotateOnce();
  }

  async revoke(kid: string): Promise<void> {
    const given = this.#given.filter((key) => key.kid !== kid);
    const without = (keys: readonly StoredKey[]): StoredKey[] => withRevoked(keys, kid, seconds());
    const isServed = (keys: readonly StoredKey[]): boolean =>
      given.length > 0 || (keys.some((key) => stateOf(key, seconds()) === 'active') && keys.some(isCurrent));
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      // A successor may be on its way: until it is published, not every process has it.
      if (!isServed(without(this.#stored))) await this.rotate();
      await this.#loadFrom(() =>
        this.#settings.store.update(async (keys) => (isServed(without(keys)) ? without(keys) : keys)),
      );
      if (!this.#stored.some((key) => key.kid === kid && key.revokedAt === undefined)) {
        this.#given = this.#given.filter((key) => key.kid !== kid);
        return;
      }
    }
    throw new E2eeError('key_invalid', 'The key store did not keep that the key is revoked');
  }

  describe(): KeyDescription[] {
    const now = seconds();
    const given = this.#given.map(({ kid, alg }, i): KeyDescription => {
      return { kid, alg, state: i === 0 && this.#active().length === 0 ? 'active' : 'retiring' };
    });
    return [...this.#stored.map((key) => describeStored(key, now)), ...given];
  }

  toJSON(): KeyDescription[] {
    return this.describe();
  }

  [INSPECT](): KeyDescription[] {
    return this.describe();
  }

  #active(): readonly StoredKey[] {
    const now = seconds();
    const held = this.#stored.filter(({ kid }) => this.#imported.has(kid));
    const active = held.filter((key) => stateOf(key, now) === 'active');
    // After the clock was set back, no key may be active yet, or only one whose bytes are gone.
    return active.length > 0 ? active : held.filter(isCurrent);
  }

  /** One key for all who ask at the same time, here or in another process. */
  #rotateOnce(): Promise<StoredKey> {
    this.#rotation ??= this.#rotate().finally(() => {
      this.#rotation = undefined;
    });
    return this.#rotation;
  }

  async #rotate(): Promise<StoredKey> {
    const { store, lead } = this.#settings;
    const before = await store.read();
    const known = new Set(before.map(({ kid }) => kid));
    const make = once(() => this.#make());
    // Ahead of its turn: meanwhile another process may publish its own, and this one must see that in time.
    if (!successorOf(before, known, lead)) await make();
    let kid: string | undefined; // settled within the update: afterwards, what was on its way may be there
    const stored = await this.#loadFrom(() =>
      store.update(async (keys) => {
        const found = successorOf(keys, known, lead);
        const successor = found ?? this.#scheduled(await make(), lead);
        kid = successor.kid;
        return found ? keys : withSuccessor(keys, successor, this.#settings);
      }),
    );
    return stored.find((key) => key.kid === kid) ?? storeLostKey();
  }

  async #make(): Promise<MadeKey> {
    const { alg, crv, modulusLength } = this.#settings;
    const { publicKey, privateKey } = await generateKeyPair(alg, { crv, modulusLength, extractable: true });
    const kid = await this.#newKid(await exportJWK(publicKey));
    return { kid, alg, pkcs8: await exportPKCS8(privateKey) };
  }

  /** Its times count from now: when it is written, not when it was made. */
  #scheduled(key: MadeKey, lead: number): StoredKey {
    const createdAt = seconds();
    const publishAt = createdAt + lead;
    return { ...key, createdAt, publishAt, expiresAt: publishAt + this.#settings.lifetime };
  }

  async #newKid(publicJwk: JWK): Promise<string> {
    if (this.#settings.kid === 'thumbprint') return calculateJwkThumbprint(publicJwk);
    const known = new Set([...this.#stored, ...this.#given].map(({ kid }) => kid));
    let time = Math.floor(seconds());
    while (known.has(String(time))) time += 1;
    return String(time);
  }

  /** One answer of the store after the other, so that an older one never takes the place of a newer one. */
  #loadFrom(ask: () => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]> {
    return this.#inTurn(async () => {
      const stored = await ask();
      await this.#load(stored);
      return stored;
    });
  }

  /** Takes over what the store holds. Keys are imported once. */
  async #load(stored: readonly StoredKey[]): Promise<void> {
    const now = seconds();
    // One that had retired before the clock was set back has no bytes any more.
    const isLost = (key: StoredKey): boolean => key.pkcs8 === undefined && key.replacedAt !== undefined;
    const missing = stored.filter(
      (key) => decrypts(key, now) && !isLost(key) && !this.#imported.has(key.kid),
    );
    const keys = await Promise.all(missing.map(({ kid, alg, pkcs8 = '' }) => importKey(pkcs8, { kid, alg })));
    for (const key of keys) this.#imported.set(key.kid, asDecryptionKey(key));
    this.#stored = [...stored].sort((a, b) => b.publishAt - a.publishAt);
    const held = new Set(stored.filter((key) => decrypts(key, now)).map(({ kid }) => kid));
    for (const kid of this.#imported.keys()) if (!held.has(kid)) this.#imported.delete(kid);
  }

  /** Takes over what other processes did, and rotates in time. A store that fails is asked again the next time. */
  async #look(): Promise<void> {
    try {
      await this.#loadFrom(() => this.#settings.store.read());
      await this.rotateIfDue();
    } catch {
      // The keys at hand stay good; whoever rotates or revokes gets the store's error.
    }
  }
}

function checkOptions(options: KeyRingOptions): Settings {
  const {
    keys = [],
    alg = 'RSA-OAEP-256',
    crv = 'P-256',
    modulusLength = 2048,
    kid = 'thumbprint',
  } = options;
  if (!Object.keys(KEY_ALGORITHMS).includes(alg))
    invalidOption('alg', Object.keys(KEY_ALGORITHMS).join(' or '), alg);
  if (crv !== 'P-256' && crv !== 'X25519') invalidOption('crv', '"P-256" or "X25519"', crv);
  const store = checkStore(options.store ?? memoryKeyStore());
  if (!Number.isInteger(modulusLength) || modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) {
    invalidOption('modulusLength', `a number of bits from ${RSA_BITS.min} to ${RSA_BITS.max}`, modulusLength);
  }
  if (kid !== 'thumbprint' && kid !== 'timestamp') invalidOption('kid', '"thumbprint" or "timestamp"', kid);
  return {
    store,
    given: [keys].flat().map(asDecryptionKey),
    alg,
    crv,
    modulusLength,
    kid,
    lifetime: duration('lifetime', options.lifetime ?? 2_592_000),
    grace: duration('grace', options.grace ?? 87_300),
    lead: ((store.pollInterval ?? 0) * LOOKS_BEFORE_PUBLICATION) / 1000,
  };
}

function duration(option: string, value: number): number {
  return Number.isFinite(value) && value >= 0 && value <= CENTURY
    ? value
    : invalidOption(option, 'a number of seconds, at most 100 years', value);
}

/** A key that somebody made since `known` was read, or that is on its way to publication. No clock tells that. */
function successorOf(
  keys: readonly StoredKey[],
  known: ReadonlySet<string>,
  lead: number,
): StoredKey | undefined {
  const now = seconds();
  const isOnItsWay = ({ publishAt }: StoredKey): boolean => publishAt > now && publishAt <= now + lead;
  return keys.find((key) => isCurrent(key) && (!known.has(key.kid) || isOnItsWay(key)));
}

function describeStored(key: StoredKey, now: number): KeyDescription {
  const { kid, alg, createdAt, expiresAt, decryptsUntil } = key;
  const until = decryptsUntil !== undefined && { decryptsUntil: iso(decryptsUntil) };
  return {
    kid,
    alg,
    state: stateOf(key, now),
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    ...until,
  };
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

function seconds(): number {
  return Date.now() / 1000;
}

function iso(time: number): string {
  return new Date(time * 1000).toISOString();
}
