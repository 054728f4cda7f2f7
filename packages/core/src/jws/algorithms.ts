import type { CryptoKey } from 'jose';
import { E2eeError } from '../errors.js';
import { RSA_BITS } from '../keys/key-types.js';
import { checkSecret } from '../keys/shared-secret.js';

/** Signature algorithms (JWS `alg`, RFC 7518 §3.1, RFC 8037 §3.1) that this library can carry out. */
export type SigningAlgorithm = 'PS256' | 'RS256' | 'ES256' | 'EdDSA' | 'HS256';

const ALGORITHMS: readonly SigningAlgorithm[] = ['PS256', 'RS256', 'ES256', 'EdDSA', 'HS256'];

/** Those whose keys may be published. */
export const ASYMMETRIC: readonly SigningAlgorithm[] = ['PS256', 'RS256', 'ES256', 'EdDSA'];

export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return ALGORITHMS.some((known) => known === name);
}

/** Throws `key_invalid` for an RSA key that is too weak, or made to burn processor time. */
export function checkStrength(key: CryptoKey): CryptoKey {
  const { modulusLength = RSA_BITS.min } = key.algorithm as { readonly modulusLength?: number }; // RSA has it
  if (modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max) return key;
  throw new E2eeError(
    'key_invalid',
    `The key cannot be used: its modulus has ${modulusLength} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are accepted`,
  );
}

/** The shared key of HS256. Throws `key_invalid` for one that is short (RFC 7518 §3.2) or could be guessed. */
export function secretOf(source: unknown): Uint8Array {
  if (source instanceof Uint8Array && source.length >= 32) return checkSecret(Uint8Array.from(source));
  throw new E2eeError('key_invalid', 'The key cannot be used: HS256 needs at least 32 random bytes');
}
