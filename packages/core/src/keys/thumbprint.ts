import type { JWK } from 'jose';
import { encodeBase64url } from '../jwe/base64url.js';

/** RFC 7638 §3: SHA-256 over the numbers of a public key, by name. */
export async function thumbprint(bare: JWK): Promise<string> {
  const sorted = Object.fromEntries(Object.entries(bare).sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = new TextEncoder().encode(JSON.stringify(sorted));
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

const known = new WeakMap<JWK, Promise<string>>();

/** Of a key that may be published. A secret that both ends share has none. */
export async function thumbprintOf(jwk: JWK): Promise<string | undefined> {
  const { kty, crv, n, e, x, y } = jwk;
  if (n === undefined && x === undefined) return undefined;
  // Members that are not there do not become JSON.
  const made = known.get(jwk) ?? thumbprint({ kty, crv, n, e, x, y } as JWK);
  known.set(jwk, made);
  return made;
}
