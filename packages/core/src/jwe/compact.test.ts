import { describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { looksLikeCompactJwe, parseCompactJwe } from './compact.js';

const HEAD = toBase64url(utf8('{"alg":"RSA-OAEP-256","enc":"A256GCM"}'));
const LIMITS = { tokenLength: 1000, headerBytes: 2048 };

describe('parseCompactJwe', () => {
  it('decodes the segments and keeps the header as it stands for authentication', () => {
    const jwe = parseCompactJwe(`${HEAD}.AQ.Ag.AwQ.BQ`, LIMITS);
    expect(jwe.encryptedKey).toEqual(Uint8Array.of(1));
    expect(jwe.iv).toEqual(Uint8Array.of(2));
    expect(jwe.ciphertext).toEqual(Uint8Array.of(3, 4));
    expect(jwe.tag).toEqual(Uint8Array.of(5));
    expect(new TextDecoder().decode(jwe.aad)).toBe(HEAD);
    expect({ ...jwe.header }).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM' });
  });

  it('allows only the ciphertext and the encrypted key to be empty', async () => {
    expect(parseCompactJwe(`${HEAD}.AQ.Ag..BQ`, LIMITS).ciphertext).toHaveLength(0);
    expect(parseCompactJwe(`${HEAD}..Ag.AwQ.BQ`, LIMITS).encryptedKey).toHaveLength(0);
    for (const token of [`${HEAD}.AQ..AwQ.BQ`, `${HEAD}.AQ.Ag.AwQ.`, '.AQ.Ag.AwQ.BQ']) {
      expect(await errorOf(() => parseCompactJwe(token, LIMITS))).toMatchObject({ code: 'token_invalid' });
    }
  });

  it('measures a header before it decodes it', async () => {
    const limits = { ...LIMITS, headerBytes: 37 };
    expect(HEAD.length).toBe(Math.ceil((38 * 4) / 3));
    expect(await errorOf(() => parseCompactJwe(`${HEAD}.AQ.Ag.AwQ.BQ`, limits))).toMatchObject({
      code: 'token_invalid',
    });
    expect(parseCompactJwe(`${HEAD}.AQ.Ag.AwQ.BQ`, { ...LIMITS, headerBytes: 38 }).iv).toHaveLength(1);
  });
});

describe('looksLikeCompactJwe', () => {
  it.each([`${HEAD}.AQ.Ag.AwQ.BQ`, `${HEAD}.AQ.Ag..BQ`, 'eyJ.a.b..c', 'eyJ..b.c.d', 'eyJ_-.a.b.c.d'])(
    'recognises %j',
    (token) => {
      expect(looksLikeCompactJwe(token)).toBe(true);
    },
  );

  const OTHERS: readonly unknown[] = [
    ...['', 'eyJ', 'eyJ....', 'eyJ.a.b.c.', 'eyJ.a.b.c', 'eyJ.a.b.c.d.e', 'eyJ.a..c.d'],
    ...[`${HEAD}.AQ.Ag.AwQ.BQ\n`, ` ${HEAD}.AQ.Ag.AwQ.BQ`, `x${HEAD}.AQ.Ag.AwQ.BQ`, `${HEAD}.AQ.Ag.AwQ.BQ=`],
    ...['a.b.c.d.e', 'W10.a.b.c.d', `${HEAD}.AQ.Ag\n.AwQ.BQ`, undefined, null, 5, {}],
    [`${HEAD}.AQ.Ag.AwQ.BQ`],
  ];

  it('does not take anything else for a token', () => {
    expect(OTHERS.filter(looksLikeCompactJwe)).toEqual([]);
  });
});
