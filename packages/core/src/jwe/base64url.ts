import { decodeLoosely } from '#base64';
import type { Bytes } from './bytes.js';
import { refuseToken } from './refusal.js';

export { encodeBase64url } from '#base64';

/** Bits of the last character that carry no data must be zero (RFC 4648 §3.5), or one value has several spellings. */
const UNUSED_BITS_MASK: Readonly<Record<number, number>> = { 2: 0b1111, 3: 0b11 };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Decodes base64url without padding. Throws `token_invalid` for anything but the one canonical spelling. */
export function decodeBase64url(text: string): Bytes {
  const rest = text.length % 4;
  if (rest === 1 || !/^[\w-]*$/.test(text)) refuseToken();
  const mask = UNUSED_BITS_MASK[rest];
  if (mask !== undefined && (ALPHABET.indexOf(text.at(-1) as string) & mask) !== 0) refuseToken();
  return decodeLoosely(text);
}
