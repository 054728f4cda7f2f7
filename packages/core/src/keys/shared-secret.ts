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
  options: SharedSecretOptions,
): Promise<SharedSecret> {
  requireWebCrypto();
  const { kid = '', alg = '' as never }: Partial<SharedSecretOptions> = Object(options);
  if (typeof kid !== 'string' || kid === '') invalidOption('kid', 'the id of the secret', kid);
  if (!Object.hasOwn(FORMS, alg)) invalidOption('alg', Object.keys(FORMS).join(' or '), alg);
  const { params, usages, extractable, sizes } = FORMS[alg];
  const bytes = source instanceof Uint8Array ? Uint8Array.from(source) : secretInJwk(source, 'enc', alg);
  if (!bytes) invalid('it is given as bytes, or as a JWK of type `oct`');
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

/** The bytes of a JWK of type `oct`; nothing of anything else. Throws `key_invalid` for one that is for something else. */
export function secretInJwk(source: unknown, use: string, alg: string): Uint8Array<ArrayBuffer> | undefined {
  const jwk: JWK = Object(source);
  if (jwk.kty !== 'oct' || typeof jwk.k !== 'string') return undefined;
  if ((jwk.use ?? use) !== use || (jwk.alg ?? alg) !== alg)
    invalid(`its \`use\` or \`alg\` is not that of ${alg}`);
  try {
    return decodeBase64url(jwk.k);
  } catch {
    return invalid('its `k` is not base64url');
  }
}

/** Throws `key_invalid` for a secret that could be guessed. */
export function checkSecret(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return isGuessable(bytes) ? invalid('it is not random, as a passphrase is not: share random bytes') : bytes;
}

/** What people take for a secret. Of random ones, not one in a million looks so. */
function isGuessable(bytes: Uint8Array): boolean {
  return isText(bytes) || isKey(bytes) || isMonotonous(bytes) || isRegular(bytes);
}

/** In any encoding, and with zeros before or behind it, as in a buffer that it does not fill. */
function isText(bytes: Uint8Array): boolean {
  const isSet = (byte: number): boolean => byte !== 0;
  const text = bytes.subarray(Math.max(0, bytes.findIndex(isSet)), bytes.findLastIndex(isSet) + 1);
  const utf8 = decoded(text, 'utf-8');
  if (utf8 !== undefined && !/[^\P{Cc}\t\r\n]/u.test(utf8)) return true;
  return /^[\t\r\n -~]*$/.test(decoded(bytes, 'utf-16le') ?? '\0') || isLatin1(text);
}

function decoded(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Printable, and not so many letters with accents that random bytes could look so. */
function isLatin1(bytes: Uint8Array): boolean {
  const [letters, accented] = [/[\t\r\n -~]/, /[\xa0-\xff]/].map(
    (kind) => bytes.filter((byte) => kind.test(String.fromCharCode(byte))).length,
  ) as [number, number]; // one for each kind
  return letters + accented === bytes.length && accented <= (bytes.length - 16) / 2;
}

/** In DER, as which a public key could be taken for a secret: a SEQUENCE of just that length, of others or of numbers. */
function isKey(bytes: Uint8Array): boolean {
  const [tag, first = 0, second = 0, third = 0] = bytes;
  const head = first < 0x80 ? 2 : first === 0x81 ? 3 : 4;
  const length = [first, second, second * 256 + third][head - 2] ?? 0;
  return tag === 0x30 && [0x30, 0x02].includes(Number(bytes[head])) && head + length === bytes.length;
}

function isMonotonous(bytes: Uint8Array): boolean {
  return new Set(bytes).size < Math.min(bytes.length, 256) / 4;
}

/** The same bytes over and over. */
function isRegular(bytes: Uint8Array): boolean {
  const repeats = (period: number): boolean =>
    bytes.every((byte, i) => i < period || byte === bytes[i - period]);
  return [4, 8, 16, 32].some((period) => period < bytes.length && repeats(period));
}

function invalid(why: string): never {
  throw new E2eeError('key_invalid', `The shared secret cannot be used: ${why}`);
}
