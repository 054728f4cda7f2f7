import { decodeBase64url } from '../jwe/base64url.js';
import { type HeaderMembers, parseHeader } from '../jwe/protected-header.js';
import { refuseToken } from '../jwe/refusal.js';

/**
 * The header of a JWS in compact serialisation (RFC 7515 §7.1), whose signature nobody has looked at yet. Throws
 * `token_invalid` unless it is one in its only spelling, with a header that a JWE could have as well.
 */
export function parseJwsHeader(jws: string): HeaderMembers {
  const [head = '', payload = '', signature = '', ...more] = jws.split('.', 4);
  if (signature === '' || more.length > 0) refuseToken('It is not signed');
  decodeBase64url(payload);
  decodeBase64url(signature);
  return parseHeader(decodeBase64url(head));
}
