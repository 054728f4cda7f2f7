import { randomBytes } from '#platform';
import { E2eeError } from '../errors.js';
import { asDecryptionKey, type DecryptionKey, type ImportedKey } from '../keys/key.js';
import type { KeyRing } from '../keys/key-ring.js';
import { CONTENT_SIZES, type ContentAlgorithm, type KeyAlgorithm, OPEN } from './algorithms.js';
import type { Bytes } from './bytes.js';
import type { CompactJwe } from './compact.js';
import { checkForm, type FormedJwe } from './form.js';
import type { ProtectedHeader } from './protected-header.js';
import { refuseToken } from './refusal.js';
import { requireWebCrypto } from './web-crypto.js';

export interface DecryptJweOptions {
  /** Accepted key management algorithms. Default `['RSA-OAEP-256']`. */
  readonly algs?: readonly KeyAlgorithm[];
  /** Accepted content encryption algorithms. Default `['A256GCM']`. */
  readonly encs?: readonly ContentAlgorithm[];
  /** Refuse a token without `kid`. Default false: such a token is tried with each key of the ring. */
  readonly requireKid?: boolean;
  /** Longest token, in characters. Default 1 MiB. */
  readonly tokenLength?: number;
  /** Longest protected header, in bytes. Default 2048. */
  readonly headerBytes?: number;
}

export interface DecryptedJwe {
  readonly plaintext: Uint8Array;
  readonly header: ProtectedHeader;
  /** The `kid` of the key that opened the token. */
  readonly kid: string;
}

/** What was decrypted, and the key that opened it. */
export interface OpenedJwe {
  readonly plaintext: Uint8Array;
  readonly header: ProtectedHeader;
  readonly key: DecryptionKey;
}

/** A token that passed every check that needs no key operation, with the keys that may open it. */
export interface CheckedJwe {
  readonly jwe: CompactJwe;
  readonly enc: ContentAlgorithm;
  readonly candidates: readonly DecryptionKey[];
}

/**
 * Decrypts one JWE in compact serialisation (RFC 7516 §5.2).
 *
 * With a key ring, the `kid` chooses the key; with a single key, that key is tried whatever the `kid` says. Throws
 * `token_invalid`, one and the same for every kind of bad token, or `key_rejected` when the ring does not hold the
 * `kid`; `crypto_unavailable` without WebCrypto.
 *
 * @example
 * const { plaintext, header } = await decryptJwe(token, await importKey(await readFile('private.pem')))
 */
export async function decryptJwe(
  token: string,
  keys: KeyRing | ImportedKey,
  options: DecryptJweOptions = {},
): Promise<DecryptedJwe> {
  const { plaintext, header, key } = await openJwe(checkJwe(token, keys, options));
  return { plaintext, header, kid: key.kid };
}

/** The half of decryption that touches no private key. Throws as {@link decryptJwe}. */
export function checkJwe(
  token: unknown,
  keys: KeyRing | ImportedKey,
  options: DecryptJweOptions = {},
): CheckedJwe {
  const { algs = ['RSA-OAEP-256'], encs = ['A256GCM'], requireKid = false } = options;
  const { tokenLength = 1_048_576, headerBytes = 2048 } = options;
  requireWebCrypto();
  return withCandidates(checkForm(token, { algs, encs, tokenLength, headerBytes }), keys, requireKid);
}

/** A well-formed token with the keys that may open it. Throws `token_invalid` or `key_rejected`. */
export function withCandidates(
  { jwe, alg, enc }: FormedJwe,
  keys: KeyRing | ImportedKey,
  requireKid: boolean,
): CheckedJwe {
  if (requireKid && jwe.header.kid === undefined) refuseToken();
  const candidates = candidateKeys(keys, jwe.header.kid).filter((key) => key.alg === alg);
  if (candidates.length === 0) refuseToken();
  return { jwe, enc, candidates };
}

/** The half of decryption that uses the private key. Throws as {@link decryptJwe}. */
export async function openJwe({ jwe, enc, candidates }: CheckedJwe): Promise<OpenedJwe> {
  for (const key of candidates) {
    const plaintext = await tryToOpen(jwe, enc, key);
    if (plaintext) return { plaintext, header: jwe.header, key };
  }
  return refuseToken();
}

function candidateKeys(keys: KeyRing | ImportedKey, kid: string | undefined): readonly DecryptionKey[] {
  if ('kind' in keys) return [asDecryptionKey(keys)];
  if (kid === undefined) return keys.decryptionKeys();
  const key = keys.find(kid);
  if (!key) throw new E2eeError('key_rejected', 'The encrypted payload names a key that is not held here');
  return [key];
}

/**
 * RFC 7516 §11.5: a CEK that cannot be unwrapped, or has the wrong length, is replaced by a random one, so that every
 * failure takes the same road and ends in the same place.
 */
async function tryToOpen(
  jwe: CompactJwe,
  enc: ContentAlgorithm,
  key: DecryptionKey,
): Promise<Uint8Array | undefined> {
  const standIn = standInFor(enc);
  const unwrapped = await unwrapCek(jwe, key);
  try {
    return await OPEN[enc](unwrapped?.length === standIn.length ? unwrapped : standIn, jwe);
  } catch {
    return undefined;
  }
}

const standIns = new Map<ContentAlgorithm, Bytes>();

/** A CEK that nobody knows, and nothing was ever encrypted with. */
function standInFor(enc: ContentAlgorithm): Bytes {
  const made = standIns.get(enc) ?? randomBytes(CONTENT_SIZES[enc].cek);
  standIns.set(enc, made);
  return made;
}

async function unwrapCek(
  { encryptedKey, header }: CompactJwe,
  key: DecryptionKey,
): Promise<Bytes | undefined> {
  try {
    const cek = await key.unwrap(encryptedKey, header);
    return cek as Bytes; // of a memory of its own: nothing else is known of a user's key
  } catch (error) {
    // A key service that is out of reach has not said that the token is bad.
    if (error instanceof E2eeError && error.code === 'keys_unavailable') throw error;
    return undefined;
  }
}
