import type { JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { allowRsaOaepSha1 } from '../jwe/sha1.js';
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
  const imported = await Promise.all(members.map((jwk) => importUsable(jwk, algs)));
  const usable = imported.filter((key) => key !== undefined);
  if (usable.length === 0)
    refuse(`it holds no key that can be used for encryption with ${algs.join(' or ')}`);
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

/** Nothing for a key that is not understood: it is ignored (RFC 7517 §5). */
async function importUsable(jwk: JWK, algs: readonly KeyAlgorithm[]): Promise<EncryptionKey | undefined> {
  for (const alg of algs) {
    try {
      return await importPublicJwk(jwk, { alg, [allowRsaOaepSha1]: alg === 'RSA-OAEP' });
    } catch {
      // It may be for the next one.
    }
  }
  return undefined;
}

function refuse(why: string): never {
  throw new E2eeError('key_invalid', `The key set is refused: ${why}`);
}
