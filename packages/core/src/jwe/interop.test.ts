import { createRequire } from 'node:module';
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';
import { JWE, JWK as NodeJoseJwk } from 'node-jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bytesOf } from '../../test/jwe-forge.js';
import { rsaPair } from '../../test/keys-fixtures.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, asEncryptionKey } from '../keys/key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

/** The part of js-jose that is used here. Its own types need the DOM and would change the global ones. */
interface JsJose {
  readonly WebCryptographer: new () => {
    setKeyEncryptionAlgorithm(name: string): void;
    setContentEncryptionAlgorithm(name: string): void;
  };
  readonly Utils: {
    importRsaPublicKey(jwk: JWK, alg: string): Promise<unknown>;
    importRsaPrivateKey(jwk: JWK, alg: string): Promise<unknown>;
  };
  readonly JoseJWE: {
    readonly Encrypter: new (
      cryptographer: unknown,
      key: Promise<unknown>,
    ) => { addHeader(name: string, value: string): void; encrypt(plaintext: string): Promise<string> };
    readonly Decrypter: new (
      cryptographer: unknown,
      key: Promise<unknown>,
    ) => { decrypt(token: string): Promise<string> };
  };
}

/** Another implementation, reduced to what both sides of a call need of it. */
interface Implementation {
  encrypt(plaintext: string, publicJwk: JWK, kid: string | undefined): Promise<string>;
  decrypt(token: string, privateJwk: JWK): Promise<string>;
}

const jose: Implementation = {
  encrypt: async (plaintext, publicJwk, kid) =>
    new CompactEncrypt(Buffer.from(plaintext))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...(kid !== undefined && { kid }) })
      .encrypt(await importJWK(publicJwk, 'RSA-OAEP-256')),
  decrypt: async (token, privateJwk) => {
    const { plaintext } = await compactDecrypt(token, await importJWK(privateJwk, 'RSA-OAEP-256'));
    return new TextDecoder().decode(plaintext);
  },
};

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

let library: JsJose;
beforeAll(() => {
  vi.stubGlobal('window', globalThis); // js-jose looks for the browser's crypto when it is loaded
  library = createRequire(import.meta.url)('jose-jwe-jws').Jose;
});
afterAll(() => {
  vi.unstubAllGlobals();
});

const jsJose: Implementation = {
  encrypt: async (plaintext, publicJwk, kid) => {
    const key = library.Utils.importRsaPublicKey({ ...publicJwk }, 'RSA-OAEP-256');
    const encrypter = new library.JoseJWE.Encrypter(cryptographer(), key);
    if (kid !== undefined) encrypter.addHeader('kid', kid);
    return encrypter.encrypt(plaintext);
  },
  decrypt: async (token, privateJwk) => {
    const key = library.Utils.importRsaPrivateKey({ ...privateJwk }, 'RSA-OAEP-256');
    return new library.JoseJWE.Decrypter(cryptographer(), key).decrypt(token);
  },
};

function cryptographer(): InstanceType<JsJose['WebCryptographer']> {
  const made = new library.WebCryptographer();
  made.setKeyEncryptionAlgorithm('RSA-OAEP-256');
  made.setContentEncryptionAlgorithm('A256GCM');
  return made;
}

const pair = rsaPair();
const PLAINTEXTS = ['{"name":"Zoë Ünal \u{1f600}","account_number":"007"}', '0', ' ', 'x'.repeat(10_000)];

describe.each(Object.entries({ jose, 'node-jose': nodeJose, 'js-jose': jsJose }))('%s', (_name, theirs) => {
  it.each([undefined, '1654876509'])(
    'makes tokens with the kid %j that we open by key and by ring',
    async (kid) => {
      const own = asDecryptionKey(await importKey(pair.privateJwk, { kid: kid ?? 'ours' }));
      const ring = await createKeyRing({ keys: own });
      for (const plaintext of PLAINTEXTS) {
        const token = await theirs.encrypt(plaintext, pair.publicJwk, kid);
        for (const keys of [own, ring]) {
          const opened = await decryptJwe(token, keys, { requireKid: kid !== undefined });
          expect(new TextDecoder().decode(opened.plaintext)).toBe(plaintext);
          expect(opened.header.kid).toBe(kid);
        }
      }
    },
  );

  it.each([undefined, '1654876509'])(
    'opens the tokens that we make for a key with the kid %j',
    async (kid) => {
      const key = asEncryptionKey(await importKey({ ...pair.publicJwk, ...(kid !== undefined && { kid }) }));
      const privateJwk = { ...pair.privateJwk, kid: key.kid };
      for (const plaintext of PLAINTEXTS) {
        const token = await encryptJwe(Buffer.from(plaintext), key, { cty: 'json' });
        expect(await theirs.decrypt(token, privateJwk)).toBe(plaintext);
      }
    },
  );

  it('opens what is encrypted to the JWKS of our ring', async () => {
    const ring = await createKeyRing({ keys: await importKey(pair.privateJwk) });
    const [published] = ring.jwks().keys;
    const token = await theirs.encrypt('both ways', published ?? {}, published?.kid);
    expect(new TextDecoder().decode((await decryptJwe(token, ring)).plaintext)).toBe('both ways');
  });
});

describe('the kid that node-jose gives a key by itself', () => {
  it('is the thumbprint that we give it too, so both ends find the key', async () => {
    const theirKey = await NodeJoseJwk.asKey(pair.publicJwk);
    const own = await importKey(pair.privateJwk);
    expect(theirKey.kid).toBe(own.kid);
    const token = await JWE.createEncrypt(NODE_JOSE, theirKey).update('own kid').final();
    expect(JSON.parse(Buffer.from(bytesOf(token)[0] ?? []).toString()).kid).toBe(own.kid);
    const opened = await decryptJwe(token, await createKeyRing({ keys: own }), { requireKid: true });
    expect(new TextDecoder().decode(opened.plaintext)).toBe('own kid');
  });

  it('is found by a node-jose key store in the tokens that we make', async () => {
    const store = NodeJoseJwk.createKeyStore();
    await store.add({ ...pair.privateJwk });
    const token = await encryptJwe(Buffer.from('found'), await importKey(pair.publicJwk));
    const { plaintext } = await JWE.createDecrypt(store).decrypt(token);
    expect(plaintext.toString()).toBe('found');
  });
});
