import type { JWK } from 'jose';
import { KEY_TYPES, type KeyType } from './key-types.js';

/** What a private key has of its own. */
type PrivateHalf = Pick<KeyType, 'secrets' | 'usages' | 'operations'>;

const RSA: PrivateHalf = {
  secrets: ['d', 'p', 'q', 'dp', 'dq', 'qi'],
  usages: ['decrypt'],
  operations: ['decrypt', 'unwrapKey'],
};

const CURVE: PrivateHalf = {
  secrets: ['d'],
  usages: ['deriveBits'],
  operations: ['deriveKey', 'deriveBits'],
};

/** One row per kind of private key that can be imported. */
export const PRIVATE_KEY_TYPES: readonly KeyType[] = KEY_TYPES.map((row) => ({
  ...row,
  ...(row.kty === 'RSA' ? RSA : CURVE),
  fault: (jwk: JWK) => (Object.hasOwn(jwk, 'oth') ? 'it has more than two primes' : row.fault(jwk)),
}));
