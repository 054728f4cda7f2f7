import { expect, it } from 'vitest';
import { allowRsaOaepSha1, isAllowed } from './sha1.js';

it('RSA-OAEP is allowed where its symbol says `true`, and nowhere else', () => {
  expect(isAllowed('RSA-OAEP', { [allowRsaOaepSha1]: true })).toBe(true);
  for (const options of [
    {},
    { [allowRsaOaepSha1]: false },
    { [allowRsaOaepSha1]: undefined },
    { allowRsaOaepSha1: true },
  ])
    expect(isAllowed('RSA-OAEP', options)).toBe(false);
  // What a caller in plain JavaScript may write.
  expect(isAllowed('RSA-OAEP', { [allowRsaOaepSha1]: 'yes' as never })).toBe(false);
});

it('every other algorithm is allowed without it', () => {
  for (const alg of ['RSA-OAEP-256', 'ECDH-ES', 'dir', 'RSA-OAEP-512']) expect(isAllowed(alg, {})).toBe(true);
});
