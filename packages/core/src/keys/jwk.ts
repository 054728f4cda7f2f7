import type { JWK } from 'jose';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import type { KeyType } from './key-types.js';

/** Members of a JWK that are secret (RFC 7518 §6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

const UNKNOWN_TYPE = 'it is not an RSA key, nor on P-256 or X25519';

/** Under which names the issue and expiry times of a key are found. Banked's page spells its prefix both ways. */
const ISSUED_MEMBERS = ['iat', 'bknd.iat', 'bnkd.iat'] as const;
const EXPIRY_MEMBERS = ['exp', 'bknd.exp', 'bnkd.exp'] as const;

export function isPrivateJwk(jwk: JWK): boolean {
  return PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member));
}

/**
 * Checks that a JWK is a key of one of these types, for encryption: numbers, `use`, `key_ops`, `alg`. Returns its type
 * and its algorithm. Throws `key_invalid` saying what is wrong.
 */
export function checkJwk(
  jwk: JWK,
  types: readonly KeyType[],
  expectedAlg?: KeyAlgorithm,
): { type: KeyType; alg: KeyAlgorithm } {
  const fitting = types.filter(({ kty, crv }) => kty === jwk.kty && (crv === undefined || crv === jwk.crv));
  const stated = expectedAlg ?? jwk.alg ?? fitting[0]?.algs[0];
  const type =
    fitting.find(({ algs }) => algs.some((known) => known === stated)) ?? invalid(unsupported(jwk, fitting));
  const alg = stated as KeyAlgorithm; // one of the type's
  if (jwk.alg !== undefined && jwk.alg !== alg) invalid('its `alg` is not the one that was asked for');
  if (jwk.use !== undefined && jwk.use !== 'enc') invalid('its `use` is not "enc"');
  if (Object.hasOwn(jwk, 'x5u')) invalid('it refers to a certificate elsewhere (`x5u`)');
  checkOperations(jwk, type.operations);
  const fault = type.fault(jwk);
  if (fault !== undefined) invalid(fault);
  return { type, alg };
}

function unsupported({ kty, alg }: JWK, fitting: readonly KeyType[]): string {
  if (kty === 'oct') return 'it is a secret that both ends share: importSharedSecret() takes those';
  if (fitting.length === 0) return UNKNOWN_TYPE;
  const hint = alg === 'RSA-OAEP' ? ' without `[allowRsaOaepSha1]: true`' : '';
  return `its \`alg\` is not supported for such a key${hint}`;
}

/** When a key was issued and when it expires, in seconds since the epoch, where the JWK says so. */
export function jwkTimes(jwk: JWK): { issuedAt?: number; expiresAt?: number } {
  const issuedAt = firstNumber(jwk, ISSUED_MEMBERS);
  const expiresAt = firstNumber(jwk, EXPIRY_MEMBERS);
  return { ...(issuedAt !== undefined && { issuedAt }), ...(expiresAt !== undefined && { expiresAt }) };
}

/** RFC 7517 §4.3. A public key for an agreement has no operation of its own. */
function checkOperations({ key_ops }: { key_ops?: unknown }, useful: readonly unknown[]): void {
  if (key_ops === undefined) return;
  const fits =
    Array.isArray(key_ops) &&
    (key_ops.some((item) => useful.includes(item)) || key_ops.length + useful.length === 0);
  if (!fits) invalid('its `key_ops` leave out what it is needed for');
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
