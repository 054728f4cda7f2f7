import { E2eeError, invalidOption } from '../errors.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import { isResponseChoice, type Recipient } from './recipient.js';
import { type HandedKeys, handedKeys, type PublicKeySource, type TimedKey } from './recipients-keys.js';
import {
  type Lease,
  type RecipientJwks,
  type RecipientsOptions,
  SharedSources,
} from './recipients-sources.js';

export type { PublicKeySource, RecipientJwks, RecipientsOptions, TimedKey };

/** What is registered of a partner. Plain JSON. */
export interface RecipientEntry {
  readonly response: Recipient['response'];
  /**
   * Its public keys. While it changes keys there are two: of those whose time has come, the newest is used; without
   * times, the first.
   */
  readonly keys?: HandedKeys | undefined;
  /** Where it publishes its keys, in place of `keys`. */
  readonly jwks?: string | RecipientJwks | undefined;
}

/** The partners that responses go to, by id. */
export interface Recipients {
  /** The recipient of this id, for the `recipient` option; nothing for an unknown id, or none. */
  get(id: string | undefined): Recipient | undefined;
  /**
   * Registers a partner, or changes it. Of several changes of one partner, the one that was asked for last stays.
   * Rejects with `option_invalid` or `key_invalid`; then nothing has changed.
   */
  set(id: string, entry: RecipientEntry): Promise<void>;
  /** Forgets a partner. */
  delete(id: string): void;
  /** Stops fetching published keys for good: responses to who publishes them fail from then on, and `set` rejects. */
  close(): void;
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
  options: RecipientsOptions = {},
): Promise<Recipients> {
  const registry = new Registry(options);
  await Promise.all(Object.entries(entries).map(([id, entry]) => registry.set(id, entry)));
  return registry;
}

interface Registered {
  readonly recipient: Recipient;
  readonly lease: Lease | undefined;
}

class Registry implements Recipients {
  readonly #registered = new Map<string, Registered>();
  readonly #sources: SharedSources;
  /** While entries are being read: by id, the number of the change that was made last. */
  readonly #made = new Map<string, number>();
  #reading = 0;
  #changes = 0;
  #closed = false;

  constructor(options: RecipientsOptions) {
    this.#sources = new SharedSources(options);
  }

  get(id: string | undefined): Recipient | undefined {
    return id === undefined ? undefined : this.#registered.get(id)?.recipient;
  }

  async set(id: string, entry: RecipientEntry): Promise<void> {
    checkEntry(id, entry);
    this.#changes += 1;
    const change = this.#changes;
    this.#reading += 1;
    try {
      const keys = entry.keys === undefined ? undefined : await handedKeys(id, entry.keys);
      if (this.#closed) throw new E2eeError('option_invalid', 'The registry of recipients is closed');
      if (change < (this.#made.get(id) ?? 0)) return;
      this.#put(id, entry, keys);
      this.#made.set(id, change);
    } finally {
      this.#reading -= 1;
      if (this.#reading === 0) this.#made.clear();
    }
  }

  delete(id: string): void {
    const registered = this.#registered.get(id);
    this.#registered.delete(id);
    registered?.lease?.release();
    this.#changes += 1;
    if (this.#reading > 0) this.#made.set(id, this.#changes);
  }

  close(): void {
    this.#closed = true;
    this.#sources.close();
  }

  /** Who answers a partner meanwhile has the old entry or the new one: the old source is closed last. */
  #put(id: string, { response, jwks }: RecipientEntry, keys: EncryptionKeys | undefined): void {
    const before = this.#registered.get(id)?.lease;
    const lease = jwks === undefined ? undefined : this.#lease(id, jwks, before);
    const encryptionKeys = lease?.keys ?? keys;
    const recipient = Object.freeze({ id, response, ...(encryptionKeys && { encryptionKeys }) });
    this.#registered.set(id, { recipient, lease });
    before?.release();
  }

  #lease(id: string, jwks: string | RecipientJwks, ending: Lease | undefined): Lease {
    try {
      return this.#sources.lease(typeof jwks === 'string' ? { url: jwks } : jwks, ending);
    } catch (cause) {
      if (!(cause instanceof E2eeError)) throw cause;
      const { code, message } = cause;
      throw new E2eeError(code, `The keys of recipient \`${id}\` cannot be had: ${message}`, { cause });
    }
  }
}

/** Throws `option_invalid` for what is wrong at first sight. */
function checkEntry(id: string, entry: RecipientEntry): void {
  if (typeof entry !== 'object' || entry === null) invalidOption(id, 'an entry with `response`', entry);
  const { response, keys, jwks } = entry;
  if (!isResponseChoice(response)) {
    invalidOption(`${id}.response`, '"encrypt", "redact" or "message"', response);
  }
  if (keys !== undefined && jwks !== undefined) {
    throw new E2eeError('option_invalid', `Recipient \`${id}\` must have either \`keys\` or \`jwks\``);
  }
  if (keys === undefined && jwks === undefined && response !== 'redact') {
    throw new E2eeError('option_invalid', `Recipient \`${id}\` needs a public key to choose "${response}"`);
  }
  if (jwks !== undefined && typeof jwks !== 'string' && typeof jwks?.url !== 'string') {
    invalidOption(`${id}.jwks`, 'a URL, or an object with `url`', jwks);
  }
}
