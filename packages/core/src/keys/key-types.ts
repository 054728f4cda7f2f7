import type { JWK } from 'jose';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { decodeBase64url } from '../jwe/base64url.js';
import { type AllowsRsaOaepSha1, allowRsaOaepSha1 } from '../jwe/sha1.js';

/** Everything about one kind of key. */
export interface KeyType {
  readonly kty: string;
  readonly crv?: string;
  /** What it is used with; the first is the default. */
  readonly algs: readonly [KeyAlgorithm, ...KeyAlgorithm[]];
  /** Members of the public JWK (RFC 7518 §6). */
  readonly members: readonly string[];
  /** Members that make it private; there are none in the table of public keys. */
  readonly secrets?: readonly string[];
  readonly importParams: { readonly name: string; readonly hash?: string; readonly namedCurve?: string };
  readonly usages: readonly ('encrypt' | 'decrypt' | 'deriveBits')[];
  /** What a JWK may say that it is for (RFC 7517 §4.3): one of these, where it says anything. */
  readonly operations: readonly string[];
  /** What is wrong with the numbers of a public JWK, if anything is. */
  readonly fault: (jwk: JWK) => string | undefined;
}

/** RSA moduli outside these bounds are too weak, or made to burn processor time. */
export const RSA_BITS = { min: 2048, max: 8192 } as const;
const RSA_EXPONENT = 'AQAB'; // 65537

const CURVE_KEY = { algs: ['ECDH-ES+A256KW', 'ECDH-ES'], usages: [], operations: [] } as const;

const RSA: KeyType = {
  kty: 'RSA',
  algs: ['RSA-OAEP-256'],
  members: ['kty', 'n', 'e'],
  importParams: { name: 'RSA-OAEP', hash: 'SHA-256' },
  usages: ['encrypt'],
  operations: ['encrypt', 'wrapKey'],
  fault: rsaFault,
};

/** RSA for `RSA-OAEP`, with SHA-1: only where it is asked for. */
const RSA_SHA1: KeyType = {
  ...RSA,
  algs: ['RSA-OAEP'],
  importParams: { name: 'RSA-OAEP', hash: 'SHA-1' },
};

/** One row per kind of public key that can be imported. Private ones: private-key-types.ts. */
const KEY_TYPES: readonly KeyType[] = [
  RSA,
  {
    ...CURVE_KEY,
    kty: 'EC',
    crv: 'P-256',
    members: ['kty', 'crv', 'x', 'y'],
    importParams: { name: 'ECDH', namedCurve: 'P-256' },
    fault: ({ x, y }) => coordinateFault(x) ?? coordinateFault(y),
  },
  {
    ...CURVE_KEY,
    kty: 'OKP',
    crv: 'X25519',
    members: ['kty', 'crv', 'x'],
    importParams: { name: 'X25519' },
    fault: ({ x }) => coordinateFault(x),
  },
];

/** The kinds of key that may be imported with these options. */
export function keyTypes(options: AllowsRsaOaepSha1): readonly KeyType[] {
  return options[allowRsaOaepSha1] === true ? [...KEY_TYPES, RSA_SHA1] : KEY_TYPES;
}

function rsaFault(jwk: JWK): string | undefined {
  if (typeof jwk.n !== 'string' || typeof jwk.e !== 'string') return 'its modulus or exponent is missing';
  const bytes = decoded(jwk.n);
  if (!bytes) return 'its modulus is not base64url';
  const bits = bitLength(bytes);
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
    return `its modulus has ${bits} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are accepted`;
  }
  return jwk.e === RSA_EXPONENT ? undefined : 'its public exponent is not 65537';
}

function coordinateFault(encoded: unknown): string | undefined {
  const isPoint = typeof encoded === 'string' && decoded(encoded)?.length === 32;
  return isPoint ? undefined : 'a coordinate of its point is missing, or has not 32 bytes';
}

function decoded(encoded: string): Uint8Array | undefined {
  try {
    return decodeBase64url(encoded);
  } catch {
    return undefined;
  }
}

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] as number));
}
