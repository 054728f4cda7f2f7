import { hkdf, randomBytes } from '#platform';
import { invalidOption } from '../errors.js';
import { CONTENT_SIZES, type ContentAlgorithm } from '../jwe/algorithms.js';
import { encodeBase64url } from '../jwe/base64url.js';
import type { Bytes } from '../jwe/bytes.js';
import { refuseToken } from '../jwe/refusal.js';
import type { DecryptionKey, EncryptionKey } from '../keys/key.js';
import type { TokenPlace } from './binding.js';

/* One key agreement for a call, however many fields it has. The format is in docs/per-message-key.md. */

const SECRET_BYTES = 32;
const SALT_BYTES = 16;
/** So many bytes in base64url. */
const SALT = /^[\w-]{22}$/;
const utf8 = new TextEncoder();
const LABEL = 'e2ee per-message key 1';

export interface PerMessageKeyOptions {
  /** The HTTP header that the secret goes in, encrypted. Default `e2ee-key`. */
  readonly header?: string;
}

/** How the keys of a call are agreed on. Made by {@link perMessageKey}. */
export interface PerMessageKey {
  /** Name of the HTTP header, in lower case. */
  readonly header: string;
  /** The `typ` of the token that holds the secret of a call: no other is taken for it (RFC 8725 §3.11). */
  readonly typ: string;
  /** The secret of a new call. */
  newSecret(): Uint8Array;
  /** The keys of a call, from its secret, which was encrypted to the key `kid`. Rejects with `token_invalid`. */
  keysFrom(secret: Uint8Array, kid: string): Promise<MessageKey>;
}

/** What both ends of one call derive the keys of its tokens from: another for each token, bound to its place. */
export interface MessageKey {
  sealingKey(place: TokenPlace): EncryptionKey;
  openingKey(place: TokenPlace): DecryptionKey;
}

/**
 * For the `perMessageKey` of a profile, where both ends are yours: the client end encrypts one secret for each call, in an HTTP
 * header, and the key of every token of the call is derived from it. Sixteen fields then cost one private-key operation.
 * The answer to a recipient without keys of its own, who may have values encrypted, is encrypted likewise. Throws
 * `option_invalid`.
 *
 * @example
 * const profile = { ...strict, policy, perMessageKey: perMessageKey() }
 */
export function perMessageKey({ header = 'e2ee-key' }: PerMessageKeyOptions = {}): PerMessageKey {
  if (typeof header !== 'string' || !/^[a-z\d-]+$/.test(header))
    invalidOption('header', 'the name of an HTTP header, in lower case', header);
  return Object.freeze({
    header,
    typ: 'e2ee-key',
    newSecret: () => randomBytes(SECRET_BYTES),
    keysFrom: async (secret, kid) => {
      if (secret.length !== SECRET_BYTES) refuseToken();
      return messageKeyOf(Uint8Array.from(secret), kid);
    },
  } satisfies PerMessageKey);
}

async function messageKeyOf(secret: Bytes, kid: string): Promise<MessageKey> {
  const derive = await hkdf(secret);
  const cekFor = (place: TokenPlace, enc: ContentAlgorithm, salt: string): Promise<Bytes> =>
    derive(purposeOf(place, enc, salt), CONTENT_SIZES[enc].cek);
  const key = { kid, alg: 'dir', publicJwk: {} } as const;
  return {
    sealingKey: (place) => ({
      ...key,
      kind: 'encryption',
      publicKey: {} as EncryptionKey['publicKey'], // `wrap` needs none
      wrap: async (_, { enc }) => {
        const salt = encodeBase64url(randomBytes(SALT_BYTES));
        return { cek: await cekFor(place, enc, salt), encryptedKey: new Uint8Array(), header: { salt } };
      },
    }),
    openingKey: (place) => ({
      ...key,
      kind: 'decryption',
      unwrap: async (_, { enc, salt }) => {
        if (typeof salt !== 'string' || !SALT.test(salt)) refuseToken();
        return cekFor(place, enc as ContentAlgorithm, salt); // it was checked
      },
    }),
  };
}

/**
 * What a key is for. A salt of its own makes it new even where one place is encrypted twice: in the answer to a repeated
 * request. No part but the last holds a zero, so that no two places have one spelling.
 */
function purposeOf({ direction, operation, path }: TokenPlace, enc: ContentAlgorithm, salt: string): Bytes {
  if (!path.isWellFormed()) throw new RangeError('The name of a member has no UTF-8 form');
  return utf8.encode([LABEL, enc, salt, direction, operation, path].join('\0'));
}
