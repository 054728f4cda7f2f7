import type { StoredKey } from './key-store.js';

/**
 * `next`: decrypts, not yet published. `active`: published. `retiring`: no longer published, still decrypts. `retired`:
 * its time is over. `revoked`: taken out of use at once.
 */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired' | 'revoked';

/** A successor is made when this part of the lifetime is left, two days at the most: no client must see an expired key. */
const ROTATE_AT_REST = { share: 1 / 15, max: 172_800 } as const;
/** How long a retired key stays listed, and how many of them. A revoked one stays for ever: its id must not come back. */
const REMEMBERED = { seconds: 2_592_000, keys: 100 } as const;
/** Bytes that have been of no use for so long are removed even though nothing else changes: no clock is a day wrong. */
const TIDYING_DELAY = 86_400;
/** What a client adds to the `max-age` of a key set: its stale limit, and what clocks and caches differ by. */
const GRACE = { staleLimit: 86_400, skew: 300 } as const;

/** How long a replaced key must decrypt when its publication could be kept for `maxAge`, in seconds. */
export function graceFor(maxAge: number): number {
  return maxAge + GRACE.staleLimit + GRACE.skew;
}

/** How long before its expiry a key is replaced, in seconds. */
export function restAtRotation(lifetime: number): number {
  return Math.min(lifetime * ROTATE_AT_REST.share, ROTATE_AT_REST.max);
}

export function stateOf(key: StoredKey, now: number): KeyState {
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.decryptsUntil !== undefined && key.decryptsUntil <= now) return 'retired';
  if (key.replacedAt !== undefined && key.replacedAt <= now) return 'retiring';
  return key.publishAt > now ? 'next' : 'active';
}

/** Whether a key opens tokens. What is published always does. */
export function decrypts(key: StoredKey, now: number): boolean {
  const state = stateOf(key, now);
  return state === 'next' || state === 'active' || state === 'retiring';
}

/** Whether a key is, or is going to be, the published one, with no successor yet. */
export function isCurrent(key: StoredKey): boolean {
  return key.revokedAt === undefined && key.replacedAt === undefined;
}

/** Whether it is time to make a successor, and none is there yet. */
export function isRotationDue(
  keys: readonly StoredKey[],
  now: number,
  { lifetime }: { readonly lifetime: number },
): boolean {
  const rest = restAtRotation(lifetime);
  const current = keys.filter(isCurrent);
  return current.length > 0 && current.every((key) => now > key.expiresAt - rest);
}

/** The keys with the publication of one of them brought forward, and with it what happens to those before it. */
export function withPublication(
  keys: readonly StoredKey[],
  kid: string,
  publishAt: number,
): readonly StoredKey[] {
  const made = keys.find((key) => key.kid === kid && key.revokedAt === undefined);
  if (!made || made.publishAt <= publishAt) return keys;
  const earlier = publishAt - made.publishAt;
  return keys.map((key) => {
    if (key === made) return { ...key, publishAt, expiresAt: key.expiresAt + earlier };
    const { replacedAt, decryptsUntil = publishAt } = key;
    if (replacedAt !== made.publishAt) return key;
    return { ...key, replacedAt: publishAt, decryptsUntil: decryptsUntil + earlier };
  });
}

/** The keys with a successor before them: the ones before leave the publication when it enters. */
export function withSuccessor(
  keys: readonly StoredKey[],
  made: StoredKey,
  { grace }: { readonly grace: number },
): StoredKey[] {
  const replacedAt = made.publishAt;
  const before = keys.map((key) =>
    isCurrent(key) ? { ...key, replacedAt, decryptsUntil: replacedAt + grace } : key,
  );
  return [made, ...tidied(before, made.createdAt)];
}

/** The keys with one of them out of use. One that was not published yet leaves the key in place that it was to replace. */
export function withRevoked(keys: readonly StoredKey[], kid: string, now: number): readonly StoredKey[] {
  const target = keys.find((key) => key.kid === kid && key.revokedAt === undefined);
  if (!target) return keys;
  const revoked = keys.map((key) => {
    if (key === target) return { ...key, revokedAt: now };
    const { replacedAt, decryptsUntil, ...kept } = key;
    const stays = target.publishAt > now && replacedAt === target.publishAt;
    return stays ? kept : key;
  });
  return tidied(revoked, now);
}

/** A key that the store does not hold, as one that is revoked: for one that a ring was given. */
export function revokedMark({ kid, alg }: Pick<StoredKey, 'kid' | 'alg'>, now: number): StoredKey {
  return { kid, alg, createdAt: now, publishAt: now, expiresAt: now, revokedAt: now };
}

/** Whether there are bytes of a key that ended a day ago. */
export function isTidyingDue(keys: readonly StoredKey[], now: number): boolean {
  return keys.some((key) => key.pkcs8 !== undefined && (key.decryptsUntil ?? now) < now - TIDYING_DELAY);
}

/** Key bytes that are of no use any more are not kept; nor are retired keys that ended long ago. */
export function tidied(keys: readonly StoredKey[], now: number): StoredKey[] {
  const ends = keys
    .filter((key) => stateOf(key, now) === 'retired')
    .map(({ decryptsUntil = now }) => decryptsUntil)
    .sort((a, b) => b - a);
  const oldest = Math.max(now - REMEMBERED.seconds, ends[REMEMBERED.keys] ?? 0);
  return keys
    .filter((key) => stateOf(key, now) !== 'retired' || (key.decryptsUntil ?? now) > oldest)
    .map(({ pkcs8, ...key }) => (pkcs8 !== undefined && decrypts(key, now) ? { ...key, pkcs8 } : key));
}
