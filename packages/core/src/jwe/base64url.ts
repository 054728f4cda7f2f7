import { base64url } from 'jose';
import { refuseToken } from './refusal.js';

/** Bits of the last character that carry no data must be zero (RFC 4648 §3.5), or one value has several spellings. */
const UNUSED_BITS_MASK: Readonly<Record<number, number>> = { 2: 0b1111, 3: 0b11 };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Decodes one segment of a token that is known to hold characters of the base64url alphabet only.
 * Throws `token_invalid` when the encoding is not the canonical one.
 */
export function decodeSegment(segment: string): Uint8Array<ArrayBuffer> {
  const rest = segment.length % 4;
  if (rest === 1) refuseToken();
  const mask = UNUSED_BITS_MASK[rest];
  if (mask !== undefined && (ALPHABET.indexOf(segment.at(-1) as string) & mask) !== 0) refuseToken();
  // A view of a plain ArrayBuffer in every runtime; jose's type is only wider.
  return base64url.decode(segment) as Uint8Array<ArrayBuffer>;
}
