import { decodeBase64url } from './base64url.js';

/* What can be told of a token from outside. It says nothing about validity, and nothing here is to be trusted. */

/**
 * Whether a value has the outward form of a token: five segments of base64url, the first of which begins a JSON
 * object. For telling what is already encrypted; it says nothing about validity.
 */
export function looksLikeCompactJwe(value: unknown): value is string {
  return typeof value === 'string' && /^e[wy][\w-]*\.[\w-]*\.[\w-]+\.[\w-]*\.[\w-]+$/.test(value);
}

/** What the header of such a value says, if it can be read at all. */
export function peekedHeader(token: string): { readonly alg?: unknown; readonly enc?: unknown } | undefined {
  try {
    const [head = ''] = token.split('.', 1);
    return Object(JSON.parse(new TextDecoder().decode(decodeBase64url(head))));
  } catch {
    return undefined;
  }
}
