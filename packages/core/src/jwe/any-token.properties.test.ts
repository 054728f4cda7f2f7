import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../test/bytes.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { P256, RSA, X25519 } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, type DecryptionKey } from '../keys/key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { importSharedSecret, type SharedSecretAlgorithm } from '../keys/shared-secret.js';
import { CONTENT_SIZES, type ContentAlgorithm, KEY_ALGORITHMS } from './algorithms.js';
import { type DecryptJweOptions, decryptJwe } from './decrypt.js';

/* Whatever is given for a token, there are two answers: it is not acceptable, or it names a key that is not held. */

const ENCS = Object.keys(CONTENT_SIZES) as ContentAlgorithm[];
const EVERYTHING: DecryptJweOptions = { algs: KEY_ALGORITHMS, encs: ENCS };

async function secret(alg: SharedSecretAlgorithm): Promise<DecryptionKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return (await importSharedSecret(bytes, { kid: alg, alg })).decryptionKey;
}

async function curveKey(pkcs8: string, alg: 'ECDH-ES' | 'ECDH-ES+A256KW'): Promise<DecryptionKey> {
  return asDecryptionKey(await importKey(pkcs8, { kid: `${alg} ${pkcs8.length}`, alg }));
}

const keys = [
  await decryptionKeyOf(RSA[0], 'rsa'),
  await curveKey(P256.pkcs8, 'ECDH-ES'),
  await curveKey(X25519.pkcs8, 'ECDH-ES+A256KW'),
  await secret('A256KW'),
  await secret('A256GCMKW'),
  await secret('dir'),
];

/** Any UTF-16 units, lone surrogates too. */
const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 60 });
const base64url = (sizes: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  sizes.chain((length) => fc.uint8Array({ minLength: length, maxLength: length })).map(toBase64url);

const { x, y } = P256.publicJwk;
const POINT = { kty: 'EC', crv: 'P-256', x, y };

/** A header that gets past some of the checks, or past all of them. */
const header = fc.record(
  {
    alg: fc.oneof(fc.constantFrom<unknown>(...KEY_ALGORITHMS, 'RSA1_5', 'none'), fc.jsonValue()),
    enc: fc.oneof(fc.constantFrom<unknown>(...ENCS, 'A192GCM'), fc.jsonValue()),
    kid: fc.oneof(fc.constantFrom<unknown>(...keys.map(({ kid }) => kid), '__proto__'), fc.jsonValue()),
    epk: fc.oneof(
      fc.constantFrom<unknown>(
        POINT,
        { ...POINT, y: x },
        { ...POINT, d: x },
        { kty: 'OKP', crv: 'X25519', x },
      ),
      fc.jsonValue(),
    ),
    apu: fc.oneof(anyText, fc.jsonValue()),
    iv: fc.oneof(base64url(fc.constantFrom(0, 11, 12, 13)), fc.jsonValue()),
    tag: fc.oneof(base64url(fc.constantFrom(0, 12, 16)), fc.jsonValue()),
  },
  { requiredKeys: ['alg', 'enc'] },
);

const almost = fc
  .tuple(
    header.map((members) => toBase64url(utf8(JSON.stringify(members)))),
    base64url(fc.constantFrom(0, 1, 32, 40, 72, 256)),
    base64url(fc.constantFrom(0, 12, 16)),
    base64url(fc.nat(40)),
    base64url(fc.constantFrom(0, 16, 32)),
  )
  .map((segments) => segments.join('.'));

const soup = fc
  .array(fc.oneof(anyText, fc.base64String(), fc.constantFrom('eyJ', '.', '..', '=')), { maxLength: 7 })
  .map((parts) => parts.join('.'));

it('any text at all is refused by a ring, in one of two ways', async () => {
  const ring = await createKeyRing({ keys });
  const property = fc.asyncProperty(fc.oneof(anyText, soup, almost), async (token) => {
    const error = await errorOf(decryptJwe(token, ring, EVERYTHING));
    expect(['token_invalid', 'key_rejected']).toContain(Object(error).code);
    expect(Object(error).cause).toBeUndefined();
  });
  await fc.assert(property, runs(600));
  ring.close();
});

it.each(keys.map((key) => [key.alg, key] as const))(
  'any text at all is refused by a key for %s, in one way',
  async (_alg, key) => {
    const property = fc.asyncProperty(fc.oneof(anyText, soup, almost), async (token) => {
      const error = await errorOf(decryptJwe(token, key, EVERYTHING));
      expect(error).toMatchObject({ code: 'token_invalid' });
    });
    await fc.assert(property, runs(200));
  },
);
