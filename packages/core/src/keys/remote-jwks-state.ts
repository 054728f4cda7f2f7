import type { JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import type { FetchedSet } from './fetch-jwks.js';
import { readJwkSet } from './jwk-set.js';
import type { EncryptionKey } from './key.js';
import { LIFETIME } from './key-set-lifetime.js';

/**
 * A set that was fetched: plain JSON with public keys, and the URL with its query. Times are milliseconds, `fetchedAt`
 * since the epoch.
 */
export interface RemoteJwksState {
  readonly url: string;
  /** What the keys are for: others of the set are not here. */
  readonly algs?: readonly KeyAlgorithm[] | undefined;
  readonly fetchedAt: number;
  readonly lifetime: number;
  readonly etag?: string | undefined;
  readonly keys: readonly JWK[];
}

/** How far the clock of the machine that saved a state may be ahead, in milliseconds. */
const CLOCK_SKEW = 300_000;

/** The source that a state belongs to. */
interface Place {
  readonly url: string;
  readonly algs: readonly KeyAlgorithm[];
}

/** The state of a set of this age, in milliseconds. */
export function exportedState(
  { keys, lifetime, etag }: FetchedSet,
  age: number,
  place: Place,
): RemoteJwksState {
  const fetchedAt = Math.round(Date.now() - age);
  const times = ({ issuedAt, expiresAt }: EncryptionKey): object => ({
    ...(issuedAt !== undefined && { iat: issuedAt }),
    ...(expiresAt !== undefined && { exp: expiresAt }),
  });
  const jwks = keys.map((key) => ({ ...key.publicJwk, ...times(key) }));
  return { ...place, fetchedAt, lifetime, ...(etag !== undefined && { etag }), keys: jwks };
}

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
