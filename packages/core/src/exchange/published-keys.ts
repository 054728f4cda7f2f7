import { E2eeError } from '../errors.js';
import { encodeBase64url } from '../jwe/base64url.js';
import type { PublishedJwk } from '../keys/held-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import { pathReadings } from '../policy/operation-path.js';
import type { Profile } from '../profiles/profile.js';
import { type E2eeRequest, type E2eeResponse, headerOf } from './message.js';

/** Public keys are for everybody, pages of other origins too: those need no more for a plain GET (Fetch §3.3.3). */
const ANY_ORIGIN = { 'access-control-allow-origin': '*' } as const;

/** Whether a request asks for the published keys. */
export function asksForKeys(path: string, { publication }: Profile): boolean {
  const [own = ''] = pathReadings(publication.path);
  return pathReadings(path).includes(own);
}

/** The answer to a request for the published keys (RFC 7517 §5, RFC 9110 §13.1.2). Rejects with `keys_unavailable`. */
export async function answerWithKeys(
  request: E2eeRequest,
  keyRing: KeyRing,
  profile: Profile,
): Promise<E2eeResponse> {
  const method = request.method.toUpperCase();
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: { allow: 'GET, HEAD' } };
  const rotated = keyRing.rotateIfDue().catch(() => {}); // the ring reports a store that fails
  if (!keyRing.jwks().keys.some(isValid)) await rotated; // otherwise the keys at hand are good for a while
  const { keys } = keyRing.jwks();
  if (keys.length === 0) throw new E2eeError('keys_unavailable', 'The key ring has no key to publish');
  const body = keyDocument(keys, profile);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(body)));
  const etag = `"${encodeBase64url(new Uint8Array(digest))}"`;
  const { contentType } = profile.publication;
  const headers = { etag, 'cache-control': `public, max-age=${maxAgeOf(keys, profile)}`, ...ANY_ORIGIN };
  if (matches(headerOf(request.headers, 'if-none-match'), etag)) return { status: 304, headers };
  return { status: 200, headers: { ...headers, 'content-type': contentType }, body };
}

/** No cache may keep a key beyond its expiry. */
function maxAgeOf(keys: readonly PublishedJwk[], { publication }: Profile): number {
  const now = Date.now() / 1000;
  const remaining = keys.map(({ exp = Number.POSITIVE_INFINITY }) => exp - now);
  return Math.max(0, Math.floor(Math.min(publication.maxAge, ...remaining)));
}

function keyDocument(published: readonly PublishedJwk[], { publication }: Profile): unknown {
  const { issued, expiry } = publication.times;
  const keys = published.map(({ iat, exp, ...jwk }) => ({
    ...jwk,
    ...(iat !== undefined && { [issued]: iat }),
    ...(exp !== undefined && { [expiry]: exp }),
  }));
  return publication.form === 'jwks' ? { keys } : keys[0];
}

function isValid({ exp = Number.POSITIVE_INFINITY }: PublishedJwk): boolean {
  return exp > Date.now() / 1000;
}

function matches(condition: string | undefined, etag: string): boolean {
  const tags = condition?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}
