import { isUtf8 } from 'node:buffer';
import {
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type webcrypto as crypto,
  diffieHellman,
  generateKeyPairSync,
  KeyObject,
  type KeyPairKeyObjectResult,
  publicEncrypt,
  randomFillSync,
} from 'node:crypto';
import type { CryptoKey } from 'jose';
import type { PlainContent, SealedContent } from './algorithms.js';
import type { Bytes } from './bytes.js';
import type { CurvePoint, Derive } from './platform.js';

/*
 * platform.ts for Node. Handing a small piece of work to a thread takes several times as long as the work itself, so that
 * it is done at once. Private keys of RSA are not among them: they stay with WebCrypto, and its threads. Those on curves are quick.
 */

/** How long the event loop may be held by work that is done at once, in milliseconds. */
const SLICE = 2;

export function encodeBase64url({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
}

export function decodeLoosely(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'base64url')); // a copy, because Node's own is part of a memory that all share
}

export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new TypeError('The bytes are not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

const POOL_BYTES = 4_096;
let pool = new Uint8Array();

/** Taken from a supply, because asking for a few bytes takes as long as for many. None is given out twice, or kept. */
export function randomBytes(size: number): Bytes {
  if (size > POOL_BYTES) return randomFillSync(new Uint8Array(size));
  if (size > pool.length) pool = randomFillSync(new Uint8Array(POOL_BYTES));
  const bytes = pool.slice(0, size);
  pool.fill(0, 0, size);
  pool = pool.subarray(size);
  return bytes;
}

export async function sealGcm(
  cek: Bytes,
  { plaintext, aad }: PlainContent,
): Promise<Omit<SealedContent, 'aad'>> {
  await breath();
  const iv = randomBytes(12);
  const cipher = createCipheriv(gcmFor(cek), cek, iv, { authTagLength: 16 });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext) as Buffer<ArrayBuffer>;
  cipher.final(); // of no length
  return { iv, ciphertext, tag: cipher.getAuthTag() as Buffer<ArrayBuffer> };
}

export async function openGcm(cek: Bytes, { iv, ciphertext, tag, aad }: SealedContent): Promise<Bytes> {
  await breath();
  const decipher = createDecipheriv(gcmFor(cek), cek, iv, { authTagLength: 16 });
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  decipher.final(); // throws when anything was altered
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength) as Bytes;
}

function gcmFor({ length }: Bytes): CipherGCMTypes {
  return `aes-${length * 8}-gcm` as CipherGCMTypes; // CONTENT_SIZES has no others
}

export async function encryptByRsa(key: CryptoKey, plaintext: Bytes): Promise<Bytes> {
  await breath();
  const { hash } = key.algorithm as crypto.RsaHashedKeyAlgorithm; // of every RSA key
  const options = {
    key: KeyObject.from(key as crypto.CryptoKey),
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: hash.name.replace('-', ''),
  };
  return new Uint8Array(publicEncrypt(options, plaintext));
}

export async function hkdf(secret: Bytes): Promise<Derive> {
  const key = createHmac('sha256', new Uint8Array(HASH_BYTES)).update(secret).digest(); // RFC 5869 §2.2
  return async (info, length) => {
    await breath();
    const blocks: Buffer[] = [];
    for (let i = 1; blocks.length * HASH_BYTES < length; i += 1) {
      const hmac = createHmac('sha256', key).update(blocks.at(-1) ?? NOTHING);
      blocks.push(hmac.update(info).update(Uint8Array.of(i)).digest()); // RFC 5869 §2.3
    }
    return new Uint8Array(Buffer.concat(blocks, length));
  };
}

const HASH_BYTES = 32;
const NOTHING = new Uint8Array();

export async function agreeOnce(publicKey: CryptoKey): Promise<{ secret: Bytes; point: CurvePoint }> {
  await breath();
  const theirs = KeyObject.from(publicKey as crypto.CryptoKey);
  const own = theirs.asymmetricKeyType === 'ec' ? generateOn(theirs) : generateKeyPairSync('x25519');
  const { kty, crv, x, y } = own.publicKey.export({ format: 'jwk' });
  const point = { kty, crv, x, ...(y !== undefined && { y }) } as CurvePoint; // of a key that was just made
  return { secret: secretOf(own.privateKey, theirs), point };
}

function generateOn({ asymmetricKeyDetails }: KeyObject): KeyPairKeyObjectResult {
  return generateKeyPairSync('ec', { namedCurve: String(asymmetricKeyDetails?.namedCurve) });
}

export async function agreeWith(privateKey: CryptoKey, point: CurvePoint): Promise<Bytes> {
  await breath();
  const own = KeyObject.from(privateKey as crypto.CryptoKey);
  const theirs = createPublicKey({ key: { ...point }, format: 'jwk' });
  return secretOf(own, theirs); // throws for another curve
}

function secretOf(privateKey: KeyObject, publicKey: KeyObject): Bytes {
  return new Uint8Array(diffieHellman({ privateKey, publicKey }));
}

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(createHash('sha256').update(data).digest());
}

/** RFC 3394 §2.2.3.1. */
const WRAP_IV = new Uint8Array(8).fill(0xa6);

export async function wrapKey(kek: Bytes, cek: Bytes): Promise<Bytes> {
  const cipher = createCipheriv('id-aes256-wrap', kek, WRAP_IV);
  return new Uint8Array(Buffer.concat([cipher.update(cek), cipher.final()]));
}

export async function unwrapKey(kek: Bytes, wrapped: Bytes): Promise<Bytes> {
  const decipher = createDecipheriv('id-aes256-wrap', kek, WRAP_IV);
  return new Uint8Array(Buffer.concat([decipher.update(wrapped), decipher.final()])); // throws when anything was altered
}

/** Who waits for a turn, and from where on. */
let line: (() => void)[] = [];
let next = 0;
let sliceEnd = 0;

/** Lets others have a turn of the event loop when so much was done at once that they would notice. First come, first served. */
function breath(): Promise<void> | undefined {
  if (line.length === 0 && performance.now() < sliceEnd) return undefined;
  return new Promise<void>((resolve) => {
    line.push(resolve);
    if (line.length === 1) setImmediate(beginSlice);
  });
}

function beginSlice(): void {
  sliceEnd = performance.now() + SLICE;
  goOn();
}

/** One after the other, each with what it does at once, as long as the slice lasts. */
function goOn(): void {
  if (next === line.length) {
    line = [];
    next = 0;
  } else if (performance.now() >= sliceEnd) {
    setImmediate(beginSlice);
  } else {
    line[next]?.();
    next += 1;
    queueMicrotask(goOn);
  }
}
