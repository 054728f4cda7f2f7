import { E2eeError, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { unavailable } from './encryption-keys.js';
import { readJwkSet } from './jwk-set.js';
import type { EncryptionKey } from './key.js';
import { lifetimeOf } from './key-set-lifetime.js';

/**
 * Set to `true`, lets {@link remoteJwks} fetch keys over plain `http:` from another machine.
 *
 * @deprecated Whoever can change the keys on the way can read everything. For closed test networks only.
 */
export const allowInsecureKeys: unique symbol = Symbol('e2ee.allowInsecureKeys');

/** How every fetch is made. */
export interface FetchSettings {
  readonly fetch: typeof globalThis.fetch;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** In milliseconds. */
  readonly timeout: number;
  readonly maxBytes: number;
  readonly algs: readonly KeyAlgorithm[];
}

/** How one fetch is made. */
export interface FetchRequest {
  /** Of the set at hand. */
  readonly etag: string | undefined;
  /** `reload` passes by caches on the way. */
  readonly cache: 'default' | 'reload';
  /** Ends the fetch. */
  readonly signal: AbortSignal;
}

/** What the provider has published, and for how many milliseconds it may be kept. */
export interface FetchedSet {
  readonly keys: readonly EncryptionKey[];
  readonly etag: string | undefined;
  readonly lifetime: number;
}

/** What a 304 says: the set at hand is still the one, for another lifetime or for the same one again (RFC 9111 §4.3.4). */
export type Confirmed = Partial<Pick<FetchedSet, 'lifetime'>>;

/** Whether `AbortSignal.timeout` takes it: when not, it would throw at each use. */
export function isTimeout(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 0x7fffffff;
}

/**
 * Fetches a key set once: within a total deadline, without following redirects, up to a size after decompression. Ends
 * in time also when `fetch` heeds no signal.
 *
 * Rejects with `keys_unavailable`, with `key_invalid` for a document that must not be trusted, with what `fetch` rejects
 * with, or with the reason of the request's signal.
 */
export async function fetchJwks(
  url: URL,
  settings: FetchSettings,
  request: FetchRequest,
): Promise<FetchedSet | Confirmed> {
  const ending = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason));
  });
  const stop = (): void => ending.abort(request.signal.reason);
  const expire = (): void =>
    ending.abort(new E2eeError('keys_unavailable', 'The key endpoint did not answer in time'));
  const deadline = AbortSignal.timeout(settings.timeout); // does not hold the process
  request.signal.addEventListener('abort', stop);
  deadline.addEventListener('abort', expire);
  try {
    return await Promise.race([fetchOnce(url, settings, { ...request, signal: ending.signal }), ended]);
  } finally {
    request.signal.removeEventListener('abort', stop);
    deadline.removeEventListener('abort', expire);
  }
}

async function fetchOnce(
  url: URL,
  settings: FetchSettings,
  { etag, cache, signal }: FetchRequest,
): Promise<FetchedSet | Confirmed> {
  const headers = { ...settings.headers, ...(etag !== undefined && { 'if-none-match': etag }) };
  const response = await settings.fetch.call(undefined, url, {
    headers,
    redirect: 'error',
    signal,
    ...(cache !== 'default' && { cache }), // what browsers obey; Node has no cache on the way
  });
  const lifetime = lifetimeOf(response.headers);
  if (response.status === 304 && etag !== undefined)
    return response.headers.has('cache-control') ? { lifetime } : {};
  checkAnswer(response, signal);
  const document = parseJson(await readBody(response, settings.maxBytes, signal));
  const keys = await readJwkSet(document, settings.algs);
  return { keys, etag: response.headers.get('etag') ?? undefined, lifetime };
}

/** Throws `keys_unavailable` unless there is a body to be read. */
function checkAnswer({ status, redirected, body }: Response, signal: AbortSignal): void {
  if (status === 200 && !redirected && !signal.aborted) return;
  body?.cancel().catch(() => {});
  unavailable(redirected ? 'The key endpoint redirects' : `The key endpoint answered with status ${status}`);
}

async function readBody(response: Response, maxBytes: number, signal: AbortSignal): Promise<Uint8Array[]> {
  const reader = response.body?.getReader();
  const cancel = (): void => {
    reader?.cancel().catch(() => {});
  };
  signal.addEventListener('abort', cancel); // a body of somebody else's `fetch` may go on for ever
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    size += part.value.length;
    if (size > maxBytes) {
      cancel();
      refuse(`it is larger than ${maxBytes} bytes`);
    }
    parts.push(part.value);
  }
  return parts;
}

function parseJson(parts: readonly Uint8Array[]): unknown {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    const text = parts.map((part) => decoder.decode(part, { stream: true })).join('');
    return JSON.parse(text + decoder.decode());
  } catch {
    return refuse('it is not JSON');
  }
}

function refuse(why: string): never {
  throw new E2eeError('key_invalid', `The key set is refused: ${why}`);
}

/** Throws `option_invalid` unless keys may be fetched from there. */
export function checkKeyUrl(input: string | URL, insecure: boolean): URL {
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
