import { E2eeError, invalidOption } from '../errors.js';
import { type EncryptionKeys, newestValidKey, unavailable } from './encryption-keys.js';
import { readJwkSet } from './jwk-set.js';
import type { EncryptionKey } from './key.js';

/**
 * Set to `true`, lets {@link remoteJwks} fetch keys over plain `http:` from another machine.
 *
 * @deprecated Whoever can change the keys on the way can read everything. For closed test networks only.
 */
export const allowInsecureKeys: unique symbol = Symbol('e2ee.allowInsecureKeys');

export interface RemoteJwksOptions {
  /** The `fetch` to use. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Headers for each request, for example `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Deadline for one fetch, body included, in milliseconds. Default 5,000. */
  readonly timeout?: number;
  /** Largest answer, in bytes after decompression. Default 262,144. */
  readonly maxBytes?: number;
  /** Least time between two refreshes that a key rejection forces, in milliseconds. Default 30,000. */
  readonly cooldown?: number;
  /** How long the last good set may be used when refreshing fails, in milliseconds. Default 86,400,000 (24 h). */
  readonly staleLimit?: number;
  /** @deprecated See {@link allowInsecureKeys}. */
  readonly [allowInsecureKeys]?: boolean;
}

/** How long an answer is fresh, in milliseconds, whatever its publisher says. */
const LIFETIME = { min: 60_000, default: 600_000, max: 86_400_000 } as const;
/** At this part of its lifetime a set in use is fetched anew, beside the requests and not in their way. */
const REFRESH_AT = 0.8;
/** Pause after a failure, doubled each time. */
const BACKOFF = { min: 1_000, max: 30_000 } as const;
/** By how much of themselves the times above vary, so that clients which started together do not fetch together. */
const JITTER = 0.1;
/** Least time between two attempts to refresh a set that is still usable. */
const BACKGROUND_PAUSE = 30_000;

interface KnownSet {
  readonly keys: readonly EncryptionKey[];
  readonly etag: string | null;
  readonly fetchedAt: number;
  readonly lifetime: number;
  /** When to fetch anew, on the clock of `fetchedAt`. */
  readonly refreshAt: number;
}

/**
 * The encryption keys that a provider publishes, as a JWKS or as a single JWK.
 *
 * The set is fetched at first use, once for all concurrent callers, and kept as long as `Cache-Control` says (60 s to
 * 24 h; 10 min without). It is refreshed in the background; when that fails, the last good set serves on up to
 * `staleLimit`, but no key is used past its own expiry. `https:` only, except on loopback; no redirects.
 *
 * Throws `option_invalid` for a bad URL or option. `current()` rejects with `keys_unavailable`.
 *
 * @example
 * const encryptionKeys = remoteJwks('https://api.banked.com/.well-known/jwks.json')
 */
export function remoteJwks(url: string | URL, options: RemoteJwksOptions = {}): EncryptionKeys {
  return new RemoteJwks(checkUrl(url, options[allowInsecureKeys] === true), options);
}

class RemoteJwks implements EncryptionKeys {
  readonly #url: URL;
  readonly #fetch: typeof globalThis.fetch;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeout: number;
  readonly #maxBytes: number;
  readonly #cooldown: number;
  readonly #staleLimit: number;
  #known: KnownSet | undefined;
  #pending: Promise<void> | undefined;
  #failures = 0;
  #backoff = 0;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #lastForced = Number.NEGATIVE_INFINITY;
  #lastError: unknown;

  constructor(url: URL, options: RemoteJwksOptions) {
    this.#url = url;
    this.#fetch = options.fetch ?? globalThis.fetch;
    this.#headers = { accept: 'application/jwk-set+json, application/json', ...options.headers };
    this.#timeout = positive('timeout', options.timeout ?? 5_000);
    this.#maxBytes = positive('maxBytes', options.maxBytes ?? 262_144);
    this.#cooldown = positive('cooldown', options.cooldown ?? 30_000);
    this.#staleLimit = positive('staleLimit', options.staleLimit ?? 86_400_000);
  }

  async current(): Promise<EncryptionKey> {
    const usable = this.#usableKey();
    if (usable) {
      this.#refreshInBackground();
      return usable;
    }
    if (!this.#pending && this.#sinceLastAttempt() < this.#backoff) this.#fail();
    await this.#load();
    return this.#usableKey() ?? this.#fail();
  }

  async refresh(): Promise<void> {
    if (!this.#pending && performance.now() - this.#lastForced < this.#cooldown) return;
    this.#lastForced = performance.now();
    await this.#load();
  }

  #usableKey(): EncryptionKey | undefined {
    if (!this.#known) return undefined;
    const { keys, fetchedAt, lifetime } = this.#known;
    if (performance.now() - fetchedAt > lifetime + this.#staleLimit) return undefined;
    return newestValidKey(keys);
  }

  #refreshInBackground(): void {
    if (!this.#known || performance.now() < this.#known.refreshAt) return;
    if (this.#sinceLastAttempt() >= BACKGROUND_PAUSE) void this.#load();
  }

  /** One fetch at a time, shared by all who wait. Never rejects: what went wrong is kept for {@link #fail}. */
  #load(): Promise<void> {
    this.#pending ??= this.#attempt().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #attempt(): Promise<void> {
    try {
      this.#known = await this.#fetchSet();
      this.#failures = 0;
      this.#backoff = 0;
      this.#lastError = undefined;
    } catch (error) {
      this.#backoff = varied(Math.min(BACKOFF.min * 2 ** this.#failures, BACKOFF.max));
      this.#failures += 1;
      this.#lastError = error;
    }
    this.#lastAttempt = performance.now(); // its end: an endpoint that hangs must not be asked again without a pause
  }

  async #fetchSet(): Promise<KnownSet> {
    const known = this.#known;
    const signal = AbortSignal.timeout(this.#timeout);
    const headers = known?.etag ? { ...this.#headers, 'if-none-match': known.etag } : this.#headers;
    const response = await this.#fetch.call(undefined, this.#url, { headers, redirect: 'error', signal });
    const lifetime = lifetimeOf(response.headers);
    const fetchedAt = performance.now();
    const times = { fetchedAt, lifetime, refreshAt: fetchedAt + varied(lifetime * REFRESH_AT) };
    if (response.status === 304 && known) return { ...known, ...times, keys: unexpired(known.keys) };
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new E2eeError('keys_unavailable', `The key endpoint answered with status ${response.status}`);
    }
    const keys = await readJwkSet(parseJson(await readText(response, this.#maxBytes)));
    return { keys: unexpired(keys), etag: response.headers.get('etag'), ...times };
  }

  #sinceLastAttempt(): number {
    return performance.now() - this.#lastAttempt;
  }

  #fail(): never {
    return unavailable(`No valid encryption key could be had from ${this.#url.href}`, this.#lastError);
  }
}

function checkUrl(input: string | URL, insecure: boolean): URL {
  if (!URL.canParse(String(input))) invalidOption('url', 'an absolute URL', input);
  const url = new URL(input);
  if (url.username || url.password) {
    throw new E2eeError(
      'option_invalid',
      'The URL of a key set must not hold credentials; use the `headers` option',
    );
  }
  const safe =
    url.protocol === 'https:' || (url.protocol === 'http:' && (isLoopback(url.hostname) || insecure));
  if (!safe)
    throw new E2eeError('option_invalid', 'Keys are fetched over https: only, except from this machine');
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** RFC 9111 §5.2.2.1 and §5.1, within our own bounds. */
function lifetimeOf(headers: Headers): number {
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})\b/i.exec(headers.get('cache-control') ?? '')?.[1];
  if (maxAge === undefined) return headers.has('cache-control') ? LIFETIME.min : LIFETIME.default;
  const age = Number(headers.get('age') ?? 0) || 0;
  return Math.min(Math.max((Number(maxAge) - age) * 1000, LIFETIME.min), LIFETIME.max);
}

/** A set in which every key has expired is no better than none: it counts as a failure and is asked for less often. */
function unexpired(keys: readonly EncryptionKey[]): readonly EncryptionKey[] {
  return newestValidKey(keys) ? keys : unavailable('Every key in the set has expired');
}

function varied(time: number): number {
  return time * (1 + JITTER * (2 * Math.random() - 1));
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); reader && part && !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > maxBytes) {
      await reader.cancel();
      throw new E2eeError('key_invalid', `The key set is refused: it is larger than ${maxBytes} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new E2eeError('key_invalid', 'The key set is refused: it is not JSON');
  }
}

function positive(option: string, value: number): number {
  return Number.isFinite(value) && value >= 0
    ? value
    : invalidOption(option, 'a number of milliseconds or bytes', value);
}
