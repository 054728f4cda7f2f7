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

/** What a body has that is read while it is sent. */
const ONE_SHOT = ['getReader', 'pipe', Symbol.asyncIterator];

/** Stands for a body that is no text: the core refuses it wherever it would have to read it. */
const NO_TEXT = new ArrayBuffer(0);

/** Takes the parameters of a call. Throws a `TypeError` for those that fetch itself refuses. */
export function takeCall(input: Input, given: Init | undefined): Call {
  const target = isRequest(input) ? input : String(input); // once: an object may be another text the next time
  const request = typeof target === 'string' ? undefined : target;
  const init = membersOf(Object(given));
  if (init.method !== undefined) init.method = String(init.method);
  const { method = request?.method ?? 'GET', signal = request?.signal ?? null } = init;
  const headers = new Headers(init.headers ?? request?.headers);
  if (init.headers !== undefined) init.headers = new Headers(headers);
  if (typeof init.body === 'string' && !headers.has('content-type')) headers.set('content-type', TEXT_TYPE);
  const url = resolved(typeof target === 'string' ? target : target.url);
  return { input: target, init, method, url, headers, signal };
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

/** What to give fetch in place of a plain request. What a `Request` holds stays there, for another attempt. */
export function sealedParameters(call: Call, plain: E2eeRequest, sealed: E2eeRequest): [Input, Init] {
  const { input, init } = call;
  const headers = rewrite(call.headers, plain.headers, sealed.headers);
  if (sealed.body !== plain.body) {
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return [input, accompanying(call, { headers, body: bodyText(sealed) ?? null })];
  }
  const isHeld = typeof input !== 'string' && (init.body ?? null) === null; // what was not encrypted goes as it is
  return [isHeld ? input.clone() : input, accompanying(call, { headers })];
}

/** Whether there is something left to send when a call was sent once. */
export function canRepeat({ init: { body } }: Call): boolean {
  return !ONE_SHOT.some((name) => name in Object(body));
}

/** A call that follows no redirection: fetch does not say beforehand where one leads. */
export function withoutRedirections(call: Call): Call {
  const { input, init } = call;
  const { redirect = typeof input === 'string' ? 'follow' : input.redirect } = init;
  return redirect === 'follow' ? { ...call, init: accompanying(call, { redirect: 'error' }) } : call;
}

/** Parameters with more of them. Beside a `Request` that came without any, fetch would forget its referrer. */
function accompanying({ input, init }: Call, more: Init): Init {
  if (typeof input === 'string' || Object.keys(init).length > 0) return { ...init, ...more };
  const { referrer, referrerPolicy } = input;
  return { ...membersOf({ referrer, referrerPolicy }), ...more };
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
  try {
    return new URL(url, page);
  } catch {
    return new URL(url, 'http://relative.invalid');
  }
}
