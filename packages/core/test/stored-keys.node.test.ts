import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE, CERTIFIED_MODULUS } from './keys-fixtures.js';
import {
  type EcPair,
  P256,
  P384,
  RSA,
  RSA_1024,
  RSA_EXPONENT_3,
  type RsaPair,
  type StoredPair,
  X25519,
} from './stored-keys.js';

const RSA_PAIRS: readonly RsaPair[] = [...RSA, RSA_1024, RSA_EXPONENT_3];
const EC_PAIRS: readonly EcPair[] = [P256, P384];

describe('a stored key pair', () => {
  it.each<StoredPair>([...RSA_PAIRS, ...EC_PAIRS, X25519])(
    'is in SPKI and as a JWK what node:crypto makes of its PKCS#8: $publicJwk.kty',
    ({ spki, pkcs8, publicJwk, privateJwk }) => {
      const privateKey = createPrivateKey(pkcs8);
      const publicKey = createPublicKey(privateKey);
      expect(publicKey.export({ type: 'spki', format: 'pem' })).toBe(spki);
      expect(publicKey.export({ format: 'jwk' })).toEqual(publicJwk);
      expect(privateKey.export({ format: 'jwk' })).toEqual(privateJwk);
    },
  );

  it.each(RSA_PAIRS)('of RSA is likewise in PKCS#1', ({ pkcs8, publicPkcs1, privatePkcs1 }) => {
    const privateKey = createPrivateKey(pkcs8);
    expect(createPublicKey(privateKey).export({ type: 'pkcs1', format: 'pem' })).toBe(publicPkcs1);
    expect(privateKey.export({ type: 'pkcs1', format: 'pem' })).toBe(privatePkcs1);
  });

  it.each(EC_PAIRS)('on a curve is likewise in SEC1', ({ pkcs8, sec1 }) => {
    expect(createPrivateKey(pkcs8).export({ type: 'sec1', format: 'pem' })).toBe(sec1);
  });
});

it('the stored modulus of the certificate is the one that node:crypto reads', () => {
  const { n } = new X509Certificate(CERTIFICATE).publicKey.export({ format: 'jwk' });
  expect(CERTIFIED_MODULUS).toBe(n);
});
