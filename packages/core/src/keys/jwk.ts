import { base64url, type JWK } from 'jose';
import { E2eeError } from '../errors.js';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../jwe/algorithms.js';

/** Members of a JWK that are secret (RFC 7518 §6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** What a key that encrypts, or decrypts, may say that it is for (RFC 7517 §4.3). */
const KEY_OPERATIONS = { public: ['encrypt', 'wrapKey'], private: ['decrypt', 'unwrapKey'] } as const;

/** RSA moduli outside these bounds are too weak, or made to burn processor time. */
export const RSA_BITS = { min: 2048, max: 8192 } as const;
const RSA_EXPONENT = 'AQAB'; // 65537

/** Under which names the issue and expiry times of a key are found. Banked's page spells its prefix both ways. */
const ISSUED_MEMBERS = ['iat', 'bknd.iat', 'bnkd.iat'] as const;
const EXPIRY_MEMBERS = ['exp', 'bknd.exp', 'bnkd.exp'] as const;

export function isPrivateJwk(jwk: JWK): boolean {
  return PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member));
}

/**
 * Checks that a JWK is a key for encryption which this library can use: type, size, exponent, `use`, `key_ops`, `alg`.
 * Returns its algorithm. Throws `key_invalid` saying what is wrong.
 */
export function checkJwk(jwk: JWK, expectedAlg?: KeyAlgorithm): KeyAlgorithm {
  const alg = expectedAlg ?? jwk.alg ?? 'RSA-OAEP-256';
  const row = typeof alg === 'string' && KEY_ALGORITHMS[alg as KeyAlgorithm];
  if (!row) invalid('its `alg` is not supported');
  if (jwk.alg !== undefined && jwk.alg !== alg) invalid('its `alg` is not the one that was asked for');
  if (jwk.kty !== row.kty) invalid(`it is not of type ${row.kty}`);
  if (jwk.use !== undefined && jwk.use !== 'enc') invalid('its `use` is not "enc"');
  if (Object.hasOwn(jwk, 'x5u')) invalid('it refers to a certificate elsewhere (`x5u`)');
  if (Object.hasOwn(jwk, 'oth')) invalid('it has more than two primes');
  const operations: readonly unknown[] = KEY_OPERATIONS[isPrivateJwk(jwk) ? 'private' : 'public'];
  const { key_ops: stated = operations }: { key_ops?: unknown } = jwk;
  if (!Array.isArray(stated) || !stated.some((operation) => operations.includes(operation))) {
    invalid('its `key_ops` leave out what it is needed for');
  }
  checkRsa(jwk);
  return alg as KeyAlgorithm; // it has a row
}

/** When a key was issued and when it expires, in seconds since the epoch, where the JWK says so. */
export function jwkTimes(jwk: JWK): { issuedAt?: number; expiresAt?: number } {
  const issuedAt = firstNumber(jwk, ISSUED_MEMBERS);
  const expiresAt = firstNumber(jwk, EXPIRY_MEMBERS);
  return { ...(issuedAt !== undefined && { issuedAt }), ...(expiresAt !== undefined && { expiresAt }) };
}

function checkRsa(jwk: JWK): void {
  if (typeof jwk.n !== 'string' || typeof jwk.e !== 'string') invalid('its modulus or exponent is missing');
  const bits = bitLength(jwk.n);
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
    invalid(`its modulus has ${bits} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are accepted`);
  }
  if (jwk.e !== RSA_EXPONENT) invalid('its public exponent is not 65537');
}

function bitLength(encoded: string): number {
  let bytes: Uint8Array;
  try {
    bytes = base64url.decode(encoded);
  } catch {
    invalid('its modulus is not base64url');
  }
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] as number));
}

function firstNumber(jwk: JWK, members: readonly string[]): number | undefined {
  for (const member of members) {
    const value: unknown = Object.getOwnPropertyDescriptor(jwk, member)?.value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

function invalid(why: string): never {
  throw new E2eeError('key_invalid', `The key cannot be used: ${why}`);
}
