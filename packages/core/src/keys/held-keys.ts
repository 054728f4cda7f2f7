import type { JWK } from 'jose';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { allowRsaOaepSha1 } from '../jwe/sha1.js';
import { seconds } from './clock.js';
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
  readonly #given: readonly DecryptionKey[];
  #stored: readonly StoredKey[] = [];

  constructor(given: readonly DecryptionKey[]) {
    this.#given = given;
  }

  /** As the store holds them, the latest publication first. */
  get stored(): readonly StoredKey[] {
    return this.#stored;
  }

  /** Those that were given, but for what the store says is revoked. */
  get given(): readonly DecryptionKey[] {
    const revoked = new Set(this.#stored.filter((key) => key.revokedAt !== undefined).map(({ kid }) => kid));
    return revoked.size === 0 ? this.#given : this.#given.filter(({ kid }) => !revoked.has(kid));
  }

  /** Every key that decrypts, the newest first. */
  decrypting(now: number): readonly DecryptionKey[] {
    const made = this.#stored.filter((key) => decrypts(key, now)).map(({ kid }) => this.#imported.get(kid));
    return [...made.filter((key) => key !== undefined), ...this.given];
  }

  /** Whether a key that was given is the published one. */
  publishesGiven(now: number): boolean {
    return this.#active(now).length === 0;
  }

  published(now: number): PublishedJwk[] {
    const active = this.#active(now);
    if (active.length === 0) return this.#publishable.slice(0, 1).map(({ publicJwk }) => ({ ...publicJwk }));
    return active.map(({ kid, publishAt, expiresAt }) => {
      const times = { iat: Math.floor(publishAt), exp: Math.floor(expiresAt) };
      return { ...(this.#imported.get(kid) as DecryptionKey).publicJwk, ...times }; // what decrypts is imported
    });
  }

  describe(now: number): KeyDescription[] {
    const given = this.given.map(({ kid, alg }, i): KeyDescription => {
      return { kid, alg, state: i === 0 && this.publishesGiven(now) ? 'active' : 'retiring' };
    });
    return [...this.#stored.map((key) => describeStored(key, now)), ...given];
  }

  /**
   * Takes over what the store holds. Rejects with `key_invalid` when a key of it cannot be used; all the others, and what
   * the store says of revocations and times, are taken over all the same.
   */
  async take(stored: readonly StoredKey[]): Promise<void> {
    const now = seconds();
    const held = stored.filter((key) => decrypts(key, now));
    const missing = held.filter((key) => !hasLostItsBytes(key) && !this.#imported.has(key.kid));
    const imports = await Promise.allSettled(missing.map(importStored));
    this.#stored = [...stored].sort((a, b) => b.publishAt - a.publishAt);
    const kids = new Set(held.map(({ kid }) => kid));
    for (const kid of this.#imported.keys()) if (!kids.has(kid)) this.#imported.delete(kid);
    for (const result of imports)
      if (result.status === 'fulfilled') this.#imported.set(result.value.kid, result.value);
    const failed = imports.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** A secret that is shared has no public half. */
  get #publishable(): readonly DecryptionKey[] {
    return this.given.filter(({ publicJwk }) => publicJwk.kty !== 'oct');
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

async function importStored({ kid, alg, pkcs8 = '' }: StoredKey): Promise<DecryptionKey> {
  // What it is for was decided when it was made.
  return asDecryptionKey(await importKey(pkcs8, { kid, alg, [allowRsaOaepSha1]: true }));
}

/** A key that had retired before the clock was set back. */
function hasLostItsBytes(key: StoredKey): boolean {
  return key.pkcs8 === undefined && key.replacedAt !== undefined;
}

function iso(time: number): string {
  return new Date(time * 1000).toISOString();
}
