import type { JWK } from 'jose';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { importKey } from './import-key.js';
import { asDecryptionKey, type DecryptionKey } from './key.js';
import { decrypts, isCurrent, type KeyState, stateOf } from './key-life.js';
import type { StoredKey } from './key-store.js';

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

/** The keys of a ring in memory: those that were given to it, and those of its store, imported once. */
export class HeldKeys {
  readonly #imported = new Map<string, DecryptionKey>();
  #given: readonly DecryptionKey[];
  #stored: readonly StoredKey[] = [];

  constructor(given: readonly DecryptionKey[]) {
    this.#given = given;
  }

  /** As the store holds them, the latest publication first. */
  get stored(): readonly StoredKey[] {
    return this.#stored;
  }

  get given(): readonly DecryptionKey[] {
    return this.#given;
  }

  /** Every key that decrypts, the newest first. */
  decrypting(now: number): readonly DecryptionKey[] {
    const made = this.#stored.filter((key) => decrypts(key, now)).map(({ kid }) => this.#imported.get(kid));
    return [...made.filter((key) => key !== undefined), ...this.#given];
  }

  published(now: number): PublishedJwk[] {
    const active = this.#active(now);
    if (active.length === 0) return this.#given.slice(0, 1).map(({ publicJwk }) => ({ ...publicJwk }));
    return active.map(({ kid, publishAt, expiresAt }) => {
      const times = { iat: Math.floor(publishAt), exp: Math.floor(expiresAt) };
      return { ...(this.#imported.get(kid) as DecryptionKey).publicJwk, ...times }; // what decrypts is imported
    });
  }

  describe(now: number): KeyDescription[] {
    const isReplaced = this.#active(now).length > 0;
    const given = this.#given.map(({ kid, alg }, i): KeyDescription => {
      return { kid, alg, state: i === 0 && !isReplaced ? 'active' : 'retiring' };
    });
    return [...this.#stored.map((key) => describeStored(key, now)), ...given];
  }

  /** Takes over what the store holds. */
  async take(stored: readonly StoredKey[], now: number): Promise<void> {
    const held = stored.filter((key) => decrypts(key, now));
    const missing = held.filter((key) => !hasLostItsBytes(key) && !this.#imported.has(key.kid));
    const keys = await Promise.all(missing.map(({ kid, alg, pkcs8 = '' }) => importKey(pkcs8, { kid, alg })));
    for (const key of keys) this.#imported.set(key.kid, asDecryptionKey(key));
    this.#stored = [...stored].sort((a, b) => b.publishAt - a.publishAt);
    const kids = new Set(held.map(({ kid }) => kid));
    for (const kid of this.#imported.keys()) if (!kids.has(kid)) this.#imported.delete(kid);
  }

  /** Gives up a key that was given. */
  dropGiven(kid: string): void {
    this.#given = this.#given.filter((key) => key.kid !== kid);
  }

  #active(now: number): readonly StoredKey[] {
    const held = this.#stored.filter(({ kid }) => this.#imported.has(kid));
    const active = held.filter((key) => stateOf(key, now) === 'active');
    // After the clock was set back, no key may be active yet, or only one whose bytes are gone.
    return active.length > 0 ? active : held.filter(isCurrent);
  }
}

export function describeStored(key: StoredKey, now: number): KeyDescription {
  const { kid, alg, createdAt, expiresAt, decryptsUntil } = key;
  const until = decryptsUntil !== undefined && { decryptsUntil: iso(decryptsUntil) };
  const times = { createdAt: iso(createdAt), expiresAt: iso(expiresAt), ...until };
  return { kid, alg, state: stateOf(key, now), ...times };
}

/** A key that had retired before the clock was set back. */
function hasLostItsBytes(key: StoredKey): boolean {
  return key.pkcs8 === undefined && key.replacedAt !== undefined;
}

function iso(time: number): string {
  return new Date(time * 1000).toISOString();
}
