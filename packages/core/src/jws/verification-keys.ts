import {
  type CryptoKey,
  compactVerify,
  createRemoteJWKSet,
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
  headerNames,
  isSigningAlgorithm,
  keySource,
  type SigningAlgorithm,
  secretOf,
} from './algorithms.js';
import { parseJwsHeader } from './compact.js';

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
  /** A public key as SPKI or X.509 in PEM, SPKI in DER, or a JWK; for `HS256` the shared bytes, or a JWK of type `oct`. */
  readonly key: string | Uint8Array | JWK;
  /** What it is for, and nothing else is accepted by it. */
  readonly alg: SigningAlgorithm;
  readonly kid: string;
}

/**
 * Keys that are known beforehand. A signature must name one of them by `kid`, and be by its `alg`; where there is only one,
 * it need not name it.
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
  for (const one of keys) {
    const { key, alg, kid }: Partial<VerificationKey> = Object(one);
    if (!isSigningAlgorithm(alg))
      throw new E2eeError('option_invalid', 'Option `alg` is not one to sign with');
    if (typeof kid !== 'string' || kid === '' || known.has(kid))
      throw new E2eeError('option_invalid', 'Option `kid` must be the id of the key, different for each');
    known.set(kid, { alg, key: alg === 'HS256' ? secretOf(key) : await publicKeyOf(key, alg) });
  }
  const only = known.size === 1 ? [...known.keys()][0] : undefined;
  return Object.freeze({
    async verify(jws: string): Promise<Verified> {
      const kid = kidOf(jws) ?? only ?? refuseToken(NAMELESS);
      const { alg, key } = known.get(kid) ?? refuseToken(UNKNOWN);
      return verified(kid, () => compactVerify(jws, key, { algorithms: headerNames([alg]) }));
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
      const kid = kidOf(jws) ?? refuseToken(NAMELESS); // any key of the set could be meant
      return verified(kid, () => compactVerify(jws, set, { algorithms: headerNames(algs) }));
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
      refuseToken(UNKNOWN);
    if (error instanceof errors.JWKSInvalid || error instanceof errors.JWKSTimeout)
      unavailable(UNAVAILABLE, error);
    if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC')
      refuseToken('Its signature is not by the key that it names, or not by an algorithm of that');
    return unavailable(UNAVAILABLE, error);
  }
}

const UNAVAILABLE = 'The keys that signatures are verified with cannot be had';
const NAMELESS = 'Its signature names no key';
const UNKNOWN = 'Its signature names a key that is not among those of `verifyWith`';

function kidOf(jws: string): string | undefined {
  return parseJwsHeader(jws).kid || undefined;
}

async function publicKeyOf(source: unknown, alg: SigningAlgorithm): Promise<CryptoKey> {
  try {
    const key = await read(keySource(source, 'PUBLIC KEY'), alg);
    if (key.type === 'public') return checkStrength(key);
  } catch (error) {
    if (error instanceof E2eeError) throw error;
  }
  throw new E2eeError(
    'key_invalid',
    `The key cannot be used: it is not a public key for ${alg}, as SPKI, X.509 or a JWK`,
  );
}

async function read(source: unknown, alg: SigningAlgorithm): Promise<CryptoKey> {
  if (typeof source !== 'string') return fromJwk(source, alg);
  return source.includes('BEGIN CERTIFICATE') ? importX509(source, alg) : importSPKI(source, alg);
}
