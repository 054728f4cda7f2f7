import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { fromBase64url, textOf, toBase64url, utf8 } from '../../test/bytes.js';
import { P256, P384, X25519 } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

const ALG = 'ECDH-ES+A256KW';
const text = new TextEncoder().encode('{"name":"John Doe"}');
const accept = { algs: [ALG] } as const;

describe.each(['P-256', 'X25519'])('keys on %s', (crv) => {
  test('a token of jose is opened', async () => {
    const { publicKey, privateKey } = await generateKeyPair(ALG, { crv, extractable: true });
    const key = await importKey({ ...(await exportJWK(privateKey)), kid: 'k' });
    for (const parties of [{}, { apu: new Uint8Array([1, 2]), apv: new Uint8Array([3]) }]) {
      const token = await new CompactEncrypt(text)
        .setProtectedHeader({ alg: ALG, enc: 'A256GCM', kid: 'k' })
        .setKeyManagementParameters(parties)
        .encrypt(publicKey);
      expect((await decryptJwe(token, key, accept)).plaintext).toEqual(text);
    }
  });

  test('a token of ours is opened by jose', async () => {
    const { privateKey, publicKey } = await generateKeyPair(ALG, { crv, extractable: true });
    const token = await encryptJwe(text, await importKey(await exportJWK(publicKey)));
    const opened = await compactDecrypt(token, await importJWK(await exportJWK(privateKey), ALG));
    expect(new Uint8Array(opened.plaintext)).toEqual(text);
  });

  test('a key ring makes them, publishes them and opens what is encrypted to them', async () => {
    const keyRing = await createKeyRing({ alg: ALG, crv: crv as 'P-256' });
    const [jwk = {}] = keyRing.jwks().keys;
    expect(jwk).toMatchObject({ crv, alg: ALG, use: 'enc' });
    expect(jwk).not.toHaveProperty('d');
    const token = await encryptJwe(text, await importKey(jwk));
    expect((await decryptJwe(token, keyRing, accept)).plaintext).toEqual(text);
    keyRing.close();
  });

  test('PEM of SPKI and PKCS#8 is imported', async () => {
    const { spki, pkcs8 } = crv === 'P-256' ? P256 : X25519;
    const token = await encryptJwe(text, await importKey(spki));
    expect((await decryptJwe(token, await importKey(pkcs8), accept)).plaintext).toEqual(text);
  });

  test('a token is refused unless its algorithm is listed', async () => {
    const keyRing = await createKeyRing({ alg: ALG, crv: crv as 'P-256' });
    const token = await encryptJwe(text, await importKey(keyRing.jwks().keys[0] ?? {}));
    await expect(decryptJwe(token, keyRing)).rejects.toMatchObject({ code: 'token_invalid' });
    keyRing.close();
  });

  test.each([
    ['missing', undefined],
    ['a text', 'x'],
    ['of another curve', { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' }],
    ['not on the curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['of low order', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
  ])('an ephemeral key that is %s is refused as every bad token', async (_, epk) => {
    const keyRing = await createKeyRing({ alg: ALG, crv: crv as 'P-256' });
    const token = await encryptJwe(text, await importKey(keyRing.jwks().keys[0] ?? {}));
    const [head = '', ...rest] = token.split('.');
    const header = { ...JSON.parse(textOf(fromBase64url(head))), epk };
    const forged = [toBase64url(utf8(JSON.stringify(header))), ...rest].join('.');
    await expect(decryptJwe(forged, keyRing, accept)).rejects.toMatchObject({
      code: 'token_invalid',
      message: 'The encrypted payload is not acceptable',
    });
    keyRing.close();
  });
});

test('other curves are refused', async () => {
  await expect(importKey(P384.spki)).rejects.toMatchObject({ code: 'key_invalid' });
});
