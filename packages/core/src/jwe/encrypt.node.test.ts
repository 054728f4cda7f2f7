import { expect, it } from 'vitest';
import { fromHex, toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { importKey } from '../keys/import-key.js';
import { encryptJwe } from './encrypt.js';

// A browser refuses the key where it is imported.
it('encryptJwe fails closed on a modulus that no RSA key can have', async () => {
  const even = toBase64url(fromHex('f0'.repeat(256)));
  const key = await importKey({ kty: 'RSA', n: even, e: 'AQAB' });
  expect(await errorOf(encryptJwe(utf8('canary-7d1f'), key))).toMatchObject({ code: 'encryption_failed' });
});
