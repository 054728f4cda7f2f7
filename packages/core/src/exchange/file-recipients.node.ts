import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { E2eeError } from '../errors.js';
import { type RecipientEntry, type Recipients, type RecipientsOptions, recipients } from './recipients.js';
import type { HandedKeys, PublicKeySource, TimedKey } from './recipients-keys.js';

/**
 * Registers the partners that a JSON file lists: partner id → {@link RecipientEntry}. A key in it is a JWK, PEM text, or
 * the path of a file, from the directory that this one is in.
 *
 * Rejects with `option_invalid` or `key_invalid`, naming the partner, or with the error of the file system.
 *
 * @example
 * // partners.json: { "acme": { "response": "encrypt", "keys": ["acme.pem"] } }
 * const partners = await fileRecipients('./partners.json')
 */
export async function fileRecipients(path: string, options: RecipientsOptions = {}): Promise<Recipients> {
  const entries = parse(path, await readFile(path, 'utf8'));
  const directory = dirname(path);
  const read = Object.entries(entries).map(async ([id, entry]): Promise<[string, RecipientEntry]> => {
    const keys = entry?.keys; // what is no entry at all is refused below
    return [id, keys === undefined ? entry : { ...entry, keys: await readKeys(directory, keys) }];
  });
  return recipients(Object.fromEntries(await Promise.all(read)), options);
}

function parse(path: string, text: string): Record<string, RecipientEntry> {
  let entries: unknown;
  try {
    entries = JSON.parse(text.trim()); // without the byte order mark that some editors write
  } catch {
    // Without the parser's own message, which shows a piece of the file: headers in it may be secret.
    throw new E2eeError('option_invalid', `${path} is not JSON`);
  }
  if (typeof entries === 'object' && entries !== null && !Array.isArray(entries)) {
    return entries as Record<string, RecipientEntry>; // each entry is checked when it is registered
  }
  throw new E2eeError('option_invalid', `${path} must hold an object: partner id → entry`);
}

function readKeys(directory: string, keys: HandedKeys): Promise<readonly (PublicKeySource | TimedKey)[]> {
  const list: readonly (PublicKeySource | TimedKey)[] = Array.isArray(keys) ? keys : [keys];
  return Promise.all(
    list.map(async (source) => {
      if (typeof source === 'object' && source !== null && 'key' in source) {
        const { key, ...times } = source as TimedKey; // a JWK has no member `key`
        return { ...times, key: await readKey(directory, key) };
      }
      return readKey(directory, source as PublicKeySource);
    }),
  );
}

async function readKey(directory: string, source: PublicKeySource): Promise<PublicKeySource> {
  if (typeof source !== 'string' || source.includes('-----BEGIN')) return source;
  return readFile(resolve(directory, source), 'utf8');
}
