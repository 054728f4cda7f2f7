import { describe, expect, it } from 'vitest';
import { errorOf, everythingOf, secretsOf } from '../../test/keys-fixtures.js';
import { P256, RSA } from '../../test/stored-keys.js';
import { importKey } from './import-key.js';

describe('a private key that is not for decryption', () => {
  const [pair] = RSA;

  it.each<[what: string, members: object]>([
    ['use sig', { use: 'sig' }],
    ['key_ops of signatures', { key_ops: ['sign'] }],
    ['the alg of a signature', { alg: 'RS256' }],
  ])('is refused before any token can meet it: %s', async (_, members) => {
    const error = await errorOf(importKey({ ...pair.privateJwk, ...members }));
    expect(error).toMatchObject({ code: 'key_invalid' });
    for (const secret of secretsOf(pair)) expect(everythingOf(error)).not.toContain(secret);
  });

  it('is refused of every type', async () => {
    for (const { privateJwk } of [pair, P256])
      expect(await errorOf(importKey({ ...privateJwk, use: 'sig' }))).toMatchObject({ code: 'key_invalid' });
  });
});
