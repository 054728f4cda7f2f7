import { randomBytes } from '#platform';
import type { CekUse } from './algorithms.js';
import type { Bytes } from './bytes.js';

/** A new CEK for one token. */
export function newCek({ size }: Pick<CekUse, 'size'>): Bytes {
  return randomBytes(size);
}
