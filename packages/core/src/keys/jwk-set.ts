import type { JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import { importPublicJwk } from './import-jwk.js';
import { isPrivateJwk } from './jwk.js';
import type { EncryptionKey } from './key.js';

/** More keys than any publisher needs; a longer set would only cost time, and is refused. */
const MAX_KEYS = 64;

/**
 * Reads the usable encryption keys of a JWKS (RFC 7517 §5), or of a single JWK. Keys for other purposes or algorithms,
 * and malformed ones, are left out.
 *
 * Rejects with `key_invalid` when the set must not be trusted: it holds a private key, two different keys of one `kid`,
 * or no usable key at all; with `crypto_unavailable` where no key could be used.
 */
export async function readJwkSet(
  document: unknown,
  algs: readonly KeyAlgorithm[] = ['RSA-OAEP-256'],
): Promise<EncryptionKey[]> {
  requireWebCrypto();
  const members = keyMembers(document);
  if (members.length > MAX_KEYS) refuse(`it holds more than ${MAX_KEYS} keys`);
  if (members.some(isPrivateJwk)) refuse('it publishes a private key');
  const usable = (await Promise.all(members.map(importUsable)))
    .filter((key) => key !== undefined)
    .filter(({ alg }) => algs.includes(alg));
  if (usable.length === 0) refuse('it holds no key that can be used for encryption');
  const known = new Map<string, string>();
  for (const key of usable) {
    const numbers = JSON.stringify(key.publicJwk);
    if ((known.get(key.kid) ?? numbers) !== numbers) refuse('two different keys have one `kid`');
    known.set(key.kid, numbers);
  }
  return usable;
}

function keyMembers(document: unknown): JWK[] {
  if (typeof document !== 'object' || document === null) refuse('it is not a JSON object');
  const list: unknown = 'keys' in document ? document.keys : [document];
  if (!Array.isArray(list)) refuse('its `keys` is not an array');
  return list.filter((member): member is JWK => typeof member === 'object' && member !== null);
}

async function importUsable(jwk: JWK): Promise<EncryptionKey | undefined> {
  try {
    return await importPublicJwk(jwk);
  } catch {
    return undefined; // RFC 7517 §5: keys that are not understood are ignored
  }
}

function refuse(why: string): never {
  throw new E2eeError('key_invalid', `The key set is refused: ${why}`);
}
