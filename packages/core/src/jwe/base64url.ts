import { decodeLoosely, encodeBase64url } from '#platform';
import type { Bytes } from './bytes.js';
import { refuseToken } from './refusal.js';

export { encodeBase64url } from '#platform';

/**
 * Decodes base64url without padding. Throws `token_invalid` for anything but the one canonical spelling: another alphabet,
 * white space, and bits of the last character that carry no data and are not zero (RFC 4648 §3.5).
 */
export function decodeBase64url(text: string): Bytes {
  const bytes = decoded(text);
  return encodeBase64url(bytes) === text ? bytes : refuseToken();
}

function decoded(text: string): Bytes {
  try {
    return decodeLoosely(text);
  } catch {
    return refuseToken();
  }
}
