// When a key set is fetched: numbers, and pure functions of times in milliseconds. A chance is a number from 0 to 1.

/**
 * A set in use is fetched anew after this part of its lifetime, or of its key's; a little earlier or later, so that many
 * processes do not come at once.
 */
const REFRESH_AT = { share: 0.8, jitter: 0.05 } as const;
/** Least time between two attempts to refresh a set that is still usable. */
const BACKGROUND_PAUSE = 30_000;
/** Pause after a failure while there is no usable key, doubled each time. */
const BACKOFF = { min: 1_000, max: 30_000, jitter: 0.2 } as const;

/** The age at which a set is to be refreshed. `untilExpiry` is what its key had left when the set was taken into use. */
export function refreshAge(lifetime: number, untilExpiry: number, chance: number): number {
  const share = REFRESH_AT.share + REFRESH_AT.jitter * (2 * chance - 1);
  return Math.min(lifetime, untilExpiry) * share;
}

/** Whether a usable set is to be refreshed now. */
export function isRefreshDue(set: { age: number; refreshAge: number }, sinceAttempt: number): boolean {
  return set.age >= set.refreshAge && sinceAttempt >= BACKGROUND_PAUSE;
}

/** How long nothing is fetched for want of a key after so many failures in a row: 1, 2, 4 … 30 s, up to 20 % less. */
export function backoff(failures: number, chance: number): number {
  const pause = Math.min(BACKOFF.min * 2 ** (failures - 1), BACKOFF.max);
  return pause * (1 - BACKOFF.jitter * chance);
}
