import { createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import {
  createKeyRing,
  type DecryptionKey,
  decryptJwe,
  E2eeError,
  type EncryptionKey,
  type EncryptionKeys,
  encryptJwe,
  importKey,
  type KeyRing,
  type Recipient,
  staticKeys,
} from '@e2ee/core';

/** The keys of both parties. Made once for a file of tests: RSA keys take their time. */
export interface Keys {
  /** The server's key ring, which counts its private-key operations. */
  readonly ring: KeyRing;
  readonly operations: () => number;
  /** What requests are encrypted to. */
  readonly bank: EncryptionKey;
  /** A key that the server has revoked. */
  readonly revoked: EncryptionKey;
  /** The partner's: what responses are encrypted to. Also a key that the server does not hold. */
  readonly partner: EncryptionKey;
  /** The content of a token for the partner. */
  readonly open: (token: unknown) => Promise<string>;
  /** Whom a response is for, by the name in `x-recipient`. */
  readonly recipient: (name: string | undefined) => Recipient | undefined | Promise<Recipient | undefined>;
}

export async function makeKeys(): Promise<Keys> {
  const [bankRing, partnerRing] = await Promise.all([createKeyRing(), createKeyRing()]);
  const revoked = await published(bankRing);
  await bankRing.revoke(revoked.kid); // makes another one
  const [bank, partner] = await Promise.all([published(bankRing), published(partnerRing)]);
  const { ring, operations } = counting(bankRing);
  return {
    ring,
    operations,
    bank,
    revoked,
    partner,
    open: async (token) => {
      if (typeof token !== 'string') throw new Error(`A token was due, not ${JSON.stringify(token)}`);
      const { plaintext } = await decryptJwe(token, partnerRing, { tokenLength: 4_000_000 });
      return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
    },
    recipient: (name) => recipientOf(name, partner),
  };
}

/** Recipients by the name that a request calls them. Functions, because some fail. */
const RECIPIENTS: Readonly<
  Record<string, (key: EncryptionKey) => Recipient | undefined | Promise<Recipient | undefined>>
> = {
  none: () => undefined,
  encrypt: (key) => to('encrypt', staticKeys(key)),
  redact: (key) => to('redact', staticKeys(key)),
  message: (key) => to('message', staticKeys(key)),
  'without a key': () => ({ id: 'partner', response: 'encrypt' }),
  'message without a key': () => ({ id: 'partner', response: 'message' }),
  'found later': async (key) => {
    await new Promise((done) => setTimeout(done, 2));
    return to('encrypt', staticKeys(key));
  },
  'out of reach': () =>
    to('encrypt', failing(new E2eeError('keys_unavailable', 'The key set cannot be fetched'))),
  'message out of reach': () =>
    to('message', failing(new E2eeError('keys_unavailable', 'The key set cannot be fetched'))),
  'with a broken key': (key) =>
    to('encrypt', {
      current: async () => ({ ...key, publicKey: {} as EncryptionKey['publicKey'] }),
      refresh: async () => {},
    }),
  'with a key for another algorithm': (key) =>
    to('encrypt', { current: async () => ({ ...key, alg: 'ECDH-ES+A256KW' }), refresh: async () => {} }),
  'lookup throws': () => {
    throw new Error('The list of partners cannot be read');
  },
  'lookup rejects': () => Promise.reject(new Error('The list of partners cannot be read')),
};

function recipientOf(name = 'none', partner: EncryptionKey): ReturnType<Keys['recipient']> {
  const make = RECIPIENTS[name];
  if (!make) throw new Error(`There is no recipient called ${name}`);
  return make(partner);
}

function to(response: Recipient['response'], encryptionKeys: EncryptionKeys): Recipient {
  return { id: 'partner', encryptionKeys, response };
}

function failing(error: Error): EncryptionKeys {
  return { current: () => Promise.reject(error), refresh: async () => {} };
}

async function published(ring: KeyRing): Promise<EncryptionKey> {
  const key = await importKey(ring.jwks().keys[0] ?? {});
  if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  return key;
}

/** A view of a key ring whose keys count how often they are used. */
function counting(ring: KeyRing): { ring: KeyRing; operations: () => number } {
  let operations = 0;
  const counted = (key: DecryptionKey): DecryptionKey => ({
    ...key,
    unwrap: (...args) => {
      operations += 1;
      return key.unwrap(...args);
    },
  });
  const view: Partial<KeyRing> = {
    find: (kid) => {
      const key = ring.find(kid);
      return key && counted(key);
    },
    decryptionKeys: () => ring.decryptionKeys().map(counted),
  };
  const proxy = new Proxy(ring, {
    get: (target, name) => {
      const value: unknown = Reflect.get(view, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value; // its private members need the ring itself
    },
  });
  return { ring: proxy, operations: () => operations };
}

/** A text as a token, made by the library. */
export function seal(text: string, key: EncryptionKey): Promise<string> {
  return encryptJwe(new TextEncoder().encode(text), key);
}

/** What differs from a flawless token. */
export interface Flaws {
  /** Members of the protected header, over those that belong there; or the very text or bytes. */
  readonly header?: object | string | Uint8Array;
  readonly plaintext?: string | Uint8Array;
  readonly cek?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly encryptedKey?: Uint8Array;
  readonly tagBytes?: number;
}

/** A token made with node:crypto and nothing of ours: wrapped and authenticated, flaws included. */
export function forge(key: EncryptionKey, flaws: Flaws = {}): string {
  const {
    header = {},
    plaintext = '"x"',
    cek = randomBytes(32),
    iv = randomBytes(12),
    tagBytes = 16,
  } = flaws;
  const isText = typeof header === 'string' || header instanceof Uint8Array;
  const own = { alg: key.alg, enc: 'A256GCM', kid: key.kid };
  const head = Buffer.from(isText ? header : JSON.stringify({ ...own, ...header })).toString('base64url');
  const cipher = createCipheriv('aes-256-gcm', padded(cek), iv, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(head));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const wrapped = flaws.encryptedKey ?? publicEncrypt({ key: keyObject(key), oaepHash: 'sha256' }, cek);
  const parts = [wrapped, iv, ciphertext, cipher.getAuthTag()];
  return [head, ...parts.map((part) => Buffer.from(part).toString('base64url'))].join('.');
}

/** Of a CEK that AES-256 does not take: what a careless receiver would make of it. */
function padded(cek: Uint8Array): Uint8Array {
  return Buffer.concat([cek, Buffer.alloc(32)]).subarray(0, 32);
}

function keyObject({ publicJwk }: EncryptionKey): KeyObject {
  return createPublicKey({ key: { ...publicJwk }, format: 'jwk' });
}
