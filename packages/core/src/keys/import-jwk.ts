import type { CryptoKey, JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { decodeBase64url, encodeBase64url } from '../jwe/base64url.js';
import type { AllowsRsaOaepSha1 } from '../jwe/sha1.js';
import { checkJwk, jwkTimes } from './jwk.js';
import type { EncryptionKey } from './key.js';
import { type KeyType, keyTypes } from './key-types.js';
import { thumbprint } from './thumbprint.js';

export interface ImportKeyOptions extends AllowsRsaOaepSha1 {
  /** The key's id. Default: the JWK's own `kid`, else its RFC 7638 SHA-256 thumbprint. */
  readonly kid?: string;
  /** What the key is for. Default: the JWK's own `alg`, else `RSA-OAEP-256` or, for curves, `ECDH-ES+A256KW`. */
  readonly alg?: KeyAlgorithm;
}

/** What is true of a JWK that was checked. */
export interface CheckedJwk {
  readonly type: KeyType;
  readonly alg: KeyAlgorithm;
  readonly kid: string;
  /** The public half, to be stored or published. */
  readonly publicJwk: JWK;
}

/** Imports a public key. Rejects with `key_invalid`. */
export async function importPublicJwk(jwk: JWK, options: ImportKeyOptions = {}): Promise<EncryptionKey> {
  const { type, alg, kid, publicJwk } = await readJwk(jwk, keyTypes(options), options);
  const publicKey = await toCryptoKey(jwk, type);
  return Object.freeze({ kind: 'encryption', kid, alg, publicKey, publicJwk, ...jwkTimes(jwk) });
}

/** Rejects with `key_invalid` unless it is a usable key of one of these types. */
export async function readJwk(
  jwk: JWK,
  types: readonly KeyType[],
  options: ImportKeyOptions,
): Promise<CheckedJwk> {
  const { type, alg } = checkJwk(jwk, types, options.alg);
  const bare = canonical(pick(jwk, type.members));
  const kid = options.kid ?? jwk.kid ?? (await thumbprint(bare));
  if (typeof kid !== 'string' || kid === '')
    throw new E2eeError('key_invalid', 'The `kid` of a key must be a text');
  return { type, alg, kid, publicJwk: Object.freeze({ ...bare, use: 'enc', alg, kid }) };
}

/** Rejects with `key_invalid` when the numbers of a JWK do not make up a key. */
export async function toCryptoKey(jwk: JWK, type: KeyType): Promise<CryptoKey> {
  const { kty, members, secrets = [], importParams, usages } = type;
  const numbers = pick(jwk, [...members, ...secrets]);
  try {
    return await crypto.subtle.importKey('jwk', numbers, importParams, false, [...usages]);
  } catch {
    throw new E2eeError(
      'key_invalid',
      `The key cannot be used: its numbers do not make up a key of type ${kty}`,
    );
  }
}

/** Some write a modulus with a zero before it (RFC 7518 §2 does not): one key has one form here, and one thumbprint. */
function canonical(bare: JWK): JWK {
  if (typeof bare.n !== 'string') return bare;
  const bytes = decodeBase64url(bare.n);
  return { ...bare, n: encodeBase64url(bytes.subarray(bytes.findIndex((byte) => byte !== 0))) };
}

/** A JWK with no other members than these. */
function pick(jwk: JWK, members: readonly string[]): JWK {
  const entries = Object.entries(jwk).filter(([member]) => members.includes(member));
  return Object.fromEntries(entries) as JWK; // `kty` was there, or checkJwk refuses what comes out
}
