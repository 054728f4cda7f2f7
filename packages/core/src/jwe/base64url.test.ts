import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64url } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { decodeBase64url } from './base64url.js';

describe('decodeBase64url', () => {
  it('decodes what base64url encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeBase64url(toBase64url(bytes))).toEqual(bytes);
      }),
      runs(100),
    );
  });

  // RFC 4648 §10, with the padding left out
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('decodes the published vector %j', (text, encoded) => {
    expect(decodeBase64url(encoded)).toEqual(new TextEncoder().encode(text));
  });

  it('knows one spelling of every value', async () => {
    const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
    for (const prefix of ['A', 'AA']) {
      const accepted: string[] = [];
      for (const last of alphabet) {
        const refused = await errorOf(() => {
          decodeBase64url(prefix + last);
          throw new Error('decoded');
        });
        if (refused instanceof Error && refused.message === 'decoded') accepted.push(last);
        else expect(refused).toMatchObject({ code: 'token_invalid' });
      }
      expect(accepted).toHaveLength(prefix.length === 1 ? 4 : 16);
    }
  });

  it('refuses a length that no bytes have', async () => {
    for (const segment of ['A', 'AAAAA', 'Zm9vY']) {
      expect(await errorOf(() => decodeBase64url(segment))).toMatchObject({ code: 'token_invalid' });
    }
  });
});
