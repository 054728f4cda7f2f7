import { decodeSegment } from './base64url.js';
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
const DOT = 0x2e;

/**
 * Takes a token apart. Every check here costs one pass over the text at the most and comes before any key operation.
 * Throws `token_invalid`.
 */
export function parseCompactJwe(token: unknown, limits: TokenLimits): CompactJwe {
  if (typeof token !== 'string' || token.length > limits.tokenLength) refuseToken();
  const [head, key, iv, ciphertext, tag] = splitSegments(token);
  if (head.length > Math.ceil((limits.headerBytes * 4) / 3)) refuseToken();
  const header = parseProtectedHeader(decodeSegment(head));
  return {
    header,
    encryptedKey: decodeSegment(key),
    iv: decodeSegment(iv),
    ciphertext: decodeSegment(ciphertext),
    tag: decodeSegment(tag),
    aad: new TextEncoder().encode(head),
  };
}

/**
 * Whether a value has the outward form of a token: five segments of base64url, the first of which begins a JSON
 * object. For telling what is already encrypted; it says nothing about validity.
 */
export function looksLikeCompactJwe(value: unknown): value is string {
  return typeof value === 'string' && /^e[wy][\w-]*(?:\.[\w-]+){2}\.[\w-]*\.[\w-]+$/.test(value);
}

function splitSegments(
  token: string,
): [head: string, key: string, iv: string, ciphertext: string, tag: string] {
  const segments: string[] = [];
  let start = 0;
  for (let i = 0; i <= token.length; i += 1) {
    const code = token.charCodeAt(i);
    if (code === DOT || i === token.length) {
      if (segments.length === SEGMENTS) refuseToken();
      segments.push(token.slice(start, i));
      start = i + 1;
    } else if (!isBase64UrlCode(code)) refuseToken();
  }
  const [head, encryptedKey, iv, ciphertext, tag] = segments;
  // Only the ciphertext may be empty: the empty string is a plaintext too.
  if (!head || !encryptedKey || !iv || ciphertext === undefined || !tag) refuseToken();
  return [head, encryptedKey, iv, ciphertext, tag];
}

function isBase64UrlCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || // a-z
    (code >= 0x41 && code <= 0x5a) || // A-Z
    (code >= 0x30 && code <= 0x39) || // 0-9
    code === 0x2d || // -
    code === 0x5f // _
  );
}
