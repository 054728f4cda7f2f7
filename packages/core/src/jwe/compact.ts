import { decodeBase64url } from './base64url.js';
import { type ProtectedHeader, parseProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';

/** A JWE in compact serialisation (RFC 7516 §7.1), taken apart but not yet trusted in any way. */
export interface CompactJwe {
  readonly header: ProtectedHeader;
  readonly encryptedKey: Uint8Array<ArrayBuffer>;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: Uint8Array<ArrayBuffer>;
  readonly tag: Uint8Array<ArrayBuffer>;
  /** The protected header as it stands in the token: the additional authenticated data. */
  readonly aad: Uint8Array<ArrayBuffer>;
}

export interface TokenLimits {
  /** Longest token, in characters. */
  readonly tokenLength: number;
  /** Longest protected header, in bytes before base64url. */
  readonly headerBytes: number;
}

const SEGMENTS = 5;
const utf8 = new TextEncoder();

/**
 * Takes a token apart. Every check here costs one pass over the text at the most and comes before any key operation.
 * Throws `token_invalid`.
 */
export function parseCompactJwe(token: unknown, limits: TokenLimits): CompactJwe {
  if (typeof token !== 'string' || token.length > limits.tokenLength) refuseToken();
  const [head, key, iv, ciphertext, tag] = splitSegments(token);
  if (head.length > Math.ceil((limits.headerBytes * 4) / 3)) refuseToken();
  const header = parseProtectedHeader(decodeBase64url(head));
  return {
    header,
    encryptedKey: decodeBase64url(key),
    iv: decodeBase64url(iv),
    ciphertext: decodeBase64url(ciphertext),
    tag: decodeBase64url(tag),
    aad: utf8.encode(head),
  };
}

/**
 * Whether a value has the outward form of a token: five segments of base64url, the first of which begins a JSON
 * object. For telling what is already encrypted; it says nothing about validity.
 */
export function looksLikeCompactJwe(value: unknown): value is string {
  return typeof value === 'string' && /^e[wy][\w-]*\.[\w-]*\.[\w-]+\.[\w-]*\.[\w-]+$/.test(value);
}

function splitSegments(
  token: string,
): [head: string, key: string, iv: string, ciphertext: string, tag: string] {
  const [head, encryptedKey, iv, ciphertext, tag, ...more] = token.split('.', SEGMENTS + 1);
  // An empty ciphertext is the empty string; an encrypted key is empty where the algorithm has none.
  if (!head || encryptedKey === undefined || !iv || ciphertext === undefined || !tag || more.length > 0)
    refuseToken();
  return [head, encryptedKey, iv, ciphertext, tag];
}
