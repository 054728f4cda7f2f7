import { newestValidKey, unavailable } from './encryption-keys.js';
import type { FetchedSet } from './fetch-jwks.js';
import type { EncryptionKey } from './key.js';
import { refreshAge } from './remote-jwks-schedule.js';

/** A key set in use. It ages by the monotonic clock; its keys begin and end by the wall clock. */
export interface HeldSet extends FetchedSet {
  /** On the monotonic clock, in milliseconds. */
  readonly fetchedAt: number;
  /** The age at which it is to be refreshed. */
  readonly refreshAge: number;
}

/** Takes a set into use. Throws `keys_unavailable` for one without a valid key, which is no better than none. */
export function hold({ keys, etag, lifetime }: FetchedSet, age = 0): HeldSet {
  const key = newestValidKey(keys) ?? unavailable('Every published encryption key has expired');
  const untilExpiry = (key.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 - Date.now();
  const due = refreshAge(lifetime, untilExpiry, Math.random());
  return { keys, etag, lifetime, fetchedAt: now() - age, refreshAge: due };
}

/** In milliseconds. */
export function ageOf({ fetchedAt }: HeldSet): number {
  return now() - fetchedAt;
}

export function isFresh(held: HeldSet): boolean {
  return ageOf(held) <= held.lifetime;
}

/** The key to use now; nothing when the set is past the stale limit, or every key past its expiry. */
export function usableKey(held: HeldSet, staleLimit: number): EncryptionKey | undefined {
  return ageOf(held) <= held.lifetime + staleLimit ? newestValidKey(held.keys) : undefined;
}

/** Monotonic, in milliseconds: the wall clock may jump. */
export function now(): number {
  return performance.now();
}
