import { E2eeError, invalidOption } from '../errors.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import { type RemoteJwks, type RemoteJwksOptions, remoteJwks } from '../keys/remote-jwks.js';
import { readOptions } from '../keys/remote-jwks-options.js';

/** Where a partner publishes its keys, and what is sent to get them. Plain JSON. */
export interface RecipientJwks {
  readonly url: string;
  /** Headers for each request, for example `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How keys that partners publish are fetched. */
export interface RecipientsOptions extends Omit<RemoteJwksOptions, 'headers' | 'preset'> {
  /** How many sources of published keys there may be. Partners with one URL and the same headers share one. Default 1,000. */
  readonly maxSources?: number | undefined;
}

/** A partner's part in a source. */
export interface Lease {
  readonly keys: EncryptionKeys;
  /** Whether nobody else has a part in it. */
  isLast(): boolean;
  /** Ends this part; with the last one, the source is closed. To be called once. */
  release(): void;
}

interface Shared {
  readonly source: RemoteJwks;
  leases: number;
}

/** The sources of published keys: one for each URL with its headers, as long as a partner uses it. */
export class SharedSources {
  readonly #options: RemoteJwksOptions;
  readonly #max: number;
  readonly #shared = new Map<string, Shared>();

  /** Throws `option_invalid`. */
  constructor({ maxSources = 1_000, ...options }: RecipientsOptions) {
    if (!Number.isSafeInteger(maxSources) || maxSources < 0) {
      invalidOption('maxSources', 'a whole number', maxSources);
    }
    refuseOwn(options);
    readOptions(options);
    this.#options = options;
    this.#max = maxSources;
  }

  /** A part in the source of this URL; `ending` is the one that it will replace. Throws `option_invalid`. */
  lease({ url, headers }: RecipientJwks, ending?: Lease): Lease {
    const made = remoteJwks(url, { ...this.#options, headers }); // checks both, and does nothing before its first use
    const name = JSON.stringify([new URL(url).href, [...new Headers(headers)]]);
    const shared = this.#shared.get(name) ?? { source: made, leases: 0 };
    if (shared.leases === 0 && this.#shared.size - Number(ending?.isLast() ?? false) >= this.#max) {
      throw new E2eeError('option_invalid', `there are \`maxSources\` = ${this.#max} others already`);
    }
    shared.leases += 1;
    this.#shared.set(name, shared);
    return {
      keys: shared.source,
      isLast: () => shared.leases === 1,
      release: () => {
        shared.leases -= 1;
        if (shared.leases > 0) return;
        this.#shared.delete(name);
        shared.source.close();
      },
    };
  }

  /** Closes every source. */
  close(): void {
    for (const { source } of this.#shared.values()) source.close();
  }
}

/** What belongs to one partner must not reach the others, as a credential among the options would. */
function refuseOwn(options: RemoteJwksOptions): void {
  if (options.headers !== undefined) {
    throw new E2eeError(
      'option_invalid',
      'Option `headers` would be sent to every partner: give each its own, as `jwks: { url, headers }`',
    );
  }
  if (options.preset !== undefined) {
    throw new E2eeError('option_invalid', 'Option `preset` is for remoteJwks(): it belongs to one URL only');
  }
}
