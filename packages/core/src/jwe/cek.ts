import type { CekUse } from './algorithms.js';
import type { Bytes } from './bytes.js';

/** A new CEK for one token. */
export function newCek({ size }: Pick<CekUse, 'size'>): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}
