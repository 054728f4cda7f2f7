/* How Node converts base64url. Elsewhere: base64.ts. */

export function encodeBase64url({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
}

/** The text must be base64url or base64: what else becomes of it is not defined. */
export function decodeLoosely(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64url')); // a copy, because Node's own is part of a memory that all share
}
