import { decodeLoosely, encodeBase64url } from '#platform';
import type { Bytes } from './bytes.js';
import { refuseToken } from './refusal.js';

export { encodeBase64url } from '#platform';

/**
 * Decodes base64url without padding. Throws `token_invalid` for anything but the one canonical spelling: another alphabet,
 * white space, and bits of the last character that carry no data and are not zero (RFC 4648 §3.5).
 */
export function decodeBase64url(text: string): Bytes {
  if (text.length < LONG) return CANONICAL.test(text) ? decoded(text) : refuseToken();
  const bytes = decoded(text);
  return encodeBase64url(bytes) === text ? bytes : refuseToken();
}

/** The last character of an incomplete group has 4 or 2 bits that carry no data. */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;
/** From so many characters on, encoding once more takes less than looking at each of them. */
const LONG = 512;

function decoded(text: string): Bytes {
  try {
    return decodeLoosely(text);
  } catch {
    return refuseToken();
  }
}
