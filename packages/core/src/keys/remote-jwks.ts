import { E2eeError, type E2eeErrorCode } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { type EncryptionKeys, unavailable } from './encryption-keys.js';
import { allowInsecureKeys, checkKeyUrl, type FetchRequest, fetchJwks } from './fetch-jwks.js';
import type { EncryptionKey } from './key.js';
import type { RemoteJwksEvent } from './remote-jwks-events.js';
import { ageOf, type HeldSet, hold, isFresh, now, usableKey } from './remote-jwks-held-set.js';
import { type RemoteJwksOptions, type RemoteJwksSettings, readOptions } from './remote-jwks-options.js';
import { readState } from './remote-jwks-preset.js';
import { backoff, isRefreshDue } from './remote-jwks-schedule.js';
import { exportedState, type RemoteJwksState } from './remote-jwks-state.js';
import { tell } from './tell.js';

export type { RemoteJwksEvent, RemoteJwksOptions, RemoteJwksState };

/** The encryption keys of a provider, with what an operator wants to see of them. */
export interface RemoteJwks extends EncryptionKeys {
  status(): RemoteJwksStatus;
  /** The set as it was last fetched, for the `preset` of another process; nothing before the first fetch. */
  exportState(): RemoteJwksState | undefined;
  /** Stops fetching for good, also a fetch under way. `current()` rejects from then on, also where it waits. */
  close(): void;
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
  const checked = checkKeyUrl(url, options[allowInsecureKeys] === true);
  return new Source(checked, readOptions(options), options.preset);
}

/** The attempts in a row that failed, and how long nothing is fetched after them when there is no usable key. */
interface Failures {
  readonly count: number;
  readonly pause: number;
  readonly lastError?: unknown;
}

const NO_FAILURES: Failures = { count: 0, pause: 0 };

class Source implements RemoteJwks {
  readonly #url: URL;
  readonly #settings: RemoteJwksSettings;
  readonly #closing = new AbortController();
  /** While a preset is being taken. Whoever may fetch waits for it, so that it never replaces what was fetched. */
  #preset: Promise<void> | undefined;
  #held: HeldSet | undefined;
  #pending: Promise<void> | undefined;
  #forced: Promise<void> | undefined;
  #failures = NO_FAILURES;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #lastForced = Number.NEGATIVE_INFINITY;

  constructor(url: URL, settings: RemoteJwksSettings, preset: unknown) {
    this.#url = url;
    this.#settings = settings;
    if (preset !== undefined) this.#preset = this.#take(preset);
  }

  async current(): Promise<EncryptionKey> {
    if (this.#preset) await this.#preset;
    const usable = this.#usableKey();
    if (!usable) return this.#firstKey();
    if (this.#isDue()) void this.#load('default');
    return usable;
  }

  async refresh(): Promise<void> {
    if (this.#preset) await this.#preset;
    if (this.#forced) return this.#forced;
    if (now() - this.#lastForced < this.#settings.cooldown) return this.#pending;
    this.#lastForced = now();
    this.#forced = this.#force().finally(() => {
      this.#forced = undefined;
    });
    return this.#forced;
  }

  status(): RemoteJwksStatus {
    const held = this.#held;
    const kid = this.#usableKey()?.kid;
    const { count, lastError } = this.#failures;
    return {
      url: this.#shownUrl(),
      state: this.#state(),
      ...(kid !== undefined && { kid }),
      keys: held?.keys.length ?? 0,
      ...(held && { age: Math.round(ageOf(held) / 1000) }),
      failures: count,
      ...(count > 0 && { lastError: codeOf(lastError) }),
    };
  }

  exportState(): RemoteJwksState | undefined {
    return this.#held && exportedState(this.#held, ageOf(this.#held), this.#place());
  }

  close(): void {
    this.#closing.abort();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  #state(): RemoteJwksStatus['state'] {
    if (this.#held && this.#usableKey()) return isFresh(this.#held) ? 'fresh' : 'stale';
    return this.#held || this.#failures.count > 0 ? 'unavailable' : 'empty';
  }

  #usableKey(): EncryptionKey | undefined {
    if (!this.#held || this.#closed) return undefined;
    return usableKey(this.#held, this.#settings.staleLimit);
  }

  #isDue(): boolean {
    if (!this.#held) return false;
    const { refreshAge } = this.#held;
    return isRefreshDue({ age: ageOf(this.#held), refreshAge }, now() - this.#lastAttempt);
  }

  /** A call that has to wait for a key, or to fail. */
  async #firstKey(): Promise<EncryptionKey> {
    const pausing = now() - this.#lastAttempt < this.#failures.pause;
    if (this.#pending || !pausing) await this.#load('default');
    return this.#usableKey() ?? this.#fail();
  }

  #fail(): never {
    if (this.#closed) unavailable('The key source is closed');
    return unavailable(
      `No valid encryption key could be had from ${this.#shownUrl()}`,
      this.#failures.lastError,
    );
  }

  /** A fetch that had begun before the rejection may bring the rejected key again: it does not count. */
  async #force(): Promise<void> {
    await this.#pending;
    await this.#load('reload');
  }

  /** One fetch at a time, shared by all who wait. Never rejects: what went wrong is kept in {@link #failures}. */
  async #load(cache: FetchRequest['cache']): Promise<void> {
    if (this.#closed) return;
    this.#pending ??= this.#attempt(cache).finally(() => {
      this.#pending = undefined;
    });
    await this.#pending;
  }

  async #attempt(cache: FetchRequest['cache']): Promise<void> {
    try {
      // A publisher may fail at conditional requests alone, as those that allow them to no other origin do.
      const etag = this.#failures.count > 0 ? undefined : this.#held?.etag;
      const request = { etag, cache, signal: this.#closing.signal };
      const fetched = await fetchJwks(this.#url, this.#settings.fetching, request);
      this.#held = hold('keys' in fetched ? fetched : { ...(this.#held as HeldSet), ...fetched }); // 304 answers an etag
      this.#failures = NO_FAILURES;
      this.#report('refreshed');
    } catch (error) {
      if (!this.#closed) this.#failed(error);
    }
    this.#lastAttempt = now(); // its end: an endpoint that hangs is not asked again without a pause
  }

  #failed(error: unknown): void {
    const count = this.#failures.count + 1;
    this.#failures = { count, pause: backoff(count, Math.random()), lastError: error };
    const served = this.#usableKey() ? 'stale' : 'unavailable';
    this.#report(codeOf(error) === 'key_invalid' ? 'refused' : served, error);
  }

  /** A state that does not fit, or is not to be trusted, is as good as none. */
  async #take(preset: unknown): Promise<void> {
    try {
      const { set, age } = await readState(preset, this.#place());
      this.#held = hold(set, age);
    } catch (error) {
      this.#report('refused', error);
    }
    this.#preset = undefined;
  }

  #report(type: RemoteJwksEvent['type'], error?: unknown): void {
    if (this.#closed) return;
    tell(this.#settings.onEvent, { type, url: this.#shownUrl(), ...(error !== undefined && { error }) });
  }

  #place(): { url: string; algs: readonly KeyAlgorithm[] } {
    return { url: this.#url.href, algs: this.#settings.fetching.algs };
  }

  #shownUrl(): string {
    return this.#url.origin + this.#url.pathname;
  }
}

function codeOf(error: unknown): E2eeErrorCode | 'network' {
  return error instanceof E2eeError ? error.code : 'network';
}
