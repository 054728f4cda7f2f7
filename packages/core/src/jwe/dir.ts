import type { CryptoKey } from 'jose';
import type { CekUse, WrappedCek } from './algorithms.js';

/** The shared secret is the CEK (RFC 7518 §4.5). Rejects when its length is not that of the content encryption. */
export async function sharedSecret(key: CryptoKey, { size }: CekUse): Promise<WrappedCek> {
  const cek = new Uint8Array(await crypto.subtle.exportKey('raw', key));
  if (cek.length !== size) throw new RangeError(`The shared secret has ${cek.length} bytes, not ${size}`);
  return { cek, encryptedKey: new Uint8Array() };
}
