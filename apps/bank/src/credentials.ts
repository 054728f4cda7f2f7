import { createHash, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Secrets are long random strings that the bank itself hands out, so a plain hash is enough (it need not be slow). */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

/** What an unknown client's secret is compared with: nothing hashes to this. */
const NO_SECRET = Buffer.alloc(32);

export function secretMatches(secret: string, hash: Buffer | undefined): boolean {
  return timingSafeEqual(hashSecret(secret), hash ?? NO_SECRET) && hash !== undefined;
}

/** The credentials of an `Authorization: Basic` header (RFC 7617 §2), or nothing when it is not one. */
export function basicCredentials(authorization: string | undefined): Credentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) };
}
