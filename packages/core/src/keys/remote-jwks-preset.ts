import { E2eeError } from '../errors.js';
import type { FetchedSet } from './fetch-jwks.js';
import { readJwkSet } from './jwk-set.js';
import { LIFETIME } from './key-set-lifetime.js';
import type { Place } from './remote-jwks-state.js';

/** How far the clock of the machine that saved a state may be ahead, in milliseconds. */
const CLOCK_SKEW = 300_000;

/**
 * Reads a state that was saved for this URL, and its age in milliseconds. It may come from anywhere, and hold anything.
 *
 * Rejects with `key_invalid`.
 */
export async function readState(
  state: unknown,
  { url, algs }: Place,
): Promise<{ set: FetchedSet; age: number }> {
  if (typeof state !== 'object' || state === null) refuse('it is not an object');
  const {
    url: from,
    algs: savedFor,
    fetchedAt,
    lifetime,
    etag,
    keys,
  }: Record<string, unknown> = { ...state };
  if (from !== url) refuse('it belongs to another URL');
  if (!isTime(fetchedAt) || fetchedAt > Date.now() + CLOCK_SKEW) refuse('its `fetchedAt` is not a past time');
  if (!isTime(lifetime)) refuse('its `lifetime` is not a time');
  if (!isEtag(etag)) refuse('its `etag` is not the value of a header');
  // The ETag is that of the whole set: with it, keys for other algorithms would never be fetched.
  const isWhole = JSON.stringify(savedFor) === JSON.stringify(algs);
  const set = {
    keys: await readJwkSet({ keys }, algs),
    etag: isWhole ? etag : undefined,
    lifetime: Math.min(lifetime, LIFETIME.max),
  };
  return { set, age: Math.max(0, Date.now() - fetchedAt) };
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}

/** With anything else, each fetch would fail before it is sent. */
function isEtag(value: unknown): value is string | undefined {
  if (value === undefined) return true;
  try {
    return typeof value === 'string' && new Headers({ etag: value }).has('etag');
  } catch {
    return false;
  }
}

function refuse(why: string): never {
  throw new E2eeError('key_invalid', `The preset is refused: ${why}`);
}
