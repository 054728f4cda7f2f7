import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, randomBytes, utf8 } from '../../test/bytes.js';
import { decryptionKeyOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import * as portable from './platform.js';
import * as node from './platform.node.js';
import { unwrapByRsa } from './rsa-oaep.js';

/* What is there twice does the same twice: in Node, both can be asked. */

const BOTH = Object.entries({ 'in browsers and workers': portable, 'in Node': node });
const aad = utf8('protected');
const plaintext = utf8('{"name":"Zoë"}');

describe.each(BOTH)('base64url %s', (_name, { encodeBase64url, decodeLoosely }) => {
  it.each([0, 1, 2, 3, 61, 62, 63, 0x7fff, 0x8000, 0x8001, 65_536])(
    'writes %i bytes as Node’s own Buffer does, and reads them again',
    (length) => {
      const bytes = randomBytes(length);
      const text = Buffer.from(bytes).toString('base64url');
      expect(encodeBase64url(bytes)).toBe(text);
      expect(decodeLoosely(text)).toEqual(bytes);
    },
  );

  it('writes every byte with the alphabet that is safe in URLs', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => (i * 251) % 256);
    expect(encodeBase64url(bytes)).toMatch(/^[\w-]+$/);
    expect(decodeLoosely(encodeBase64url(bytes))).toEqual(bytes);
    expect(encodeBase64url(Uint8Array.of(0xfb, 0xef, 0xbe, 0xff, 0xff))).toBe('----__8');
    expect(decodeLoosely('----__8')).toEqual(Uint8Array.of(0xfb, 0xef, 0xbe, 0xff, 0xff));
  });

  it('writes the part of a memory that it is given, and reads into one of its own', () => {
    expect(encodeBase64url(utf8('xxfoobarxx').subarray(2, 8))).toBe('Zm9vYmFy');
    expect(decodeLoosely('Zm9vYmFy').buffer.byteLength).toBe(6);
  });
});

describe.each(BOTH)('AES-GCM %s', (_name, { sealGcm, openGcm }) => {
  it.each([16, 32])('is opened by both, with a key of %i bytes', async (size) => {
    const cek = randomBytes(size);
    const sealed = { ...(await sealGcm(cek, { plaintext, aad })), aad };
    expect([sealed.iv, sealed.tag].map(({ length }) => length)).toEqual([12, 16]);
    for (const [, platform] of BOTH) expect(await platform.openGcm(cek, sealed)).toEqual(plaintext);
  });

  it('has another IV each time', async () => {
    const cek = randomBytes(32);
    const ivs = await Promise.all(Array.from({ length: 50 }, () => sealGcm(cek, { plaintext, aad })));
    expect(new Set(ivs.map(({ iv }) => iv.join())).size).toBe(50);
  });

  it('rejects when anything was altered', async () => {
    const cek = randomBytes(32);
    const sealed = { ...(await sealGcm(cek, { plaintext, aad })), aad };
    for (const part of ['iv', 'ciphertext', 'tag', 'aad'] as const) {
      const altered = { ...sealed, [part]: sealed[part].map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
      await expect(openGcm(cek, altered), part).rejects.toThrow();
    }
    await expect(openGcm(randomBytes(32), sealed)).rejects.toThrow();
  });
});

describe.each(BOTH)('RSA-OAEP %s', (_name, { encryptByRsa }) => {
  it.each(['SHA-256', 'SHA-1'])('encrypts with %s, where the key is for it', async (hash) => {
    const params = { name: 'RSA-OAEP', hash };
    const to = await crypto.subtle.importKey('jwk', RSA[0].publicJwk, params, false, ['encrypt']);
    const from = await crypto.subtle.importKey('jwk', RSA[0].privateJwk, params, false, ['decrypt']);
    expect(await unwrapByRsa(from, await encryptByRsa(to, plaintext))).toEqual(plaintext);
  });

  it('encrypts what an imported key opens', async () => {
    const params = { name: 'RSA-OAEP', hash: 'SHA-256' };
    const to = await crypto.subtle.importKey('jwk', RSA[0].publicJwk, params, false, ['encrypt']);
    const key = await decryptionKeyOf(RSA[0]);
    const opened = await key.unwrap(await encryptByRsa(to, plaintext), { alg: key.alg, enc: 'A256GCM' });
    expect(opened).toEqual(plaintext);
  });
});

describe.each(BOTH)('HKDF %s', (_name, { hkdf }) => {
  it('derives what RFC 5869 appendix A.3 publishes', async () => {
    const derive = await hkdf(new Uint8Array(22).fill(0x0b));
    expect(await derive(new Uint8Array(), 42)).toEqual(
      fromHex('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'),
    );
  });

  it.each([1, 31, 32, 33, 64, 65])('derives %i bytes as OpenSSL does', async (length) => {
    const [secret, info] = [randomBytes(32), randomBytes(40)];
    const expected = new Uint8Array(hkdfSync('sha256', secret, '', info, length));
    expect(await (await hkdf(Uint8Array.from(secret)))(Uint8Array.from(info), length)).toEqual(expected);
  });
});
