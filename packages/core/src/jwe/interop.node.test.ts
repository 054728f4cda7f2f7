import { JWE, JWK as NodeJoseJwk } from 'node-jose';
import { describe, expect, it } from 'vitest';
import { textOf, utf8 } from '../../test/bytes.js';
import { type Implementation, testInterop } from '../../test/interop.js';
import { bytesOf } from '../../test/jwe-forge.js';
import { RSA } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

const [pair] = RSA;
const NODE_JOSE = { format: 'compact', contentAlg: 'A256GCM', fields: { alg: 'RSA-OAEP-256' } } as const;

const nodeJose: Implementation = {
  encrypt: async (plaintext, publicJwk, kid) => {
    const key = await NodeJoseJwk.asKey({ ...publicJwk, ...(kid !== undefined && { kid }) });
    // `reference` is the header member that names the key; its types do not know it.
    const recipient = { key, reference: kid === undefined ? false : 'kid' } as unknown as NodeJoseJwk.Key;
    return JWE.createEncrypt(NODE_JOSE, recipient).update(Buffer.from(plaintext)).final();
  },
  decrypt: async (token, privateJwk) => {
    const { plaintext } = await JWE.createDecrypt(await NodeJoseJwk.asKey(privateJwk)).decrypt(token);
    return plaintext.toString('utf8');
  },
};

describe('node-jose', () => testInterop(nodeJose));

describe('the kid that node-jose gives a key by itself', () => {
  it('is the thumbprint that we give it too, so both ends find the key', async () => {
    const theirKey = await NodeJoseJwk.asKey(pair.publicJwk);
    const own = await importKey(pair.privateJwk);
    expect(theirKey.kid).toBe(own.kid);
    const token = await JWE.createEncrypt(NODE_JOSE, theirKey).update('own kid').final();
    expect(JSON.parse(textOf(bytesOf(token)[0] ?? utf8(''))).kid).toBe(own.kid);
    const opened = await decryptJwe(token, await createKeyRing({ keys: own }), { requireKid: true });
    expect(textOf(opened.plaintext)).toBe('own kid');
  });

  it('is found by a node-jose key store in the tokens that we make', async () => {
    const store = NodeJoseJwk.createKeyStore();
    await store.add({ ...pair.privateJwk });
    const token = await encryptJwe(utf8('found'), await importKey(pair.publicJwk));
    const { plaintext } = await JWE.createDecrypt(store).decrypt(token);
    expect(plaintext.toString()).toBe('found');
  });
});
