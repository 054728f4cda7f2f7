import { decodeUtf8 } from '#platform';
import { E2eeError } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import { isDeeperThan } from './depth.js';
import type { FieldEncoding } from './tree.js';

const encoder = new TextEncoder();

/** A value as the plaintext of a token. Throws `field_invalid` naming the path. */
export function encodeField(value: unknown, as: FieldEncoding, path: string): Uint8Array {
  return encodeText(as === 'text' ? value : JSON.stringify(value), value, path);
}

/** A text as the plaintext of a token: the `value`, or its JSON form. Throws `field_invalid` naming the path. */
export function encodeText(text: unknown, value: unknown, path: string): Uint8Array {
  if (typeof text !== 'string') {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
    throw new E2eeError('field_invalid', `Field \`${path}\` must be a text, not ${kind}`, { path });
  }
  // A lone surrogate has no UTF-8 form: it would come back as U+FFFD.
  if (!text.isWellFormed()) {
    throw new E2eeError('field_invalid', `Field \`${path}\` must be a well-formed text`, { path });
  }
  return encoder.encode(text);
}

/** The value that a decrypted plaintext stands for. Throws `token_invalid`. */
export function decodeField(plaintext: Uint8Array, as: FieldEncoding, maxDepth: number): unknown {
  let value: unknown;
  try {
    const text = decodeUtf8(plaintext);
    value = as === 'text' ? text : JSON.parse(text);
  } catch {
    refuseToken(); // without the cause: a JSON syntax error quotes the plaintext
  }
  return isDeeperThan(value, maxDepth) ? refuseToken() : value;
}
