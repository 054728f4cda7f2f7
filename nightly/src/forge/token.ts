import { createCipheriv, randomBytes } from 'node:crypto';

/* Tokens made with Node's crypto and nothing of ours, so that each flaw can be authenticated like the real thing. */

/** The parts of a compact JWE, decoded. */
export interface Parts {
  /** The text of the protected header. */
  readonly header: string | Uint8Array;
  readonly encryptedKey: Buffer;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

export interface Content {
  readonly cek: Buffer;
  readonly plaintext: string | Uint8Array;
}

/** A content under A256GCM, which authenticates the header. */
export function sealParts(header: Parts['header'], encryptedKey: Buffer, { cek, plaintext }: Content): Parts {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', cipherKey(cek), iv);
  cipher.setAAD(Buffer.from(base64url(header)));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { header, encryptedKey, iv, ciphertext, tag: cipher.getAuthTag() };
}

export function compact({ header, encryptedKey, iv, ciphertext, tag }: Parts): string {
  return [header, encryptedKey, iv, ciphertext, tag].map(base64url).join('.');
}

/** The same bytes but for one bit. */
export function flipped(bytes: Buffer, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = Number(copy[bit >> 3]) ^ (1 << (bit & 7));
  return copy;
}

function base64url(part: string | Uint8Array): string {
  return Buffer.from(part as Uint8Array).toString('base64url'); // Buffer.from takes either
}

/** Of a CEK that AES-256 does not take: what a careless receiver would make of it, zeros added or bytes cut off. */
function cipherKey(cek: Buffer): Buffer {
  return Buffer.concat([cek, Buffer.alloc(32)]).subarray(0, 32);
}
