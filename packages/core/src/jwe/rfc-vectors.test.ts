import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { fromBase64url, textOf, toBase64url, utf8 } from '../../test/bytes.js';
import { bytesOf, spied } from '../../test/jwe-forge.js';
import {
  type JsonJwe,
  RFC7516_A1,
  RFC7516_A2,
  RFC7516_A2_KEY,
  RFC7516_A3,
  RFC7516_A4,
  RFC7516_A5,
  RFC7520_CEKS,
  RFC7520_JSON,
  RFC7520_KEYS,
  RFC7520_NESTED,
  RFC7520_PLAINTEXT,
  RFC7520_TOKENS,
} from '../../test/jwe-vectors.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { verificationKeys } from '../jws/verification-keys.js';
import { importKey } from '../keys/import-key.js';
import { asDecryptionKey, type DecryptionKey } from '../keys/key.js';
import { importSharedSecret } from '../keys/shared-secret.js';
import { openCbc } from './aes-cbc-hmac.js';
import { unwrapByGcm } from './aes-gcm-kw.js';
import { CONTENT_SIZES, type ContentAlgorithm, KEY_ALGORITHMS } from './algorithms.js';
import { checkJwe, type DecryptJweOptions, decryptJwe } from './decrypt.js';
import { reagree } from './ecdh.js';
import type { ProtectedHeader } from './protected-header.js';
import { allowRsaOaepSha1 } from './sha1.js';

/* Examples that the RFCs publish: what we support opens, the rest is refused before any key is used. */

const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/[\da-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('RFC 7518', () => {
  const KERCKHOFFS = {
    cek: Uint8Array.from({ length: 64 }, (_, i) => i),
    plaintext:
      'A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience',
    iv: hex('1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04'),
    aad: Uint8Array.from(utf8('The second principle of Auguste Kerckhoffs')),
    ciphertext: hex(`
      4a ff aa ad b7 8c 31 c5 da 4b 1b 59 0d 10 ff bd 3d d8 d5 d3 02 42 35 26 91 2d a0 37 ec bc c7 bd
      82 2c 30 1d d6 7c 37 3b cc b5 84 ad 3e 92 79 c2 e6 d1 2a 13 74 b7 7f 07 75 53 df 82 94 10 44 6b
      36 eb d9 70 66 29 6a e6 42 7e a7 5c 2e 08 46 a1 1a 09 cc f5 37 0d c8 0b fe cb ad 28 c7 3f 09 b3
      a3 b7 5e 66 2a 25 94 41 0a e4 96 b2 e2 e6 60 9e 31 e6 e0 2c c8 37 f0 53 d2 1f 37 ff 4f 51 95 0b
      be 26 38 d0 9d d7 a4 93 09 30 80 6d 07 03 b1 f6`),
    tag: hex(
      '4d d3 b4 c0 88 a7 f4 5c 21 68 39 64 5b 20 12 bf 2e 62 69 a8 c5 6a 81 6d bc 1b 26 77 61 95 5b c5',
    ),
  };

  it('appendix B.3: A256CBC-HS512', async () => {
    expect(textOf(await openCbc(KERCKHOFFS.cek, KERCKHOFFS))).toBe(KERCKHOFFS.plaintext);
  });

  it('appendix B.3 with one bit changed anywhere', async () => {
    for (const part of ['iv', 'aad', 'ciphertext', 'tag'] as const) {
      const bytes = KERCKHOFFS[part];
      for (const at of [0, bytes.length - 1]) {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
        const opened = openCbc(KERCKHOFFS.cek, { ...KERCKHOFFS, [part]: changed });
        expect(await errorOf(opened), part).toMatchObject({ code: 'token_invalid' });
      }
    }
  });

  it('appendix C: the key that ECDH-ES agrees on', async () => {
    const bob = {
      kty: 'EC',
      crv: 'P-256',
      x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
      y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck',
      d: 'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw',
    };
    const header = {
      alg: 'ECDH-ES',
      enc: 'A128GCM',
      apu: 'QWxpY2U',
      apv: 'Qm9i',
      epk: {
        kty: 'EC',
        crv: 'P-256',
        x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
        y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
      },
    } as const;
    const params = { name: 'ECDH', namedCurve: 'P-256' };
    const key = await crypto.subtle.importKey('jwk', bob, params, false, ['deriveBits']);
    const agreed = await reagree(key, new Uint8Array(), header, { alg: 'ECDH-ES', enc: 'A128GCM', size: 16 });
    expect(toBase64url(agreed)).toBe('VqqN6vgjbSBcIijNcacQGg');
  });
});

/** A key for RSA-OAEP with SHA-1, which none is made for unless it is asked for. */
async function sha1Key(jwk: JWK): Promise<DecryptionKey> {
  return asDecryptionKey(await importKey(jwk, { alg: 'RSA-OAEP', [allowRsaOaepSha1]: true }));
}

/** Accepts whatever there is, and what a token's own header says as well. */
function everything({ alg, enc }: { readonly alg?: unknown; readonly enc?: unknown }): DecryptJweOptions {
  const encs = Object.keys(CONTENT_SIZES) as ContentAlgorithm[]; // the names of its rows
  return { algs: [...KEY_ALGORITHMS, alg as 'dir'], encs: [...encs, enc as 'A256GCM'] };
}

function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(textOf(bytesOf(token)[0] ?? utf8('{}')));
}

const anyKey = await decryptionKeyOf(RSA[0]);

/** Whatever the options list, and without a key operation. */
async function expectRefused(token: unknown, header: object, key: DecryptionKey = anyKey): Promise<void> {
  const watched = spied({ ...key, alg: Object(header).alg });
  const error = await errorOf(() => checkJwe(token, watched, everything(header)));
  expect(error).toMatchObject({ code: 'token_invalid', message: 'The encrypted payload is not acceptable' });
  expect(await errorOf(decryptJwe(token as string, watched, everything(header)))).toEqual(error);
  expect(watched.unwrap).not.toHaveBeenCalled();
}

describe('RFC 7516', () => {
  it('appendix A.1, RSA-OAEP, opens where SHA-1 is asked for by its symbol', async () => {
    const key = await sha1Key(RFC7516_A1.key);
    const { plaintext } = await decryptJwe(RFC7516_A1.token, key, { algs: ['RSA-OAEP'] });
    expect(textOf(plaintext)).toBe(RFC7516_A1.plaintext);
    expect(await errorOf(decryptJwe(RFC7516_A1.token, key))).toMatchObject({ code: 'token_invalid' });
    expect(await errorOf(importKey(RFC7516_A1.key, { alg: 'RSA-OAEP' }))).toMatchObject({
      code: 'key_invalid',
    });
  });

  it('appendix A.2, RSA1_5, is refused with the very key that it is for', async () => {
    await expectRefused(RFC7516_A2, headerOf(RFC7516_A2), asDecryptionKey(await importKey(RFC7516_A2_KEY)));
  });

  it('appendix A.3, A128KW, is refused: it is not supported', async () => {
    await expectRefused(RFC7516_A3, headerOf(RFC7516_A3));
  });

  it.each([
    ['A.4, general JSON serialisation', RFC7516_A4],
    ['A.5, flattened JSON serialisation', RFC7516_A5],
  ])('appendix %s, is refused where a compact token is due', async (_section, jwe) => {
    await expectRefusedInJson(jwe);
  });
});

/** As the text that was sent, and as what a JSON parser made of it. */
async function expectRefusedInJson(jwe: JsonJwe): Promise<void> {
  const algs = ['RSA1_5', 'A128KW', 'ECDH-ES+A256KW', 'A256GCMKW', 'RSA-OAEP', 'dir'];
  for (const alg of algs) {
    for (const enc of ['A128CBC-HS256', 'A128GCM', 'A256GCM']) {
      for (const token of [JSON.stringify(jwe), jwe]) await expectRefused(token, { alg, enc });
    }
  }
}

describe('RFC 7520', () => {
  const token = (section: keyof typeof RFC7520_TOKENS): string => RFC7520_TOKENS[section].join('.');

  it('section 5.2, RSA-OAEP with A256GCM, opens where SHA-1 is asked for', async () => {
    const key = await sha1Key(RFC7520_KEYS['5.2']);
    const { plaintext, header } = await decryptJwe(token('5.2'), key, { algs: ['RSA-OAEP'] });
    expect(textOf(plaintext)).toBe(RFC7520_PLAINTEXT);
    expect(header.kid).toBe('samwise.gamgee@hobbiton.example');
  });

  it('section 5.6, dir with A128GCM, opens', async () => {
    const jwk = RFC7520_KEYS['5.6'];
    const { decryptionKey } = await importSharedSecret(jwk, { kid: jwk.kid, alg: 'dir' });
    const accepted: DecryptJweOptions = { algs: ['dir'], encs: ['A128GCM'] };
    const { plaintext } = await decryptJwe(token('5.6'), decryptionKey, accepted);
    expect(textOf(plaintext)).toBe(RFC7520_PLAINTEXT);
  });

  it.each([
    ['5.1', 'RSA1_5'],
    ['5.3', 'PBES2-HS512+A256KW'],
    ['5.4', 'ECDH-ES+A128KW'],
    ['5.5', 'A128CBC-HS256'],
    ['5.7', 'A128CBC-HS256'],
    ['5.8', 'A128KW'],
    ['5.9', 'A128KW, and compression'],
  ] as const)('section %s is refused: there is no %s', async (section, _absent) => {
    await expectRefused(token(section), headerOf(token(section)));
  });

  it('section 5.4: its key, on P-384, is refused already', async () => {
    expect(await errorOf(importKey(RFC7520_KEYS['5.4']))).toMatchObject({ code: 'key_invalid' });
  });

  it('section 5.5: the key that ECDH-ES agrees on is the published one', async () => {
    const { use: _, ...jwk } = RFC7520_KEYS['5.5'];
    const params = { name: 'ECDH', namedCurve: 'P-256' };
    const key = await crypto.subtle.importKey('jwk', jwk, params, false, ['deriveBits']);
    // An algorithm that only its name is needed of.
    const use = { alg: 'ECDH-ES', enc: 'A128CBC-HS256' as ContentAlgorithm, size: 32 } as const;
    const header = headerOf(token('5.5')) as ProtectedHeader;
    const agreed = await reagree(key, new Uint8Array(), header, use);
    expect(toBase64url(agreed)).toBe(RFC7520_CEKS['5.5']);
  });

  it.each(['5.7', '5.13'] as const)('section %s: A256GCMKW unwraps the published CEK', async (section) => {
    const secret = fromBase64url(String(RFC7520_KEYS['5.7'].k));
    const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['decrypt']);
    const wrapped = {
      '5.7': { encrypted_key: RFC7520_TOKENS['5.7'][1], header: headerOf(token('5.7')) },
      '5.13': RFC7520_JSON['5.13'].recipients?.[2],
    }[section];
    const header = wrapped?.header as ProtectedHeader; // of which only the IV and the tag are read
    const cek = await unwrapByGcm(key, fromBase64url(String(wrapped?.encrypted_key)), header);
    expect(toBase64url(cek)).toBe(RFC7520_CEKS[section]);
  });

  it.each(Object.entries(RFC7520_TOKENS))(
    'section %s is refused in both JSON serialisations',
    async (_section, [head, encrypted_key, iv, ciphertext, tag]) => {
      const rest = { protected: head, iv, ciphertext, tag };
      await expectRefusedInJson({ ...rest, recipients: [{ encrypted_key }] });
      await expectRefusedInJson({ ...rest, encrypted_key });
    },
  );

  it.each([
    ['5.10, with additional authenticated data', RFC7520_JSON['5.10']],
    ['5.11, with an algorithm that nothing protects', RFC7520_JSON['5.11']],
    ['5.12, with no protected header at all', RFC7520_JSON['5.12']],
    ['5.13, for three recipients', RFC7520_JSON['5.13']],
  ])('section %s, is refused: it has no compact serialisation', async (_section, jwe) => {
    await expectRefusedInJson(jwe);
  });
});

describe('RFC 7520 section 6, a signature within an encryption', () => {
  const { jws, claims, signingKey } = RFC7520_NESTED;

  it('opens to the very JWS, and says so in its header', async () => {
    const key = await sha1Key(RFC7520_KEYS['5.2']);
    const accepted: DecryptJweOptions = { algs: ['RSA-OAEP'], encs: ['A128GCM'] };
    const { plaintext, header } = await decryptJwe(RFC7520_NESTED.token, key, accepted);
    expect(textOf(plaintext)).toBe(jws);
    expect(header.cty).toBe('JWT');
  });

  it('holds a good signature, which names no key: only one may be meant', async () => {
    const one = { key: signingKey, alg: 'PS256', kid: signingKey.kid } as const;
    const { payload, kid } = await (await verificationKeys([one])).verify(jws);
    expect([textOf(payload), kid]).toEqual([claims, signingKey.kid]);
    const several = await verificationKeys([one, { ...one, kid: 'another' }]);
    expect(await errorOf(several.verify(jws))).toMatchObject({ code: 'token_invalid' });
  });
});
