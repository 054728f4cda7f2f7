import type { JWK } from 'jose';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import type { FetchedSet } from './fetch-jwks.js';
import type { EncryptionKey } from './key.js';

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

/** The source that a state belongs to. */
export interface Place {
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
