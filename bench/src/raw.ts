import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import type { Pair } from './keys.js';
import { LIMIT_ASYNC, LIMIT_SYNC, RAW } from './names.js';
import type { Peer } from './peers.js';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

/** A JWE by `node:crypto` and nothing else: the least that anybody has to do on one thread. */
export async function rawNode({ alg, kid, publicJwk, privateJwk }: Pair): Promise<Peer | undefined> {
  if (alg !== 'RSA-OAEP-256') return undefined;
  const publicKey = createPublicKey({ key: { ...publicJwk }, format: 'jwk' });
  const privateKey = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
  const head = Buffer.from(JSON.stringify({ alg, enc: 'A256GCM', kid })).toString('base64url');
  const aad = Buffer.from(head);
  return {
    name: RAW,
    encrypt: (value) => {
      const cek = randomBytes(32);
      const wrapped = publicEncrypt({ ...OAEP, key: publicKey }, cek);
      return [head, wrapped.toString('base64url'), ...sealed(cek, aad, JSON.stringify(value))].join('.');
    },
    decrypt: (token) => {
      const [, wrapped = ''] = token.split('.', 2);
      const cek = privateDecrypt({ ...OAEP, key: privateKey }, Buffer.from(wrapped, 'base64url'));
      return JSON.parse(openedContent(cek, token));
    },
  };
}

/** IV, ciphertext and tag in base64url. */
export function sealed(cek: Uint8Array, aad: Uint8Array, plaintext: string): string[] {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', cek, iv).setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
}

/** The text inside a token whose CEK is known. */
export function openedContent(cek: Uint8Array, token: string): string {
  const [head = '', , iv = '', ciphertext = '', tag = ''] = token.split('.');
  const decipher = createDecipheriv('aes-256-gcm', cek, Buffer.from(iv, 'base64url'))
    .setAAD(Buffer.from(head))
    .setAuthTag(Buffer.from(tag, 'base64url'));
  const opened = Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()]);
  return opened.toString('utf8');
}

/** The private-key operation of a token and nothing else, in the ways that Node has. */
export interface Unwrapping {
  readonly name: string;
  unwrap(token: string): unknown;
}

export async function rawUnwrapping(pair: Pair): Promise<Unwrapping[]> {
  return pair.alg === 'RSA-OAEP-256' ? rsaUnwrapping(pair) : [await agreement(pair)];
}

async function rsaUnwrapping({ privateJwk }: Pair): Promise<Unwrapping[]> {
  const oaep = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', privateJwk, oaep, false, ['decrypt']);
  const synchronous = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
  return [
    { name: LIMIT_ASYNC, unwrap: (token) => crypto.subtle.decrypt(oaep, key, wrappedCek(token)) },
    {
      name: LIMIT_SYNC,
      unwrap: (token) => privateDecrypt({ ...OAEP, key: synchronous }, wrappedCek(token)),
    },
  ];
}

async function agreement({ name, privateJwk }: Pair): Promise<Unwrapping> {
  const curve = name === 'X25519' ? { name } : { name: 'ECDH', namedCurve: name };
  const { alg: _, ...jwk } = privateJwk;
  const key = await crypto.subtle.importKey('jwk', jwk, curve, false, ['deriveBits']);
  return {
    name: LIMIT_ASYNC,
    unwrap: async (token) => {
      const { epk } = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
      const theirs = await crypto.subtle.importKey('jwk', epk, curve, false, []);
      return crypto.subtle.deriveBits({ name: curve.name, public: theirs }, key, 256);
    },
  };
}

/** The second part of a token. */
function wrappedCek(token: string): Buffer {
  const start = token.indexOf('.') + 1;
  return Buffer.from(token.slice(start, token.indexOf('.', start)), 'base64url');
}
