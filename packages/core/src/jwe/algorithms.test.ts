import { CompactEncrypt, type CryptoKey, compactDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { P256, RSA, X25519 } from '../../test/stored-keys.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, asEncryptionKey, type DecryptionKey, type EncryptionKey } from '../keys/key.js';
import { importSharedSecret, type SharedSecretAlgorithm } from '../keys/shared-secret.js';
import { CONTENT_SIZES, type ContentAlgorithm, type KeyAlgorithm } from './algorithms.js';
import { decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';
import { allowRsaOaepSha1 } from './sha1.js';

/* Every algorithm with every other, both ways with jose, which implements them by other code. */

const ENCS = Object.keys(CONTENT_SIZES) as ContentAlgorithm[];
const PLAINTEXT = new TextEncoder().encode('{"name":"Zoë"}');

interface Ends {
  readonly to: EncryptionKey;
  readonly from: DecryptionKey;
  /** For jose: what it encrypts to and decrypts with. */
  readonly theirs: readonly [to: CryptoKey | Uint8Array, from: CryptoKey | Uint8Array];
}

async function rsa(alg: KeyAlgorithm): Promise<Ends> {
  const options = { alg, [allowRsaOaepSha1]: alg === 'RSA-OAEP' };
  const hash = alg === 'RSA-OAEP' ? 'SHA-1' : 'SHA-256';
  const params = { name: 'RSA-OAEP', hash };
  return {
    to: asEncryptionKey(await importKey(RSA[0].spki, options)),
    from: asDecryptionKey(await importKey(RSA[0].pkcs8, options)),
    theirs: [
      await crypto.subtle.importKey('jwk', RSA[0].publicJwk, params, false, ['encrypt']),
      await crypto.subtle.importKey('jwk', RSA[0].privateJwk, params, false, ['decrypt']),
    ],
  };
}

async function curve(alg: KeyAlgorithm, pair: typeof P256 | typeof X25519): Promise<Ends> {
  const params = pair === P256 ? { name: 'ECDH', namedCurve: 'P-256' } : { name: 'X25519' };
  return {
    to: asEncryptionKey(await importKey(pair.publicJwk, { alg })),
    from: asDecryptionKey(await importKey(pair.privateJwk, { alg })),
    theirs: [
      await crypto.subtle.importKey('jwk', pair.publicJwk, params, true, []),
      await crypto.subtle.importKey('jwk', pair.privateJwk, params, true, ['deriveBits']),
    ],
  };
}

async function secret(alg: SharedSecretAlgorithm, size: number): Promise<Ends> {
  const bytes = crypto.getRandomValues(new Uint8Array(size));
  const { encryptionKey, decryptionKey } = await importSharedSecret(bytes, { kid: 'shared', alg });
  return { to: encryptionKey, from: decryptionKey, theirs: [bytes, bytes] };
}

const KEYS: readonly (readonly [
  name: string,
  alg: KeyAlgorithm,
  ends: (enc: ContentAlgorithm) => Promise<Ends>,
])[] = [
  ['RSA-OAEP-256', 'RSA-OAEP-256', () => rsa('RSA-OAEP-256')],
  ['RSA-OAEP', 'RSA-OAEP', () => rsa('RSA-OAEP')],
  ['ECDH-ES on P-256', 'ECDH-ES', () => curve('ECDH-ES', P256)],
  ['ECDH-ES on X25519', 'ECDH-ES', () => curve('ECDH-ES', X25519)],
  ['ECDH-ES+A256KW on P-256', 'ECDH-ES+A256KW', () => curve('ECDH-ES+A256KW', P256)],
  ['ECDH-ES+A256KW on X25519', 'ECDH-ES+A256KW', () => curve('ECDH-ES+A256KW', X25519)],
  ['A256KW', 'A256KW', () => secret('A256KW', 32)],
  ['A256GCMKW', 'A256GCMKW', () => secret('A256GCMKW', 32)],
  ['dir', 'dir', (enc) => secret('dir', CONTENT_SIZES[enc].cek)],
];

describe.each(KEYS)('%s', (_name, alg, endsFor) => {
  describe.each(ENCS)('with %s', (enc) => {
    const accepts = { algs: [alg], encs: [enc] };

    it('opens what it has sealed', async () => {
      const { to, from } = await endsFor(enc);
      const token = await encryptJwe(PLAINTEXT, to, { enc });
      const { plaintext, header } = await decryptJwe(token, from, accepts);
      expect(plaintext).toEqual(PLAINTEXT);
      expect(header).toMatchObject({ alg, enc, kid: to.kid });
    });

    it('makes a new key for each token', async () => {
      const { to } = await endsFor(enc);
      const [one, two] = await Promise.all([0, 1].map(() => encryptJwe(PLAINTEXT, to, { enc })));
      const parts = [one, two].map((token) => String(token).split('.'));
      for (const i of [2, 3, 4]) expect(parts[0]?.[i]).not.toBe(parts[1]?.[i]);
      if (alg !== 'dir') expect(parts[0]?.slice(0, 2)).not.toEqual(parts[1]?.slice(0, 2));
    });

    it('is opened by jose, and opens what jose seals', async () => {
      const { to, from, theirs } = await endsFor(enc);
      const ours = await encryptJwe(PLAINTEXT, to, { enc });
      expect((await compactDecrypt(ours, theirs[1])).plaintext).toEqual(PLAINTEXT);
      const sealed = await new CompactEncrypt(PLAINTEXT).setProtectedHeader({ alg, enc }).encrypt(theirs[0]);
      expect((await decryptJwe(sealed, from, accepts)).plaintext).toEqual(PLAINTEXT);
    });

    it('is refused with one and the same error, whichever part is altered', async () => {
      const { to, from } = await endsFor(enc);
      const parts = (await encryptJwe(PLAINTEXT, to, { enc })).split('.');
      for (const [i, part] of parts.entries()) {
        const other = part === '' ? 'AAAA' : flipped(part);
        const altered = parts.map((own, at) => (at === i ? other : own)).join('.');
        expect(await errorOf(decryptJwe(altered, from, accepts)), `part ${i}`).toMatchObject(REFUSAL);
        const emptied = parts.map((own, at) => (at === i ? '' : own)).join('.');
        if (part !== '') expect(await errorOf(decryptJwe(emptied, from, accepts))).toMatchObject(REFUSAL);
      }
    });

    it('is refused unless it is listed', async () => {
      const { to, from } = await endsFor(enc);
      const token = await encryptJwe(PLAINTEXT, to, { enc });
      const otherAlg = alg === 'RSA-OAEP-256' ? 'ECDH-ES' : 'RSA-OAEP-256';
      const otherEnc = enc === 'A256GCM' ? 'A128GCM' : 'A256GCM';
      expect(await errorOf(decryptJwe(token, from, { algs: [otherAlg], encs: [enc] }))).toMatchObject(
        REFUSAL,
      );
      expect(await errorOf(decryptJwe(token, from, { algs: [alg], encs: [otherEnc] }))).toMatchObject(
        REFUSAL,
      );
    });
  });
});

const REFUSAL = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };

/** With another character in the middle, where every bit counts. */
function flipped(part: string): string {
  const at = Math.floor(part.length / 2) - 1;
  return `${part.slice(0, at)}${part[at] === 'A' ? 'B' : 'A'}${part.slice(at + 1)}`;
}

describe('RSA-OAEP with SHA-1', () => {
  it('is not imported unless it is asked for by its symbol', async () => {
    for (const key of [RSA[0].spki, RSA[0].pkcs8, { ...RSA[0].publicJwk, alg: 'RSA-OAEP' }]) {
      expect(await errorOf(importKey(key, { alg: 'RSA-OAEP' }))).toMatchObject({ code: 'key_invalid' });
      expect((await importKey(key, { alg: 'RSA-OAEP', [allowRsaOaepSha1]: true })).alg).toBe('RSA-OAEP');
    }
  });
});
