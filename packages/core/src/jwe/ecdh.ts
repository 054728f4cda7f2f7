import type { CryptoKey } from 'jose';
import { base64url } from 'jose';
import type { ProtectedHeader } from './protected-header.js';

type Bytes = Uint8Array<ArrayBuffer>;

const KEK_BITS = 256;

/**
 * Unwraps a CEK by ECDH-ES with A256KW (RFC 7518 §4.6): agrees on a secret with the sender's ephemeral key, derives the
 * key that wraps the CEK, unwraps. Rejects when anything is wrong.
 */
export async function unwrapByAgreement(
  alg: string,
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
): Promise<Bytes> {
  const { algorithm } = key;
  const ephemeral = await crypto.subtle.importKey('jwk', ephemeralJwk(header), algorithm, false, []);
  const agreement = { name: algorithm.name, public: ephemeral };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(agreement, key, KEK_BITS));
  const derived = await deriveKey(secret, alg, header);
  const kek = await crypto.subtle.importKey('raw', derived, 'AES-KW', false, ['unwrapKey']);
  // The CEK is only a string of bytes here; HMAC is a kind of key that takes any.
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const cek = await crypto.subtle.unwrapKey('raw', encryptedKey, kek, 'AES-KW', hmac, true, ['sign']);
  return new Uint8Array(await crypto.subtle.exportKey('raw', cek));
}

/** The `epk` header, stripped of everything that is not the public point. */
function ephemeralJwk({ epk }: ProtectedHeader): { kty: string; crv: string; x: string; y?: string } {
  const { kty, crv, x, y } = Object(epk) as Record<string, unknown>;
  const members = Object.fromEntries(
    Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined),
  );
  return members as { kty: string; crv: string; x: string; y?: string }; // importKey rejects anything else
}

/** Concat KDF (NIST SP 800-56A §5.8.1, RFC 7518 §4.6.2), one round of SHA-256. */
async function deriveKey(secret: Bytes, alg: string, header: ProtectedHeader): Promise<Bytes> {
  const { apu = '', apv = '' } = header as { apu?: string; apv?: string };
  const info = [new TextEncoder().encode(alg), base64url.decode(apu), base64url.decode(apv)];
  const parts = [uint32(1), secret, ...info.flatMap((part) => [uint32(part.length), part]), uint32(KEK_BITS)];
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(parts)));
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
