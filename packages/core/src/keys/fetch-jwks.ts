import type { JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { readJwkSet } from './jwk-set.js';
import type { EncryptionKey } from './key.js';

/**
 * Set to `true`, lets {@link remoteJwks} fetch keys over plain `http:` from another machine.
 *
 * @deprecated Whoever can change the keys on the way can read everything. For closed test networks only.
 */
export const allowInsecureKeys: unique symbol = Symbol('e2ee.allowInsecureKeys');

/** How one fetch is made. Times are milliseconds. */
export interface FetchSettings {
  readonly fetch: typeof globalThis.fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly maxBytes: number;
  readonly algs: readonly KeyAlgorithm[];
}

/** What the provider has published, and for how many milliseconds it may be kept. */
export type Fetched =
  | { readonly changed: false; readonly lifetime: number }
  | {
      readonly changed: true;
      readonly lifetime: number;
      readonly etag: string | undefined;
      readonly jwks: readonly JWK[];
      readonly keys: readonly EncryptionKey[];
    };

/** Whether `AbortSignal.timeout` takes it: when not, it would throw at each use. */
export function isTimeout(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 0x7fffffff;
}

/** How long an answer is fresh, whatever its publisher says. */
export const LIFETIME = { min: 60_000, default: 600_000, max: 86_400_000 } as const;

/**
 * Fetches a key set once: within a total deadline, without following redirects, up to a size after decompression.
 * `anew` passes by caches on the way. Rejects with `keys_unavailable`, with `key_invalid` for a document that must not
 * be trusted, or with what `fetch` rejects with.
 */
export async function fetchJwks(
  url: URL,
  settings: FetchSettings,
  { etag, anew }: { etag?: string | undefined; anew: boolean },
): Promise<Fetched> {
  const headers = etag === undefined ? settings.headers : { ...settings.headers, 'if-none-match': etag };
  const response = await settings.fetch.call(undefined, url, {
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(settings.timeout),
    ...(anew && { cache: 'reload' }), // what browsers obey; Node has no cache on the way
  });
  const lifetime = lifetimeOf(response.headers);
  if (response.status === 304 && etag !== undefined) return { changed: false, lifetime };
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new E2eeError('keys_unavailable', `The key endpoint answered with status ${response.status}`);
  }
  const document = parseJson(await readText(response, settings.maxBytes));
  const { jwks, keys } = await readJwkSet(document, settings.algs);
  return { changed: true, lifetime, etag: response.headers.get('etag') ?? undefined, jwks, keys };
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

/** RFC 9111 §5.2.2.1 and §5.1, within our own bounds. */
function lifetimeOf(headers: Headers): number {
  const control = headers.get('cache-control');
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,10})\b/i.exec(control ?? '')?.[1];
  if (/\bno-(?:store|cache)\b/i.test(control ?? '')) return LIFETIME.min;
  if (maxAge === undefined) return LIFETIME.default;
  const age = Number(headers.get('age') ?? 0) || 0;
  return Math.min(Math.max((Number(maxAge) - age) * 1000, LIFETIME.min), LIFETIME.max);
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
