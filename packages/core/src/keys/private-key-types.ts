import type { JWK } from 'jose';
import type { KeyType } from './key-types.js';

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

/** The private halves of these kinds of key. */
export function privateHalves(types: readonly KeyType[]): readonly KeyType[] {
  return types.map((row) => ({
    ...row,
    ...(row.kty === 'RSA' ? RSA : CURVE),
    fault: (jwk: JWK) => (Object.hasOwn(jwk, 'oth') ? 'it has more than two primes' : row.fault(jwk)),
  }));
}
