import type { CryptoKey } from 'jose';
import { agreeOnce, agreeWith, sha256, unwrapKey, wrapKey } from '#platform';
import type { CekUse, WrappedCek } from './algorithms.js';
import { decodeBase64url } from './base64url.js';
import { type Bytes, concat } from './bytes.js';
import { newCek } from './cek.js';
import type { CurvePoint } from './platform.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';

/* Agreement on a secret by ECDH-ES (RFC 7518 §4.6): the sender makes a key for one token, whose public half goes along. */

const KEK_BYTES = 32;
const DIGEST_BYTES = 32;

/** What a key is derived from. */
interface Agreement {
  readonly secret: Bytes;
  /** What the key is for: the algorithm. */
  readonly purpose: string;
  /** How long it has to be, in bytes. */
  readonly size: number;
  readonly apu?: unknown;
  readonly apv?: unknown;
}

/** The agreed secret is the CEK (Direct Key Agreement). */
export async function agree(key: CryptoKey, { enc, size }: CekUse): Promise<WrappedCek> {
  const { secret, point } = await agreeOnce(key);
  const cek = await keyFrom({ secret, purpose: enc, size });
  return { cek, encryptedKey: new Uint8Array(), header: { epk: point } };
}

export async function reagree(
  key: CryptoKey,
  _: Bytes,
  header: ProtectedHeader,
  { enc, size }: CekUse,
): Promise<Bytes> {
  return keyFrom({ ...(await givenIn(header, key)), purpose: enc, size });
}

/** The agreed secret wraps the CEK (Key Agreement with Key Wrapping). */
export async function wrapByAgreement(key: CryptoKey, use: CekUse): Promise<WrappedCek> {
  const cek = newCek(use);
  const { secret, point } = await agreeOnce(key);
  const kek = await keyFrom({ secret, purpose: use.alg, size: KEK_BYTES });
  return { cek, encryptedKey: await wrapKey(kek, cek), header: { epk: point } };
}

export async function unwrapByAgreement(
  key: CryptoKey,
  encryptedKey: Bytes,
  header: ProtectedHeader,
  { alg }: CekUse,
): Promise<Bytes> {
  const kek = await keyFrom({ ...(await givenIn(header, key)), purpose: alg, size: KEK_BYTES });
  return unwrapKey(kek, encryptedKey);
}

async function givenIn(
  { epk, apu, apv }: ProtectedHeader,
  privateKey: CryptoKey,
): Promise<Pick<Agreement, 'secret' | 'apu' | 'apv'>> {
  return { secret: await agreeWith(privateKey, publicPoint(Object(epk))), apu, apv };
}

/** The Concat KDF with SHA-256 (NIST SP 800-56A §5.8.1, RFC 7518 §4.6.2). */
async function keyFrom({ secret, purpose, size, apu, apv }: Agreement): Promise<Bytes> {
  const info = [new TextEncoder().encode(purpose), partyInfo(apu), partyInfo(apv)];
  const fixed = concat([...info.flatMap((part) => [uint32(part.length), part]), uint32(size * 8)]);
  const rounds = Array.from({ length: Math.ceil(size / DIGEST_BYTES) }, (_, i) =>
    sha256(concat([uint32(i + 1), secret, fixed])),
  );
  return concat(await Promise.all(rounds)).subarray(0, size);
}

function partyInfo(encoded: unknown = ''): Bytes {
  return typeof encoded === 'string' ? decodeBase64url(encoded) : refuseToken();
}

/** A key stripped of everything that is not the public point. */
function publicPoint({ kty, crv, x, y }: { [Member in keyof CurvePoint]?: unknown }): CurvePoint {
  const members = Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as CurvePoint; // importing it rejects anything else
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
