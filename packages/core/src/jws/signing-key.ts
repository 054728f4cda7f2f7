import { CompactSign, type CryptoKey, importPKCS8, type JWK } from 'jose';
import { E2eeError } from '../errors.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import {
  checkStrength,
  fromJwk,
  isSigningAlgorithm,
  keySource,
  type SigningAlgorithm,
  secretOf,
} from './algorithms.js';

/** Our own key, to sign what we encrypt: who opens it learns that it came from us. Made by {@link importSigningKey}. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** A JWS in compact serialisation (RFC 7515 §7.1), with these members in its header beside `alg` and `kid`. */
  sign(payload: Uint8Array, header: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface SigningKeyOptions {
  readonly alg: SigningAlgorithm;
  /** Under which id the other end knows it. */
  readonly kid: string;
}

/**
 * Imports a key to sign with: a private one as PKCS#8 in PEM or DER, or as a JWK; for `HS256` at least 32 random bytes that
 * both ends share, or a JWK of type `oct`, with which either can sign. RSA keys of 2048 bits and more, P-256, Ed25519.
 *
 * Rejects with `key_invalid`, or `option_invalid` for another `alg` or no `kid`.
 *
 * @example
 * const signWith = await importSigningKey(await readFile('sign.pem', 'utf8'), { alg: 'ES256', kid: 'shop-1' })
 * const client = createE2eeClient({ profile, encryptionKeys, signWith })
 */
export async function importSigningKey(
  source: string | Uint8Array | JWK,
  options: SigningKeyOptions,
): Promise<SigningKey> {
  requireWebCrypto();
  const { alg, kid }: Partial<SigningKeyOptions> = Object(options);
  if (!isSigningAlgorithm(alg)) throw new E2eeError('option_invalid', 'Option `alg` is not one to sign with');
  if (typeof kid !== 'string' || kid === '')
    throw new E2eeError('option_invalid', 'Option `kid` must be the id of the key');
  const key = alg === 'HS256' ? secretOf(source) : await privateKeyOf(source, alg);
  const sign = (payload: Uint8Array, header: Readonly<Record<string, unknown>>): Promise<string> =>
    new CompactSign(payload).setProtectedHeader({ ...header, alg, kid }).sign(key);
  return Object.freeze({ kid, alg, sign });
}

async function privateKeyOf(source: string | Uint8Array | JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  try {
    const given = keySource(source, 'PRIVATE KEY');
    const key = typeof given === 'string' ? await importPKCS8(given, alg) : await fromJwk(given, alg);
    if (key.type === 'private') return checkStrength(key);
  } catch (error) {
    if (error instanceof E2eeError) throw error;
  }
  throw new E2eeError(
    'key_invalid',
    `The key cannot be used: it is not a private key for ${alg}, as PKCS#8 or a JWK`,
  );
}
