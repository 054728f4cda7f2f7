import {
  type CryptoKey,
  compactVerify,
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  importSPKI,
  importX509,
  type JWK,
} from 'jose';
import { E2eeError } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import { unavailable } from '../keys/encryption-keys.js';
import { allowInsecureKeys, checkKeyUrl } from '../keys/fetch-jwks.js';
import {
  ASYMMETRIC,
  checkStrength,
  fromJwk,
  isSigningAlgorithm,
  pemOf,
  type SigningAlgorithm,
  secretOf,
} from './algorithms.js';

/** What a signature was found to cover. */
export interface Verified {
  readonly payload: Uint8Array;
  /** Of the JWS, covered as well. */
  readonly header: Readonly<Record<string, unknown>>;
  /** Of the key that has signed. */
  readonly kid: string;
}

/** The keys that another party signs with: {@link verificationKeys}, {@link remoteVerificationKeys}, or your own. */
export interface VerificationKeys {
  /**
   * Verifies a JWS in compact serialisation (RFC 7515 §5.2). Rejects with `token_invalid` for whatever is wrong with it;
   * with `keys_unavailable` when the keys cannot be had.
   */
  verify(jws: string): Promise<Verified>;
}

/** One key of another party. */
export interface VerificationKey {
  /** A public key as SPKI or X.509 in PEM, or as a JWK; for `HS256` the shared bytes. */
  readonly key: string | Uint8Array | JWK;
  /** What it is for, and nothing else is accepted by it. */
  readonly alg: SigningAlgorithm;
  readonly kid: string;
}

/**
 * Keys that are known beforehand. A signature must name one of them by `kid`, and be by its `alg`.
 *
 * Rejects with `key_invalid` or `option_invalid`.
 *
 * @example
 * const verifyWith = await verificationKeys([{ key: shopPem, alg: 'ES256', kid: 'shop-1' }])
 */
export async function verificationKeys(keys: readonly VerificationKey[]): Promise<VerificationKeys> {
  requireWebCrypto();
  if (!Array.isArray(keys) || keys.length === 0)
    throw new E2eeError('option_invalid', 'verificationKeys() needs a list of keys');
  const known = new Map<string, { alg: SigningAlgorithm; key: CryptoKey | Uint8Array }>();
  for (const { key, alg, kid } of keys) {
    if (!isSigningAlgorithm(alg))
      throw new E2eeError('option_invalid', 'Option `alg` is not one to sign with');
    if (typeof kid !== 'string' || kid === '' || known.has(kid))
      throw new E2eeError('option_invalid', 'Option `kid` must be the id of the key, different for each');
    known.set(kid, { alg, key: alg === 'HS256' ? secretOf(key) : await publicKeyOf(key, alg) });
  }
  return Object.freeze({
    async verify(jws: string): Promise<Verified> {
      const kid = kidOf(jws);
      const { alg, key } = known.get(kid) ?? refuseToken();
      return verified(kid, () => compactVerify(jws, key, { algorithms: [alg] }));
    },
  });
}

export interface RemoteVerificationOptions {
  /** What signatures may be by. Default `['PS256', 'RS256', 'ES256', 'EdDSA']`. */
  readonly algs?: readonly SigningAlgorithm[];
  /** @deprecated See {@link allowInsecureKeys}. */
  readonly [allowInsecureKeys]?: boolean | undefined;
}

/**
 * The keys that another party publishes for its signatures, as a JWKS. Fetched and cached by `jose`; public keys only, so
 * `HS256` is not among them.
 *
 * Throws `option_invalid` for a bad URL, one over plain `http:` included, unless it is of this machine.
 */
export function remoteVerificationKeys(
  url: string | URL,
  options: RemoteVerificationOptions = {},
): VerificationKeys {
  const { algs = ASYMMETRIC } = options;
  if (!Array.isArray(algs) || algs.length === 0 || !algs.every((alg) => ASYMMETRIC.includes(alg)))
    throw new E2eeError('option_invalid', `Option \`algs\` must be a list of ${ASYMMETRIC.join(', ')}`);
  const set = createRemoteJWKSet(checkKeyUrl(url, options[allowInsecureKeys] === true));
  return Object.freeze({
    async verify(jws: string): Promise<Verified> {
      const kid = kidOf(jws); // without one, any key of the set could be meant
      return verified(kid, () => compactVerify(jws, set, { algorithms: [...algs] }));
    },
  });
}

/** The one answer to every bad signature. What it is that failed stays inside. */
async function verified(kid: string, verify: () => ReturnType<typeof compactVerify>): Promise<Verified> {
  try {
    const { payload, protectedHeader } = await verify();
    return { payload, header: { ...protectedHeader }, kid };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
      refuseToken();
    if (error instanceof errors.JWKSInvalid || error instanceof errors.JWKSTimeout)
      unavailable(UNAVAILABLE, error);
    if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') refuseToken();
    return unavailable(UNAVAILABLE, error);
  }
}

const UNAVAILABLE = 'The keys that signatures are verified with cannot be had';

function kidOf(jws: string): string {
  try {
    const { kid } = decodeProtectedHeader(jws);
    return typeof kid === 'string' && kid !== '' ? kid : refuseToken();
  } catch {
    return refuseToken();
  }
}

async function publicKeyOf(source: string | Uint8Array | JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  try {
    const key = await read(pemOf(source), alg);
    if (key.type === 'public') return checkStrength(key);
  } catch (error) {
    if (error instanceof E2eeError) throw error;
  }
  throw new E2eeError(
    'key_invalid',
    `The key cannot be used: it is not a public key for ${alg}, as SPKI, X.509 or a JWK`,
  );
}

async function read(source: string | Uint8Array | JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  if (typeof source !== 'string') return fromJwk(source, alg);
  return source.includes('BEGIN CERTIFICATE') ? importX509(source, alg) : importSPKI(source, alg);
}
