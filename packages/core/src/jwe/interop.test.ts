import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { textOf, utf8 } from '../../test/bytes.js';
import { type Implementation, testInterop } from '../../test/interop.js';

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

const jose: Implementation = {
  encrypt: async (plaintext, publicJwk, kid) =>
    new CompactEncrypt(utf8(plaintext))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...(kid !== undefined && { kid }) })
      .encrypt(await importJWK(publicJwk, 'RSA-OAEP-256')),
  decrypt: async (token, privateJwk) => {
    const { plaintext } = await compactDecrypt(token, await importJWK(privateJwk, 'RSA-OAEP-256'));
    return textOf(plaintext);
  },
};

let library: JsJose;
beforeAll(async () => {
  // js-jose looks for the browser's crypto when it is loaded.
  if (!('window' in globalThis)) vi.stubGlobal('window', globalThis);
  // @ts-expect-error: its types, which would come with its name alone, are left out
  const { default: loaded } = await import('jose-jwe-jws/dist/jose.min.js');
  library = loaded.Jose;
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

describe.each(Object.entries({ jose, 'js-jose': jsJose }))('%s', (_name, theirs) => testInterop(theirs));
