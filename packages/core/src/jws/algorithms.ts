import { type CryptoKey, importJWK, type JWK } from 'jose';
import { E2eeError } from '../errors.js';
import { RSA_BITS } from '../keys/key-types.js';
import { checkSecret, secretInJwk } from '../keys/shared-secret.js';

/** Signature algorithms (JWS `alg`, RFC 7518 §3.1, RFC 8037 §3.1) that this library can carry out. */
export type SigningAlgorithm = 'PS256' | 'RS256' | 'ES256' | 'EdDSA' | 'HS256';

const ALGORITHMS: readonly SigningAlgorithm[] = ['PS256', 'RS256', 'ES256', 'EdDSA', 'HS256'];

/** Those whose keys may be published. */
export const ASYMMETRIC: readonly SigningAlgorithm[] = ['PS256', 'RS256', 'ES256', 'EdDSA'];

export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return ALGORITHMS.some((known) => known === name);
}

interface RsaNumbers {
  readonly modulusLength: number;
  readonly publicExponent: Uint8Array;
}

/** 65537. */
const F4 = Uint8Array.of(1, 0, 1);

/** Throws `key_invalid` for an RSA key that is too weak, or made to burn processor time. */
export function checkStrength(key: CryptoKey): CryptoKey {
  const { modulusLength = RSA_BITS.min, publicExponent = F4 } = key.algorithm as Partial<RsaNumbers>; // RSA has them
  if (String(publicExponent) !== String(F4))
    throw new E2eeError('key_invalid', 'The key cannot be used: its public exponent is not 65537');
  if (modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max) return key;
  throw new E2eeError(
    'key_invalid',
    `The key cannot be used: its modulus has ${modulusLength} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are accepted`,
  );
}

/** What may stand as `alg` in the header of a JWS. RFC 9864 has another name for EdDSA with Ed25519. */
export function headerNames(algs: readonly SigningAlgorithm[]): string[] {
  return algs.flatMap((alg) => (alg === 'EdDSA' ? [alg, 'Ed25519'] : [alg]));
}

/** The shared key of HS256. Throws `key_invalid` for one that is short (RFC 7518 §3.2) or could be guessed. */
export function secretOf(source: unknown): Uint8Array {
  const bytes = source instanceof Uint8Array ? Uint8Array.from(source) : secretInJwk(source, 'sig', 'HS256');
  if (bytes && bytes.length >= 32) return checkSecret(bytes);
  throw new E2eeError(
    'key_invalid',
    'The key cannot be used: HS256 needs at least 32 random bytes, or a JWK of type `oct` with them',
  );
}

/** The text of a PEM file, also where its bytes were given or only those of the key in it; else what was given. */
export function keySource(source: unknown, label: string): unknown {
  if (!(source instanceof Uint8Array)) return source;
  const text = new TextDecoder().decode(source);
  if (text.includes('-----BEGIN')) return text;
  return `-----BEGIN ${label}-----\n${btoa(String.fromCharCode(...source))}\n-----END ${label}-----`;
}

/** Rejects for a JWK that is for another use or algorithm (RFC 7517 §4.2, §4.4). */
export async function fromJwk(source: unknown, alg: SigningAlgorithm): Promise<CryptoKey> {
  const jwk = Object(source) as JWK; // importJWK rejects anything else
  if ((jwk.use ?? 'sig') !== 'sig' || !headerNames([alg]).includes(jwk.alg ?? alg))
    throw new E2eeError(
      'key_invalid',
      `The key cannot be used: its \`use\` or \`alg\` is not that of ${alg}`,
    );
  return (await importJWK(jwk, alg)) as CryptoKey; // bytes come of type `oct` only, and have no `type`
}
