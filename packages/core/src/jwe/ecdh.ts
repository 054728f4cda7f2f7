import type { CryptoKey } from 'jose';
import { decodeBase64url } from './base64url.js';
import { type Bytes, concat } from './bytes.js';
import type { ProtectedHeader } from './protected-header.js';

const KEK_BITS = 256;
// A CEK is only a string of bytes here; HMAC is a kind of key that takes any.
const ANY_BYTES = { name: 'HMAC', hash: 'SHA-256' } as const;

/** The public half of an ephemeral key, as the `epk` header has it (RFC 7518 §4.6.1.1). */
type EphemeralJwk = Readonly<Record<'kty' | 'crv' | 'x', string>> & { readonly y?: string };

/** What goes into the derivation of a key beside the secret. */
type PartyInfo = Readonly<Partial<Record<'apu' | 'apv', string>>>;

/**
 * Wraps a CEK by ECDH-ES with A256KW (RFC 7518 §4.6): agrees on a secret by a new ephemeral key, derives the key that
 * wraps the CEK, wraps. The header must tell the ephemeral key.
 */
export async function wrapByAgreement(
  alg: string,
  key: CryptoKey,
  cek: Bytes,
): Promise<{ encryptedKey: Bytes; header: { epk: EphemeralJwk } }> {
  const pair = await crypto.subtle.generateKey(key.algorithm, true, ['deriveBits']);
  const { privateKey, publicKey } = pair as { privateKey: CryptoKey; publicKey: CryptoKey }; // curves have two halves
  const kek = await agreedKey(alg, { privateKey, publicKey: key }, {}, 'wrapKey');
  const plain = await crypto.subtle.importKey('raw', cek, ANY_BYTES, true, ['sign']);
  const encryptedKey = new Uint8Array(await crypto.subtle.wrapKey('raw', plain, kek, 'AES-KW'));
  const epk = publicPoint(await crypto.subtle.exportKey('jwk', publicKey));
  return { encryptedKey, header: { epk } };
}

/** Unwraps a CEK that was wrapped by {@link wrapByAgreement}, or elsewhere. Rejects when anything is wrong. */
export async function unwrapByAgreement(
  alg: string,
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
): Promise<Bytes> {
  const epk = publicPoint(Object(header.epk));
  const publicKey = await crypto.subtle.importKey('jwk', epk, key.algorithm, false, []);
  const kek = await agreedKey(alg, { privateKey: key, publicKey }, header as PartyInfo, 'unwrapKey');
  const cek = await crypto.subtle.unwrapKey('raw', encryptedKey, kek, 'AES-KW', ANY_BYTES, true, ['sign']);
  return new Uint8Array(await crypto.subtle.exportKey('raw', cek));
}

async function agreedKey(
  alg: string,
  { privateKey, publicKey }: { privateKey: CryptoKey; publicKey: CryptoKey },
  { apu = '', apv = '' }: PartyInfo,
  usage: 'wrapKey' | 'unwrapKey',
): Promise<CryptoKey> {
  const agreement = { name: privateKey.algorithm.name, public: publicKey };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(agreement, privateKey, KEK_BITS));
  // Concat KDF (NIST SP 800-56A §5.8.1, RFC 7518 §4.6.2), one round of SHA-256.
  const info = [new TextEncoder().encode(alg), decodeBase64url(apu), decodeBase64url(apv)];
  const parts = [uint32(1), secret, ...info.flatMap((part) => [uint32(part.length), part]), uint32(KEK_BITS)];
  const derived = await crypto.subtle.digest('SHA-256', concat(parts));
  return crypto.subtle.importKey('raw', derived, 'AES-KW', false, [usage]);
}

/** A key stripped of everything that is not the public point. */
function publicPoint({ kty, crv, x, y }: { [Member in keyof EphemeralJwk]?: unknown }): EphemeralJwk {
  const members = Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as EphemeralJwk; // importKey rejects anything else
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
