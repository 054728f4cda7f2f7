import { E2eeError } from '../errors.js';
import { asEncryptionKey, type EncryptionKey, type ImportedKey } from '../keys/key.js';
import { type ContentAlgorithm, cekUse, isContentAlgorithm, SEAL, WRAP, type Wrap } from './algorithms.js';
import { encodeBase64url } from './base64url.js';
import { requireWebCrypto } from './web-crypto.js';

/** Members of a JWE header that have a meaning (RFC 7516 §4.1, RFC 7518 §4). */
export const HEADER_MEMBERS: readonly string[] =
  'alg enc zip kid typ cty crit jku jwk x5u x5c x5t x5t#S256 epk apu apv iv tag p2s p2c b64 __proto__'.split(
    ' ',
  );

const utf8 = new TextEncoder();

export interface EncryptJweOptions {
  /** Content encryption. Default `A256GCM`. */
  readonly enc?: ContentAlgorithm;
  /** What the plaintext is, as the `cty` header (RFC 7516 §4.1.12). Default none. */
  readonly cty?: string;
  /** The `typ` header (RFC 7516 §4.1.11). Default none. */
  readonly typ?: string;
  /** Further members of the protected header, by names that no RFC has taken. Default none. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/**
 * Encrypts bytes to one recipient as a JWE in compact serialisation (RFC 7516 §7.1), with a new CEK and IV each time.
 * The key's `alg` and `kid` go into the protected header.
 *
 * Throws `key_invalid` for a private key, `crypto_unavailable` without WebCrypto, and `encryption_failed` when the
 * cryptography fails.
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
  const { enc = 'A256GCM', cty, typ, header } = options;
  requireWebCrypto();
  const recipient = asEncryptionKey(key);
  if (!isContentAlgorithm(enc)) {
    throw new E2eeError('option_invalid', 'Option `enc` is not a supported content encryption algorithm');
  }
  const taken = Object.keys(header ?? {}).find((name) => HEADER_MEMBERS.includes(name));
  if (taken !== undefined)
    throw new E2eeError(
      'option_invalid',
      `Option \`header\` must not hold \`${taken}\`, which has a meaning of its own`,
    );
  const labels = { ...header, ...(typ !== undefined && { typ }), ...(cty !== undefined && { cty }) };
  try {
    if (!ArrayBuffer.isView(plaintext)) throw new TypeError('The plaintext is not bytes');
    return await seal(plaintext, recipient, enc, labels);
  } catch (cause) {
    throw new E2eeError('encryption_failed', 'Encryption failed', { cause });
  }
}

/** RFC 7516 §5.1. */
async function seal(
  plaintext: Uint8Array,
  key: EncryptionKey,
  enc: ContentAlgorithm,
  labels: object,
): Promise<string> {
  const { kid, alg } = key;
  const { cek, encryptedKey, header } = await wrapFor(key)(key.publicKey, cekUse(alg, enc));
  const head = encodeBase64url(utf8.encode(JSON.stringify({ alg, enc, kid, ...labels, ...header })));
  const aad = utf8.encode(head);
  const { iv, ciphertext, tag } = await SEAL[enc](cek, { plaintext, aad });
  return [head, ...[encryptedKey, iv, ciphertext, tag].map(encodeBase64url)].join('.');
}

function wrapFor({ alg, wrap }: EncryptionKey): Wrap {
  return wrap ?? WRAP[alg as keyof typeof WRAP]; // a key for another algorithm brings its own
}
