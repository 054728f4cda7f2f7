import { bodyText, type E2eeRequest } from '@e2ee/core';
import { rewrite } from './headers.js';

export type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = NonNullable<Parameters<Fetch>[1]>;

/** A call of fetch as it was made: whatever the caller does with the parameters afterwards, while keys are awaited. */
export interface Call {
  readonly input: string | Request;
  readonly init: Init;
  readonly method: string;
  readonly url: URL;
  /** All that are sent, but for those that only the platform can set. */
  readonly headers: Headers;
  readonly signal: AbortSignal | null;
}

/** What fetch asks its second parameter for, also where it is inherited: a `Request` may stand there, too. */
const MEMBERS = [
  'method',
  'headers',
  'body',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
  'signal',
  'duplex',
  'priority',
  'window',
] as const;

/** What fetch calls a text that comes without a type. */
const TEXT_TYPE = 'text/plain;charset=UTF-8';

/** Stands for a body that is no text: the core refuses it wherever it would have to read it. */
const NO_TEXT = new ArrayBuffer(0);

/** Takes the parameters of a call. Throws a `TypeError` for those that fetch itself refuses. */
export function takeCall(input: Input, given: Init | undefined): Call {
  const request = isRequest(input) ? input : undefined;
  const init = membersOf(Object(given));
  const { method = request?.method ?? 'GET', signal = request?.signal ?? null } = init;
  const headers = new Headers(init.headers ?? request?.headers);
  if (init.headers !== undefined) init.headers = new Headers(headers);
  if (typeof init.body === 'string' && !headers.has('content-type')) headers.set('content-type', TEXT_TYPE);
  const url = resolved(request?.url ?? String(input));
  return { input: request ?? String(input), init, method: String(method), url, headers, signal };
}

/** The body for the core: text, nothing, or what it cannot read. What a `Request` holds is read from a copy. */
export async function bodyOf({ input, init }: Call): Promise<unknown> {
  const { body = null } = init;
  if (body !== null) return typeof body === 'string' ? body : NO_TEXT;
  if (typeof input === 'string') return undefined;
  const bytes = await input.clone().arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** What to give fetch in place of a plain request. */
export function sealedInit({ init, headers }: Call, plain: E2eeRequest, sealed: E2eeRequest): Init {
  const body = sealed.body === plain.body ? undefined : bodyText(sealed); // what was not encrypted goes as it is
  return {
    ...init,
    headers: rewrite(headers, plain.headers, sealed.headers),
    ...(body !== undefined && { body }),
  };
}

/** A call that follows no redirection: fetch does not say beforehand where one leads. */
export function withoutRedirections(call: Call): Call {
  const { input, init } = call;
  const { redirect = typeof input === 'string' ? 'follow' : input.redirect } = init;
  return redirect === 'follow' ? { ...call, init: { ...init, redirect: 'error' } } : call;
}

/** A request of the platform, of another realm or of a package. */
function isRequest(input: Input): input is Request {
  return Object.prototype.toString.call(input) === '[object Request]';
}

function membersOf(given: Init): Init {
  const names = new Set([...MEMBERS, ...Object.keys(given)]);
  const members = [...names].map((name): [string, unknown] => [name, Reflect.get(given, name)]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** As a page or a worker resolves it. Elsewhere there is no base, and whoever takes a relative URL knows where it leads. */
function resolved(url: string): URL {
  const page = Reflect.get(globalThis, 'document')?.baseURI ?? Reflect.get(globalThis, 'location')?.href;
  return new URL(url, page ?? 'http://relative.invalid');
}
