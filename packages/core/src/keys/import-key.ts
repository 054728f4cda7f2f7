import type { JWK } from 'jose';
import { E2eeError } from '../errors.js';
import { UNWRAP } from '../jwe/algorithms.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import { algorithmOf, type DerForm, derForm, pkcs8OfPkcs1, spkiOfCertificate, spkiOfPkcs1 } from './der.js';
import { type ImportKeyOptions, importPublicJwk, readJwk, toCryptoKey } from './import-jwk.js';
import { isPrivateJwk } from './jwk.js';
import type { ImportedKey } from './key.js';
import { keyTypes } from './key-types.js';
import { privateHalves } from './private-key-types.js';
import { unwrapperOf } from './unwrapper.js';

export type { ImportKeyOptions };

type WebCryptoForm = 'spki' | 'pkcs8';

/** How each form becomes one that WebCrypto can import. */
const UNPACK: Readonly<Record<DerForm, readonly [WebCryptoForm, (der: Uint8Array) => Uint8Array]>> = {
  spki: ['spki', (der) => der],
  pkcs8: ['pkcs8', (der) => der],
  'pkcs8-encrypted': ['pkcs8', refuseEncrypted],
  'pkcs1-public': ['spki', spkiOfPkcs1],
  'pkcs1-private': ['pkcs8', pkcs8OfPkcs1],
  certificate: ['spki', spkiOfCertificate],
};

/** What an AlgorithmIdentifier in DER begins with, in hexadecimal: the object identifiers of each kind of key. */
const OIDS = [
  ['06092a864886f70d010101', 'RSA'],
  ['06072a8648ce3d020106082a8648ce3d030107', 'EC'],
  ['06032b656e', 'OKP'],
] as const;

/**
 * Imports a key from whatever people keep keys in: PEM text or DER bytes of SPKI, PKCS#8, PKCS#1 (public and private)
 * or an X.509 certificate, or a JWK (as an object or JSON text). The bytes of a PEM file do as well. RSA, P-256, X25519.
 *
 * A public key becomes an {@link EncryptionKey}, a private one a {@link DecryptionKey} whose secret cannot be exported
 * again. A certificate is only a container here: its validity and signature are not checked.
 *
 * Throws `key_invalid` for anything malformed, encrypted with a passphrase, not for encryption, with fewer than 2048 or
 * more than 8192 bits, or with an exponent other than 65537; `crypto_unavailable` without WebCrypto.
 *
 * @example
 * const bank = await importKey(await readFile('bank-public.pem'))
 * const own = await importKey(await readFile('private.pem'), { kid: '2026-11' })
 */
export async function importKey(
  source: string | Uint8Array | JWK,
  options: ImportKeyOptions = {},
): Promise<ImportedKey> {
  requireWebCrypto();
  const jwk = await toJwk(source);
  if (!isPrivateJwk(jwk)) return importPublicJwk(jwk, options);
  const { type, alg, kid, publicJwk } = await readJwk(jwk, privateHalves(keyTypes(options)), options);
  const privateKey = await toCryptoKey(jwk, type);
  const unwrap = unwrapperOf(privateKey, alg, UNWRAP[alg as keyof typeof UNWRAP]); // pairs have no other algorithms
  return Object.freeze({ kind: 'decryption', kid, alg, publicJwk, unwrap });
}

async function toJwk(source: string | Uint8Array | JWK): Promise<JWK> {
  if (typeof source === 'string') return textToJwk(source);
  if (source instanceof Uint8Array) {
    return isText(source) ? textToJwk(new TextDecoder().decode(source)) : derToJwk(source);
  }
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) return source;
  throw new E2eeError('key_invalid', 'A key is given as PEM text, DER bytes or a JWK');
}

/** DER begins with a SEQUENCE; PEM and JSON files begin with text. */
function isText(source: Uint8Array): boolean {
  return source[0] !== 0x30 || !/[^\t\n\r -~]/.test(new TextDecoder('latin1').decode(source.subarray(0, 64)));
}

async function textToJwk(text: string): Promise<JWK> {
  if (text.trimStart().startsWith('{')) return parseJson(text);
  const pem = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/.exec(text);
  if (!pem)
    throw new E2eeError('key_invalid', 'The key is neither PEM nor a JWK: no BEGIN and END lines were found');
  const [, , body = ''] = pem;
  if (body.includes('Proc-Type: 4,ENCRYPTED')) refuseEncrypted();
  return derToJwk(decodeBase64(body));
}

function refuseEncrypted(): never {
  throw new E2eeError(
    'key_invalid',
    'The private key is encrypted with a passphrase; decrypt it first (openssl pkey)',
  );
}

function parseJson(text: string): JWK {
  try {
    return JSON.parse(text.trim()); // without the byte order mark that some editors write
  } catch {
    throw new E2eeError('key_invalid', 'The key is neither PEM nor a JWK: it is not valid JSON');
  }
}

function decodeBase64(body: string): Uint8Array {
  try {
    return Uint8Array.from(atob(body.replace(/\s+/g, '')), (character) => character.charCodeAt(0));
  } catch {
    throw new E2eeError('key_invalid', 'The PEM text does not hold valid base64');
  }
}

async function derToJwk(der: Uint8Array): Promise<JWK> {
  const [form, unpack] = UNPACK[derForm(der)];
  // A copy, because a view of a larger buffer is not what every WebCrypto accepts.
  const bytes = Uint8Array.from(unpack(der));
  const oid = Array.from(algorithmOf(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const kty = OIDS.find(([start]) => oid.startsWith(start))?.[1];
  const types = form === 'spki' ? keyTypes({}) : privateHalves(keyTypes({}));
  const type = types.find((row) => row.kty === kty);
  if (!type)
    throw new E2eeError(
      'key_invalid',
      'The key cannot be used: it is not an RSA key, nor on P-256 or X25519',
    );
  try {
    const key = await crypto.subtle.importKey(form, bytes, type.importParams, true, [...type.usages]);
    const { key_ops, alg, ...jwk } = (await crypto.subtle.exportKey('jwk', key)) as JWK; // what WebCrypto adds
    return jwk;
  } catch {
    throw new E2eeError('key_invalid', 'The key cannot be used: it is damaged');
  }
}
