import type { JWK } from 'jose';
import { E2eeError, type E2eeErrorCode, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { type EncryptionKeys, newestValidKey, unavailable } from './encryption-keys.js';
import {
  allowInsecureKeys,
  checkKeyUrl,
  type FetchSettings,
  fetchJwks,
  isTimeout,
  LIFETIME,
} from './fetch-jwks.js';
import { readJwkSet } from './jwk-set.js';
import type { EncryptionKey } from './key.js';

export interface RemoteJwksOptions {
  /** The `fetch` to use. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** What the keys must be for; others are ignored. Default `['RSA-OAEP-256']`. */
  readonly algs?: readonly KeyAlgorithm[];
  /** Headers for each request, for example `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Deadline for one fetch, body included, in milliseconds. Default 5,000. */
  readonly timeout?: number;
  /** Largest answer, in bytes after decompression. Default 262,144. */
  readonly maxBytes?: number;
  /** Least time between two refreshes that key rejections force, in milliseconds. Default 30,000. */
  readonly cooldown?: number;
  /** How long the last good set may be used when refreshing fails, in milliseconds. Default 86,400,000 (24 h). */
  readonly staleLimit?: number;
  /** What `exportState()` gave earlier: saves the first fetch, for example of a serverless function. */
  readonly preset?: RemoteJwksState;
  /** Hears what becomes of the set. */
  readonly onEvent?: (event: RemoteJwksEvent) => void;
  /** @deprecated See {@link allowInsecureKeys}. */
  readonly [allowInsecureKeys]?: boolean;
}

/** A set that was fetched. Plain JSON; holds public keys only. Times are milliseconds, `fetchedAt` since the epoch. */
export interface RemoteJwksState {
  readonly url: string;
  readonly fetchedAt: number;
  readonly lifetime: number;
  readonly etag?: string;
  readonly keys: readonly JWK[];
}

/**
 * `refreshed`: a set was fetched, or confirmed. `stale`: refreshing failed, the last good set serves on. `refused`: the
 * endpoint answered with a set that must not be trusted. `unavailable`: refreshing failed, and there is no usable key.
 */
export interface RemoteJwksEvent {
  readonly type: 'refreshed' | 'stale' | 'refused' | 'unavailable';
  /** Without its query. */
  readonly url: string;
  readonly error?: unknown;
}

/** What may be logged. */
export interface RemoteJwksStatus {
  /** Without its query. */
  readonly url: string;
  readonly state: 'empty' | 'fresh' | 'stale' | 'unavailable';
  /** The key in use. */
  readonly kid?: string;
  /** How many usable keys the set has. */
  readonly keys: number;
  /** Seconds since the set was fetched or confirmed. */
  readonly age?: number;
  /** Attempts in a row that failed. */
  readonly failures: number;
  readonly lastError?: E2eeErrorCode | 'network';
}

/** The encryption keys of a provider, with what an operator wants to see of them. */
export interface RemoteJwks extends EncryptionKeys {
  status(): RemoteJwksStatus;
  /** The set as it was last fetched, for the `preset` of another process; nothing before the first fetch. */
  exportState(): RemoteJwksState | undefined;
  /** Stops fetching for good. `current()` rejects from then on. */
  close(): void;
}

/**
 * A set in use is fetched anew after this part of its lifetime, or of its key's; a little earlier or later, so that many
 * processes do not come at once.
 */
const REFRESH_AT = { share: 0.8, jitter: 0.05 } as const;
/** Pause after a failure while there is no usable key, doubled each time. */
const BACKOFF = { min: 1_000, max: 30_000, jitter: 0.2 } as const;
/** Least time between two attempts to refresh a set that is still usable. */
const BACKGROUND_PAUSE = 30_000;

/**
 * The encryption keys that a provider publishes, as a JWKS or as a single JWK.
 *
 * The set is fetched at first use, once for all concurrent callers, and kept as long as `Cache-Control` says (60 s to
 * 24 h; 10 min without). In use, it is refreshed at 80 % of that time, beside the requests and not in their way; when
 * that fails, the last good set serves on up to `staleLimit`, but no key is used past its own expiry. No timer is held.
 * `https:` only, except on loopback; no redirects.
 *
 * Throws `option_invalid` for a bad URL or option. `current()` rejects with `keys_unavailable`.
 *
 * @example
 * const encryptionKeys = remoteJwks('https://api.banked.com/.well-known/jwks.json')
 */
export function remoteJwks(url: string | URL, options: RemoteJwksOptions = {}): RemoteJwks {
  return new Source(checkKeyUrl(url, options[allowInsecureKeys] === true), options);
}

interface KnownSet {
  readonly keys: readonly EncryptionKey[];
  readonly jwks: readonly JWK[];
  readonly etag: string | undefined;
  /** On the monotonic clock. */
  readonly fetchedAt: number;
  readonly lifetime: number;
  /** Age at which it is to be refreshed. */
  readonly refreshAt: number;
}

class Source implements RemoteJwks {
  readonly #url: URL;
  readonly #settings: FetchSettings;
  readonly #cooldown: number;
  readonly #staleLimit: number;
  readonly #onEvent: (event: RemoteJwksEvent) => void;
  #preset: Promise<void> | undefined;
  #known: KnownSet | undefined;
  #pending: Promise<void> | undefined;
  #forced: Promise<void> | undefined;
  #failures = 0;
  #lastError: unknown;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #lastForced = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(url: URL, options: RemoteJwksOptions) {
    this.#url = url;
    this.#settings = {
      fetch: options.fetch ?? globalThis.fetch,
      headers: { accept: 'application/jwk-set+json, application/json', ...options.headers },
      timeout: checkTimeout(options.timeout ?? 5_000),
      maxBytes: positive('maxBytes', options.maxBytes ?? 262_144),
      algs: options.algs ?? ['RSA-OAEP-256'],
    };
    this.#cooldown = positive('cooldown', options.cooldown ?? 30_000);
    this.#staleLimit = positive('staleLimit', options.staleLimit ?? 86_400_000);
    this.#onEvent = options.onEvent ?? (() => {});
    if (options.preset) this.#preset = this.#take(options.preset);
  }

  async current(): Promise<EncryptionKey> {
    if (this.#preset) await this.#preset;
    if (this.#closed) unavailable('The key source is closed');
    const usable = this.#usableKey();
    if (usable) {
      if (this.#isDue()) void this.#load(false);
      return usable;
    }
    if (!this.#pending && now() - this.#lastAttempt < this.#backoff()) this.#fail();
    await this.#load(false);
    return this.#usableKey() ?? this.#fail();
  }

  async refresh(): Promise<void> {
    if (this.#forced || this.#closed) return this.#forced;
    if (now() - this.#lastForced < this.#cooldown) return this.#pending;
    this.#lastForced = now();
    this.#forced = this.#force().finally(() => {
      this.#forced = undefined;
    });
    return this.#forced;
  }

  status(): RemoteJwksStatus {
    const known = this.#known;
    const kid = this.#usableKey()?.kid;
    const age = known && now() - known.fetchedAt;
    const warm = known && age !== undefined && age <= known.lifetime ? 'fresh' : 'stale';
    const cold = known || this.#failures > 0 ? 'unavailable' : 'empty';
    return {
      url: this.#shownUrl(),
      state: kid === undefined || this.#closed ? cold : warm,
      ...(kid !== undefined && { kid }),
      keys: known?.keys.length ?? 0,
      ...(age !== undefined && { age: Math.round(age / 1000) }),
      failures: this.#failures,
      ...(this.#failures > 0 && { lastError: codeOf(this.#lastError) }),
    };
  }

  exportState(): RemoteJwksState | undefined {
    if (!this.#known) return undefined;
    const { fetchedAt, lifetime, etag, jwks } = this.#known;
    const state = { url: this.#url.href, fetchedAt: Math.round(Date.now() - (now() - fetchedAt)), lifetime };
    return { ...state, ...(etag !== undefined && { etag }), keys: jwks };
  }

  close(): void {
    this.#closed = true;
  }

  /** A fetch that had begun before the rejection may bring the rejected key again: it does not count. */
  async #force(): Promise<void> {
    await this.#pending;
    await this.#load(true);
  }

  #usableKey(): EncryptionKey | undefined {
    if (!this.#known) return undefined;
    const { keys, fetchedAt, lifetime } = this.#known;
    if (now() - fetchedAt > lifetime + this.#staleLimit) return undefined;
    return newestValidKey(keys);
  }

  #isDue(): boolean {
    if (!this.#known || now() - this.#known.fetchedAt < this.#known.refreshAt) return false;
    return now() - this.#lastAttempt >= BACKGROUND_PAUSE;
  }

  /** One fetch at a time, shared by all who wait. Never rejects: what went wrong is kept for {@link #fail}. */
  #load(anew: boolean): Promise<void> {
    this.#pending ??= this.#attempt(anew).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #attempt(anew: boolean): Promise<void> {
    try {
      const fetching = fetchJwks(this.#url, this.#settings, { etag: this.#known?.etag, anew });
      const fetched = await withDeadline(fetching, this.#settings.timeout);
      this.#accept(fetched.changed ? fetched : { ...(this.#known as KnownSet), ...fetched }); // 304 answers an etag
      this.#report('refreshed');
    } catch (error) {
      this.#failures += 1;
      this.#lastError = error;
      const served = this.#usableKey() ? 'stale' : 'unavailable';
      this.#report(codeOf(error) === 'key_invalid' ? 'refused' : served, error);
    }
    this.#lastAttempt = now(); // its end: an endpoint that hangs is not asked again without a pause
  }

  /** Takes a set into use. One without a valid key is no better than none. */
  #accept(set: Pick<KnownSet, 'keys' | 'jwks' | 'etag' | 'lifetime'>, age = 0): void {
    const key = newestValidKey(set.keys) ?? unavailable('Every published encryption key has expired');
    const untilExpiry =
      key.expiresAt === undefined ? Number.POSITIVE_INFINITY : key.expiresAt * 1000 - Date.now();
    const share = REFRESH_AT.share + REFRESH_AT.jitter * (2 * Math.random() - 1);
    const { keys, jwks, etag, lifetime } = set;
    const refreshAt = Math.min(lifetime, untilExpiry) * share;
    this.#known = { keys, jwks, etag, lifetime, fetchedAt: now() - age, refreshAt };
    this.#failures = 0;
    this.#lastError = undefined;
  }

  /** A state that does not fit, or is not to be trusted, is as good as none. */
  async #take({ url, fetchedAt, lifetime, etag, keys }: RemoteJwksState): Promise<void> {
    try {
      if (url !== this.#url.href) throw new E2eeError('key_invalid', 'The preset belongs to another URL');
      const set = await readJwkSet({ keys }, this.#settings.algs);
      const age = Math.max(0, Date.now() - positive('preset.fetchedAt', fetchedAt));
      this.#accept(
        { ...set, etag, lifetime: Math.min(positive('preset.lifetime', lifetime), LIFETIME.max) },
        age,
      );
    } catch (error) {
      this.#report('refused', error);
    }
    this.#preset = undefined;
  }

  #backoff(): number {
    if (this.#failures === 0) return 0;
    const pause = Math.min(BACKOFF.min * 2 ** (this.#failures - 1), BACKOFF.max);
    return pause * (1 - BACKOFF.jitter * Math.random());
  }

  #report(type: RemoteJwksEvent['type'], error?: unknown): void {
    try {
      const event = { type, url: this.#shownUrl(), ...(error !== undefined && { error }) };
      // A listener may be asynchronous, whatever its type says.
      Promise.resolve(this.#onEvent(event) as unknown).catch(() => {});
    } catch {
      // A listener that fails must not decide whether there are keys.
    }
  }

  #fail(): never {
    return unavailable(`No valid encryption key could be had from ${this.#shownUrl()}`, this.#lastError);
  }

  #shownUrl(): string {
    return this.#url.origin + this.#url.pathname;
  }
}

/** A `fetch` of somebody else's may not heed its signal. */
async function withDeadline<Result>(work: Promise<Result>, timeout: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new E2eeError('keys_unavailable', 'The key endpoint did not answer in time')),
      timeout,
    );
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Monotonic, in milliseconds: the wall clock may jump. */
function now(): number {
  return performance.now();
}

function codeOf(error: unknown): E2eeErrorCode | 'network' {
  return error instanceof E2eeError ? error.code : 'network';
}

function checkTimeout(value: number): number {
  return isTimeout(value) ? value : invalidOption('timeout', 'a whole number of milliseconds', value);
}

function positive(option: string, value: number): number {
  return Number.isFinite(value) && value >= 0
    ? value
    : invalidOption(option, 'a number of milliseconds or bytes', value);
}
