import { unwrapByGcm, wrapByGcm } from './aes-gcm-kw.js';
import { unwrapByAes, wrapByAes } from './aes-kw.js';
import type { SharedAlgorithm, Unwrap, Wrap } from './algorithms.js';
import { sharedSecret } from './dir.js';

/* The rows of algorithms.ts for secrets that both ends share. */

export const SHARED_WRAP: Readonly<Record<SharedAlgorithm, Wrap>> = {
  A256KW: wrapByAes,
  A256GCMKW: wrapByGcm,
  dir: sharedSecret,
};

export const SHARED_UNWRAP: Readonly<Record<SharedAlgorithm, Unwrap>> = {
  A256KW: unwrapByAes,
  A256GCMKW: unwrapByGcm,
  dir: async (key, _, __, use) => (await sharedSecret(key, use)).cek,
};
