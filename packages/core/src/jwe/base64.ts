/*
 * How browsers and workers convert base64url (RFC 4648 §5, RFC 7515 §2: without padding). Node has its own, many times
 * as fast: base64.node.ts. Which of the two is taken is said by `imports` in package.json.
 */

/** As many bytes as one call takes as its arguments. */
const CHUNK = 0x8000;

export function encodeBase64url(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
}

/** The text must be base64url or base64: what else becomes of it is not defined. */
export function decodeLoosely(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
