import type { JWK } from 'jose';
import { expect, it } from 'vitest';
import { decryptJwe } from '../src/jwe/decrypt.js';
import { encryptJwe } from '../src/jwe/encrypt.js';
import { importKey } from '../src/keys/import-key.js';
import { asDecryptionKey, asEncryptionKey } from '../src/keys/key.js';
import { createKeyRing } from '../src/keys/key-ring.js';
import { textOf, utf8 } from './bytes.js';
import { RSA } from './stored-keys.js';

/** Another implementation, reduced to what both sides of a call need of it. */
export interface Implementation {
  encrypt(plaintext: string, publicJwk: JWK, kid: string | undefined): Promise<string>;
  decrypt(token: string, privateJwk: JWK): Promise<string>;
}

const [pair] = RSA;
const PLAINTEXTS = ['{"name":"Zoë Ünal \u{1f600}","account_number":"007"}', '0', ' ', 'x'.repeat(10_000)];

/** What both ends of a call have to understand of each other. Called where tests are defined. */
export function testInterop(theirs: Implementation): void {
  it.each([undefined, '1654876509'])(
    'makes tokens with the kid %j that we open by key and by ring',
    async (kid) => {
      const own = asDecryptionKey(await importKey(pair.privateJwk, { kid: kid ?? 'ours' }));
      const ring = await createKeyRing({ keys: own });
      for (const plaintext of PLAINTEXTS) {
        const token = await theirs.encrypt(plaintext, pair.publicJwk, kid);
        for (const keys of [own, ring]) {
          const opened = await decryptJwe(token, keys, { requireKid: kid !== undefined });
          expect(textOf(opened.plaintext)).toBe(plaintext);
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
        const token = await encryptJwe(utf8(plaintext), key, { cty: 'json' });
        expect(await theirs.decrypt(token, privateJwk)).toBe(plaintext);
      }
    },
  );

  it('opens what is encrypted to the JWKS of our ring', async () => {
    const ring = await createKeyRing({ keys: await importKey(pair.privateJwk) });
    const [published] = ring.jwks().keys;
    const token = await theirs.encrypt('both ways', published ?? {}, published?.kid);
    expect(textOf((await decryptJwe(token, ring)).plaintext)).toBe('both ways');
  });
}
