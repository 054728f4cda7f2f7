import { checkListener, E2eeError, invalidOption } from '../errors.js';
import { isKeyAlgorithm, type KeyAlgorithm } from '../jwe/algorithms.js';
import { type AllowsRsaOaepSha1, isAllowed } from '../jwe/sha1.js';
import { type allowInsecureKeys, type FetchSettings, isTimeout } from './fetch-jwks.js';
import type { RemoteJwksEvent } from './remote-jwks-events.js';
import type { RemoteJwksState } from './remote-jwks-state.js';

export interface RemoteJwksOptions extends AllowsRsaOaepSha1 {
  /** The `fetch` to use. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** What the keys must be for; others are ignored. Default `['RSA-OAEP-256']`. */
  readonly algs?: readonly KeyAlgorithm[] | undefined;
  /** Headers for each request, for example `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Deadline for one fetch, body included, in milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Largest answer, in bytes after decompression. Default 262,144. */
  readonly maxBytes?: number | undefined;
  /** Least time between two refreshes that key rejections force, in milliseconds. Default 30,000. */
  readonly cooldown?: number | undefined;
  /** How long the last good set may be used when refreshing fails, in milliseconds. Default 86,400,000 (24 h). */
  readonly staleLimit?: number | undefined;
  /**
   * What `exportState()` gave earlier: saves the first fetch, for example of a serverless function. It decides whose keys
   * are encrypted to, so keep it where nobody else can write. A state that does not fit is reported as `refused`.
   */
  readonly preset?: RemoteJwksState | undefined;
  /** Hears what becomes of the set. */
  readonly onEvent?: ((event: RemoteJwksEvent) => void) | undefined;
  /** @deprecated See {@link allowInsecureKeys}. */
  readonly [allowInsecureKeys]?: boolean | undefined;
}

/** The options of a source, checked and complete. */
export interface RemoteJwksSettings {
  readonly fetching: FetchSettings;
  readonly cooldown: number;
  readonly staleLimit: number;
  readonly onEvent: (event: RemoteJwksEvent) => void;
}

/** Throws `option_invalid`, naming the option. */
export function readOptions(options: RemoteJwksOptions): RemoteJwksSettings {
  const { algs = ['RSA-OAEP-256'], fetch = globalThis.fetch, onEvent = () => {}, timeout = 5_000 } = options;
  if (typeof fetch !== 'function') invalidOption('fetch', 'a function', fetch);
  checkListener(onEvent);
  if (!isTimeout(timeout)) invalidOption('timeout', 'a whole number of milliseconds', timeout);
  if (
    !Array.isArray(algs) ||
    algs.length === 0 ||
    !algs.every((alg) => isKeyAlgorithm(alg) && isAllowed(alg, options))
  ) {
    invalidOption('algs', 'an array of supported algorithms', algs);
  }
  const maxBytes = amount('maxBytes', options.maxBytes ?? 262_144);
  return {
    fetching: { fetch, algs, timeout, maxBytes, headers: readHeaders(options.headers) },
    cooldown: amount('cooldown', options.cooldown ?? 30_000),
    staleLimit: amount('staleLimit', options.staleLimit ?? 86_400_000),
    onEvent,
  };
}

/** The error of `Headers` itself would show the value. */
function readHeaders(headers: RemoteJwksOptions['headers'] = {}): FetchSettings['headers'] {
  try {
    const accept = 'application/jwk-set+json, application/json';
    return Object.freeze({ accept, ...Object.fromEntries(new Headers(headers)) });
  } catch {
    throw new E2eeError('option_invalid', 'Option `headers` must be names and values that HTTP allows');
  }
}

function amount(option: string, value: number): number {
  return Number.isFinite(value) && value >= 0
    ? value
    : invalidOption(option, 'a number of milliseconds or bytes', value);
}
