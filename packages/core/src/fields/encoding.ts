import { E2eeError } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import { isDeeperThan } from './depth.js';
import type { FieldEncoding } from './tree.js';

interface EncodingRow {
  /** The plaintext bytes of a JSON value. Returns nothing when the value has no such form. */
  readonly encode: (value: unknown) => string | undefined;
  /** The value of a plaintext. Throws when it is not well-formed. */
  readonly decode: (text: string) => unknown;
}

const ENCODINGS: Readonly<Record<FieldEncoding, EncodingRow>> = {
  json: { encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) },
  text: { encode: (value) => (typeof value === 'string' ? value : undefined), decode: (text) => text },
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A value as the plaintext of a token. Throws `field_invalid` naming the path. */
export function encodeField(value: unknown, as: FieldEncoding, path: string): Uint8Array {
  const text = ENCODINGS[as].encode(value);
  if (text === undefined) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
    throw new E2eeError('field_invalid', `Field \`${path}\` must be a text, not ${kind}`, { path });
  }
  // A lone surrogate has no UTF-8 form: it would come back as U+FFFD.
  if (!text.isWellFormed()) {
    throw new E2eeError('field_invalid', `Field \`${path}\` must be a well-formed text`, { path });
  }
  return new TextEncoder().encode(text);
}

/** The value that a decrypted plaintext stands for. Throws `token_invalid`. */
export function decodeField(plaintext: Uint8Array, as: FieldEncoding, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = ENCODINGS[as].decode(utf8.decode(plaintext));
  } catch {
    refuseToken(); // without the cause: a JSON syntax error quotes the plaintext
  }
  return isDeeperThan(value, maxDepth) ? refuseToken() : value;
}
