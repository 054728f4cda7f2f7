import type { CryptoKey, JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import { ANY_BYTES } from '../jwe/aes-kw.js';
import type { SharedAlgorithm } from '../jwe/algorithms.js';
import { decodeBase64url } from '../jwe/base64url.js';
import { SHARED_UNWRAP, SHARED_WRAP } from '../jwe/shared-algorithms.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import type { DecryptionKey, EncryptionKey } from './key.js';
import { unwrapperOf } from './unwrapper.js';

/** What a secret that both ends share is used with: AES Key Wrap, the same by AES-GCM, or as the CEK itself. */
export type SharedSecretAlgorithm = SharedAlgorithm;

export interface SharedSecretOptions {
  /** Under which id both ends know it. */
  readonly kid: string;
  readonly alg: SharedSecretAlgorithm;
}

/** One secret, for both directions. */
export interface SharedSecret {
  /** For `staticKeys()`. */
  readonly encryptionKey: EncryptionKey;
  /** For `createKeyRing({ keys })`, which publishes nothing of it. */
  readonly decryptionKey: DecryptionKey;
}

/** How WebCrypto takes the secret, and how many bytes it must have. */
const FORMS = {
  A256KW: { params: 'AES-KW', usages: ['wrapKey', 'unwrapKey'], extractable: false, sizes: [32] },
  A256GCMKW: { params: 'AES-GCM', usages: ['encrypt', 'decrypt'], extractable: false, sizes: [32] },
  // Its bytes are needed as they are, and each content encryption wants another number of them.
  dir: { params: ANY_BYTES, usages: ['sign'], extractable: true, sizes: [16, 32, 64] },
} as const;

/**
 * Takes a secret that both ends have, for algorithms without public keys: 32 random bytes for `A256KW` and `A256GCMKW`;
 * for `dir` 32 (A256GCM), 16 (A128GCM) or 64 (A256CBC-HS512). Bytes, or a JWK of type `oct` (RFC 7518 §6.4).
 *
 * Whoever can encrypt with it can decrypt, so it is for two parties, and neither can prove what came from the other.
 * Rejects with `key_invalid` for a secret of another length, or one that is a passphrase and not random.
 *
 * @example
 * const { encryptionKey, decryptionKey } = await importSharedSecret(bytes, { kid: 'acme-1', alg: 'A256KW' })
 */
export async function importSharedSecret(
  source: Uint8Array | JWK,
  { kid, alg }: SharedSecretOptions,
): Promise<SharedSecret> {
  requireWebCrypto();
  if (typeof kid !== 'string' || kid === '') invalidOption('kid', 'the id of the secret', kid);
  if (!Object.hasOwn(FORMS, alg)) invalidOption('alg', Object.keys(FORMS).join(' or '), alg);
  const { params, usages, extractable, sizes } = FORMS[alg];
  const bytes = bytesOf(source);
  if (!sizes.some((size) => size === bytes.length)) {
    invalid(`${alg} needs ${sizes.join(', ')} bytes, not ${bytes.length}`);
  }
  const secret = await crypto.subtle.importKey('raw', checkSecret(bytes), params, extractable, [...usages]);
  return Object.freeze({
    encryptionKey: encryptionKeyOf(secret, kid, alg),
    decryptionKey: decryptionKeyOf(secret, kid, alg),
  });
}

function encryptionKeyOf(publicKey: CryptoKey, kid: string, alg: SharedSecretAlgorithm): EncryptionKey {
  const wrap = SHARED_WRAP[alg];
  return Object.freeze({ kind: 'encryption', kid, alg, publicKey, publicJwk: shown(kid, alg), wrap });
}

function decryptionKeyOf(secret: CryptoKey, kid: string, alg: SharedSecretAlgorithm): DecryptionKey {
  const unwrap = unwrapperOf(secret, alg, SHARED_UNWRAP[alg]);
  return Object.freeze({ kind: 'decryption', kid, alg, publicJwk: shown(kid, alg), unwrap });
}

/** What may be shown of a secret. */
function shown(kid: string, alg: SharedSecretAlgorithm): JWK {
  return Object.freeze({ kty: 'oct', use: 'enc', alg, kid });
}

function bytesOf(source: Uint8Array | JWK): Uint8Array<ArrayBuffer> {
  if (source instanceof Uint8Array) return Uint8Array.from(source);
  if (typeof source !== 'object' || source?.kty !== 'oct' || typeof source.k !== 'string')
    invalid('it is given as bytes, or as a JWK of type `oct`');
  try {
    return decodeBase64url(source.k);
  } catch {
    return invalid('its `k` is not base64url');
  }
}

/** Throws `key_invalid` for a secret that could be guessed. */
export function checkSecret(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return isGuessable(bytes) ? invalid('it is not random, as a passphrase is not: share random bytes') : bytes;
}

/** Text in any encoding, a public key, or few different bytes: of random secrets, not one in a million looks so. */
function isGuessable(bytes: Uint8Array): boolean {
  return isText(bytes, 'utf-8') || isText(bytes, 'utf-16le') || isKey(bytes) || isMonotonous(bytes);
}

function isText(bytes: Uint8Array, encoding: string): boolean {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return encoding === 'utf-8' ? !/[^\P{Cc}\t\r\n]/u.test(text) : /^[\t\r\n -~]*$/.test(text);
  } catch {
    return false;
  }
}

/** In DER, as which a public key could be taken for a secret: it begins with a SEQUENCE of just that length. */
function isKey(bytes: Uint8Array): boolean {
  const [tag, first = 0, second = 0, third = 0] = bytes;
  const length = first < 0x80 ? first + 2 : first === 0x81 ? second + 3 : second * 256 + third + 4;
  return tag === 0x30 && length === bytes.length;
}

function isMonotonous(bytes: Uint8Array): boolean {
  return new Set(bytes).size < bytes.length / 4;
}

function invalid(why: string): never {
  throw new E2eeError('key_invalid', `The shared secret cannot be used: ${why}`);
}
