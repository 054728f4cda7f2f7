import { constants, privateDecrypt } from 'node:crypto';
import { expect, it } from 'vitest';
import { concat, fromBase64url, toBase64url, utf8 } from '../../test/bytes.js';
import { encryptionKeyOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { asDecryptionKey } from './key.js';
import { serviceKey } from './key-unwrapper.js';

const [pair] = RSA;
const oaep = { key: pair.pkcs8, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const unwrapper = { unwrap: async (bytes: Uint8Array) => privateDecrypt(oaep, bytes) };

// A browser does not import a JWK that is spelt so.
it('a ciphertext is measured against the modulus without the zeros before it', async () => {
  const n = concat(new Uint8Array(1), fromBase64url(String(pair.publicJwk.n)));
  const padded = { ...pair.publicJwk, n: toBase64url(n) };
  const key = asDecryptionKey(await serviceKey({ publicKey: padded, unwrapper, kid: 'padded' }));
  expect(key.publicJwk.n).toBe(pair.publicJwk.n); // one key has one thumbprint
  const token = await encryptJwe(utf8('opened'), await encryptionKeyOf(pair));
  expect((await decryptJwe(token, key)).plaintext).toEqual(utf8('opened'));
});
