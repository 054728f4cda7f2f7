import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { bytesOf, tokenOf } from '../../test/jwe-forge.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { P256, RSA, X25519 } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, asEncryptionKey, type DecryptionKey, type EncryptionKey } from '../keys/key.js';
import { importSharedSecret, type SharedSecretAlgorithm } from '../keys/shared-secret.js';
import { CONTENT_SIZES, type ContentAlgorithm, type KeyAlgorithm } from './algorithms.js';
import { type DecryptJweOptions, decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';
import { allowRsaOaepSha1 } from './sha1.js';

/* A token with one bit changed, anywhere in it, is no token any more: for every way of encrypting the key and the content. */

type Keys = readonly [to: EncryptionKey, from: DecryptionKey];

async function pairFor(alg: KeyAlgorithm, pair: { spki: string; pkcs8: string }): Promise<Keys> {
  const options = { alg, [allowRsaOaepSha1]: alg === 'RSA-OAEP' };
  return [
    asEncryptionKey(await importKey(pair.spki, options)),
    asDecryptionKey(await importKey(pair.pkcs8, options)),
  ];
}

async function secretFor(alg: SharedSecretAlgorithm, enc: ContentAlgorithm): Promise<Keys> {
  const bytes = crypto.getRandomValues(new Uint8Array(alg === 'dir' ? CONTENT_SIZES[enc].cek : 32));
  const { encryptionKey, decryptionKey } = await importSharedSecret(bytes, { kid: 'shared', alg });
  return [encryptionKey, decryptionKey];
}

const WAYS: readonly (readonly [
  alg: KeyAlgorithm,
  enc: ContentAlgorithm,
  keys: (alg: KeyAlgorithm, enc: ContentAlgorithm) => Promise<Keys>,
])[] = [
  ['RSA-OAEP-256', 'A256GCM', (alg) => pairFor(alg, RSA[0])],
  ['RSA-OAEP-256', 'A256CBC-HS512', (alg) => pairFor(alg, RSA[0])],
  ['RSA-OAEP', 'A256GCM', (alg) => pairFor(alg, RSA[0])],
  ['ECDH-ES', 'A256GCM', (alg) => pairFor(alg, P256)],
  ['ECDH-ES', 'A256CBC-HS512', (alg) => pairFor(alg, X25519)],
  ['ECDH-ES+A256KW', 'A256GCM', (alg) => pairFor(alg, X25519)],
  ['ECDH-ES+A256KW', 'A256CBC-HS512', (alg) => pairFor(alg, P256)],
  ['dir', 'A256GCM', (_, enc) => secretFor('dir', enc)],
  ['dir', 'A128GCM', (_, enc) => secretFor('dir', enc)],
  ['dir', 'A256CBC-HS512', (_, enc) => secretFor('dir', enc)],
  ['A256KW', 'A256GCM', (_, enc) => secretFor('A256KW', enc)],
  ['A256GCMKW', 'A256CBC-HS512', (_, enc) => secretFor('A256GCMKW', enc)],
];

describe.each(WAYS)('a token for %s with %s', async (alg, enc, keysFor) => {
  const [to, from] = await keysFor(alg, enc);
  const accepted: DecryptJweOptions = { algs: [alg], encs: [enc] };
  const token = await encryptJwe(utf8('{"name":"Zoë"}'), to, { enc });
  const refusal = await errorOf(decryptJwe('', from, accepted));

  it('opens as it is', async () => {
    expect((await decryptJwe(token, from, accepted)).plaintext).toEqual(utf8('{"name":"Zoë"}'));
  });

  // Of a token for a key pair, some of its bits: each costs a private-key operation. decrypt.test.ts changes every bit of one.
  const { numRuns } = runs(alg.includes('RSA') || alg.includes('ECDH') ? 300 : 10_000);

  it('is refused for each changed bit of its bytes, with one and the same error', async () => {
    const segments = bytesOf(token);
    const places = segments.flatMap((bytes, at) =>
      Array.from({ length: bytes.length * 8 }, (_, bit) => ({ at, bit })),
    );
    const step = Math.ceil(places.length / numRuns);
    const changed = places
      .filter((_, i) => i % step === 0)
      .map(({ at, bit }) => tokenOf(segments.map((bytes, i) => (i === at ? flipped(bytes, bit) : bytes))));
    for (let i = 0; i < changed.length; i += 64) {
      const errors = changed.slice(i, i + 64).map((one) => errorOf(decryptJwe(one, from, accepted)));
      for (const error of await Promise.all(errors)) expect(error).toEqual(refusal);
    }
  });

  it('is refused for each changed character of its text, with one and the same error', async () => {
    const property = fc.asyncProperty(fc.nat(token.length - 1), fc.nat(15), async (at, bit) => {
      const character = String.fromCharCode(token.charCodeAt(at) ^ (1 << bit));
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      expect(await errorOf(decryptJwe(changed, from, accepted))).toEqual(refusal);
    });
    await fc.assert(property, runs(300));
  });
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const at = bit >> 3;
  return bytes.map((byte, i) => (i === at ? byte ^ (1 << (bit & 7)) : byte));
}
