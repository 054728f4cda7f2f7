import type { JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import { type EncryptionKeys, staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import { asEncryptionKey, type EncryptionKey } from '../keys/key.js';
import { type RemoteJwksOptions, remoteJwks } from '../keys/remote-jwks.js';
import type { Recipient } from './recipient.js';

/** A public key as a partner hands it in: PEM of PKCS#1, SPKI or a certificate, or a JWK. */
export type PublicKeySource = string | JWK;

/** A public key with the time in which it is used. A time is ISO 8601, or seconds since the epoch. */
export interface TimedKey {
  readonly key: PublicKeySource;
  /** Until then, the keys before it are used. */
  readonly from?: string | number;
  /** From then on it is not used any more. */
  readonly until?: string | number;
}

/** What is registered of a partner. Plain JSON. */
export interface RecipientEntry {
  readonly response: Recipient['response'];
  /**
   * Its public keys. While it changes keys there are two: of those whose time has come, the newest is used; without
   * times, the first.
   */
  readonly keys?: PublicKeySource | readonly (PublicKeySource | TimedKey)[];
  /** Where it publishes its keys, in place of `keys`. */
  readonly jwks?: string;
}

/** The partners that responses go to, by id. */
export interface Recipients {
  /** The recipient of this id, for the `recipient` option; nothing for an unknown id, or none. */
  get(id: string | undefined): Recipient | undefined;
  /** Registers a partner, or changes it. Rejects with `option_invalid` or `key_invalid`; then nothing has changed. */
  set(id: string, entry: RecipientEntry): Promise<void>;
  /** Forgets a partner. */
  delete(id: string): void;
}

/**
 * Registers partners: whom responses are encrypted to, and what each chose.
 *
 * Rejects with `option_invalid` or `key_invalid`, naming the partner.
 *
 * @example
 * const partners = await recipients({
 *   acme: { response: 'encrypt', keys: [oldPem, { key: newPem, from: '2027-01-01' }] },
 *   globex: { response: 'message', jwks: 'https://globex.example/.well-known/jwks.json' },
 *   initech: { response: 'redact' },
 * })
 * app.use(e2ee({ profile: banked, keyRing, recipient: (req) => partners.get(req.auth.clientId) }))
 */
export async function recipients(
  entries: Readonly<Record<string, RecipientEntry>> = {},
  options: RemoteJwksOptions = {},
): Promise<Recipients> {
  const registry = new Registry(options);
  await Promise.all(Object.entries(entries).map(([id, entry]) => registry.set(id, entry)));
  return registry;
}

const CHOICES: readonly unknown[] = ['encrypt', 'redact', 'message'];

class Registry implements Recipients {
  readonly #recipients = new Map<string, Recipient>();
  readonly #options: RemoteJwksOptions;

  constructor(options: RemoteJwksOptions) {
    this.#options = options;
  }

  get(id: string | undefined): Recipient | undefined {
    return id === undefined ? undefined : this.#recipients.get(id);
  }

  async set(id: string, entry: RecipientEntry): Promise<void> {
    if (typeof entry !== 'object' || entry === null) invalidOption(id, 'an entry with `response`', entry);
    const { response, keys, jwks } = entry;
    if (!CHOICES.includes(response))
      invalidOption(`${id}.response`, '"encrypt", "redact" or "message"', response);
    if (keys !== undefined && jwks !== undefined) {
      throw new E2eeError('option_invalid', `Recipient \`${id}\` must have either \`keys\` or \`jwks\``);
    }
    const encryptionKeys = jwks === undefined ? await listed(id, keys) : published(id, jwks, this.#options);
    if (!encryptionKeys && response !== 'redact') {
      throw new E2eeError('option_invalid', `Recipient \`${id}\` needs a public key to choose "${response}"`);
    }
    this.#recipients.set(id, Object.freeze({ id, response, ...(encryptionKeys && { encryptionKeys }) }));
  }

  delete(id: string): void {
    this.#recipients.delete(id);
  }
}

function published(id: string, url: string, options: RemoteJwksOptions): EncryptionKeys {
  try {
    return remoteJwks(url, options);
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error;
    throw new E2eeError(error.code, `The keys of recipient \`${id}\` cannot be had: ${error.message}`, {
      cause: error,
    });
  }
}

async function listed(id: string, keys: RecipientEntry['keys']): Promise<EncryptionKeys | undefined> {
  if (keys === undefined) return undefined;
  const list: readonly (PublicKeySource | TimedKey)[] = Array.isArray(keys) ? keys : [keys];
  try {
    return staticKeys(await Promise.all(list.map(timedKey)));
  } catch (error) {
    const why = error instanceof E2eeError ? error.message : 'it is malformed';
    throw new E2eeError('key_invalid', `A key of recipient \`${id}\` cannot be used: ${why}`, {
      cause: error,
    });
  }
}

async function timedKey(source: PublicKeySource | TimedKey): Promise<EncryptionKey> {
  if (typeof source === 'string' || !('key' in source)) return asEncryptionKey(await importKey(source));
  const { key, from, until } = source as TimedKey; // a JWK has no member `key`
  return {
    ...asEncryptionKey(await importKey(key)),
    ...(from !== undefined && { issuedAt: seconds('from', from) }),
    ...(until !== undefined && { expiresAt: seconds('until', until) }),
  };
}

/** A number beyond the year 9999 is one of milliseconds. */
const LAST_SECOND = 253_402_300_799;

function seconds(option: string, time: string | number): number {
  const value = typeof time === 'number' ? time : Date.parse(time) / 1000;
  return Math.abs(value) <= LAST_SECOND
    ? value
    : invalidOption(option, 'ISO 8601, or seconds since the epoch', time);
}
