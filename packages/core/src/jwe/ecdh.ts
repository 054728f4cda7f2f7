import type { CryptoKey } from 'jose';
import { unwrapByAes, wrapByAes } from './aes-kw.js';
import type { CekUse, WrappedCek } from './algorithms.js';
import { decodeBase64url } from './base64url.js';
import { type Bytes, concat } from './bytes.js';
import type { ProtectedHeader } from './protected-header.js';

/* Agreement on a secret by ECDH-ES (RFC 7518 §4.6): the sender makes a key for one token, whose public half goes along. */

const KEK_BYTES = 32;
const DIGEST_BYTES = 32;

/** The public half of an ephemeral key, as the `epk` header has it (RFC 7518 §4.6.1.1). */
type EphemeralJwk = Readonly<Record<'kty' | 'crv' | 'x', string>> & { readonly y?: string };

/** What a secret is derived from. */
interface Agreement {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** What the secret is for: the algorithm that it will be the key of. */
  readonly purpose: string;
  /** How long it has to be, in bytes. */
  readonly size: number;
  readonly apu?: unknown;
  readonly apv?: unknown;
}

/** The agreed secret is the CEK (Direct Key Agreement). */
export async function agree(key: CryptoKey, { enc, size }: CekUse): Promise<WrappedCek> {
  const { privateKey, epk } = await ephemeralFor(key);
  const cek = await agreedSecret({ privateKey, publicKey: key, purpose: enc, size });
  return { cek, encryptedKey: new Uint8Array(), header: { epk } };
}

export async function reagree(
  key: CryptoKey,
  _: Bytes,
  header: ProtectedHeader,
  { enc, size }: CekUse,
): Promise<Bytes> {
  return agreedSecret({ ...(await givenIn(header, key)), purpose: enc, size });
}

/** The agreed secret wraps the CEK (Key Agreement with Key Wrapping). */
export async function wrapByAgreement(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const { privateKey, epk } = await ephemeralFor(key);
  const kek = await agreedKek({ privateKey, publicKey: key, purpose: use.alg, size: KEK_BYTES }, 'wrapKey');
  return { ...(await wrapByAes(kek, use)), header: { epk } };
}

export async function unwrapByAgreement(
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
  { alg }: CekUse,
): Promise<Bytes> {
  const agreement = { ...(await givenIn(header, key)), purpose: alg, size: KEK_BYTES };
  return unwrapByAes(await agreedKek(agreement, 'unwrapKey'), encryptedKey);
}

async function ephemeralFor({ algorithm }: CryptoKey): Promise<{ privateKey: CryptoKey; epk: EphemeralJwk }> {
  const pair = await crypto.subtle.generateKey(algorithm, true, ['deriveBits']);
  const { privateKey, publicKey } = pair as { privateKey: CryptoKey; publicKey: CryptoKey }; // curves have two halves
  return { privateKey, epk: publicPoint(await crypto.subtle.exportKey('jwk', publicKey)) };
}

async function givenIn(
  { epk, apu, apv }: ProtectedHeader,
  privateKey: CryptoKey,
): Promise<Pick<Agreement, 'privateKey' | 'publicKey' | 'apu' | 'apv'>> {
  const point = publicPoint(Object(epk));
  const publicKey = await crypto.subtle.importKey('jwk', point, privateKey.algorithm, false, []);
  return { privateKey, publicKey, apu, apv };
}

async function agreedKek(agreement: Agreement, usage: 'wrapKey' | 'unwrapKey'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', await agreedSecret(agreement), 'AES-KW', false, [usage]);
}

/** ECDH, and the Concat KDF with SHA-256 (NIST SP 800-56A §5.8.1, RFC 7518 §4.6.2). */
async function agreedSecret({ privateKey, publicKey, purpose, size, apu, apv }: Agreement): Promise<Bytes> {
  const params = { name: privateKey.algorithm.name, public: publicKey };
  const shared = new Uint8Array(await crypto.subtle.deriveBits(params, privateKey, 256));
  const info = [new TextEncoder().encode(purpose), partyInfo(apu), partyInfo(apv)];
  const fixed = concat([...info.flatMap((part) => [uint32(part.length), part]), uint32(size * 8)]);
  const rounds = Array.from({ length: Math.ceil(size / DIGEST_BYTES) }, (_, i) =>
    crypto.subtle.digest('SHA-256', concat([uint32(i + 1), shared, fixed])),
  );
  return concat((await Promise.all(rounds)).map((digest) => new Uint8Array(digest))).subarray(0, size);
}

function partyInfo(encoded: unknown = ''): Bytes {
  return decodeBase64url(encoded as string); // throws for anything but base64url
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
