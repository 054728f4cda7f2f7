import { describe, expect, it } from 'vitest';
import { concat, fromBase64url, randomBytes, toBase64url } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { unwrapByGcm, wrapByGcm } from './aes-gcm-kw.js';
import { cekUse } from './algorithms.js';
import type { ProtectedHeader } from './protected-header.js';

const REFUSAL = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };
const key = await crypto.subtle.importKey('raw', randomBytes(32), 'AES-GCM', false, ['encrypt', 'decrypt']);
const use = cekUse('A256GCMKW', 'A256GCM');

/** A CEK that was wrapped well, but for the size of the IV. */
async function wrapped(
  ivBytes: number,
): Promise<{ encryptedKey: Uint8Array<ArrayBuffer>; header: ProtectedHeader }> {
  const iv = randomBytes(ivBytes);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, randomBytes(32)));
  return {
    encryptedKey: sealed.slice(0, 32),
    header: { alg: use.alg, enc: use.enc, iv: toBase64url(iv), tag: toBase64url(sealed.slice(32)) },
  };
}

describe('unwrapping a CEK by AES-GCM', () => {
  it('gives back what was wrapped', async () => {
    const { cek, encryptedKey, header } = await wrapByGcm(key, use);
    expect(encryptedKey).toHaveLength(32);
    expect(await unwrapByGcm(key, encryptedKey, header as ProtectedHeader)).toEqual(cek);
    const own = await wrapped(12);
    expect(await unwrapByGcm(key, own.encryptedKey, own.header)).toHaveLength(32);
  });

  it.each([13, 16])('refuses a genuine IV of %i bytes', async (size) => {
    const { encryptedKey, header } = await wrapped(size);
    expect(await errorOf(unwrapByGcm(key, encryptedKey, header))).toMatchObject(REFUSAL);
  });

  it.each([-4, -1, 1, 4])('refuses a tag that %i bytes of the encrypted key have moved to', async (by) => {
    const { encryptedKey, header } = await wrapped(12);
    const joined = concat(encryptedKey, fromBase64url(String(header.tag)));
    const moved = { ...header, tag: toBase64url(joined.slice(32 - by)) };
    expect(await errorOf(unwrapByGcm(key, joined.slice(0, 32 - by), moved))).toMatchObject(REFUSAL);
  });

  it.each(['iv', 'tag'])('refuses an `%s` that is missing, or no text', async (member) => {
    const { encryptedKey, header } = await wrapped(12);
    for (const odd of [undefined, null, 12, [header[member]], {}]) {
      const error = await errorOf(unwrapByGcm(key, encryptedKey, { ...header, [member]: odd }));
      expect(error).toMatchObject(REFUSAL);
    }
  });
});
