import { CompactEncrypt } from 'jose';
import { E2eeError } from '../errors.js';
import { asEncryptionKey, type ImportedKey } from '../keys/key.js';
import { CONTENT_ALGORITHMS, type ContentAlgorithm } from './algorithms.js';

export interface EncryptJweOptions {
  /** Content encryption. Default `A256GCM`. */
  readonly enc?: ContentAlgorithm;
  /** What the plaintext is, as the `cty` header (RFC 7516 §4.1.12). Default none. */
  readonly cty?: string;
  /** The `typ` header (RFC 7516 §4.1.11). Default none. */
  readonly typ?: string;
}

/**
 * Encrypts bytes to one recipient as a JWE in compact serialisation (RFC 7516 §7.1), with a new CEK and IV each time.
 * The key's `alg` and `kid` go into the protected header.
 *
 * Throws `key_invalid` for a private key and `encryption_failed` when the cryptography fails.
 *
 * @example
 * const key = await importKey(await readFile('bank-public.pem'))
 * const token = await encryptJwe(new TextEncoder().encode('{"name":"John Doe"}'), key)
 */
export async function encryptJwe(
  plaintext: Uint8Array,
  key: ImportedKey,
  options: EncryptJweOptions = {},
): Promise<string> {
  const { enc = 'A256GCM', cty, typ } = options;
  const { kid, alg, publicKey } = asEncryptionKey(key);
  if (CONTENT_ALGORITHMS[enc] === undefined) {
    throw new E2eeError('option_invalid', 'Option `enc` is not a supported content encryption algorithm');
  }
  const header = { alg, enc, kid, ...(typ !== undefined && { typ }), ...(cty !== undefined && { cty }) };
  try {
    return await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(publicKey);
  } catch (cause) {
    throw new E2eeError('encryption_failed', 'Encryption failed', { cause });
  }
}
