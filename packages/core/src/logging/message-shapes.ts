import type { Call } from './body-view.js';

/*
 * Requests and responses as frameworks, HTTP clients and loggers hand them over, read as what they have in common. What
 * they have may be computed, and throw.
 */

/** The only headers that a log shows: the others may hold credentials, or values of the application's. */
const HARMLESS = [
  'content-length',
  'content-type',
  'retry-after',
  'traceparent',
  'user-agent',
  'x-request-id',
];

/** A request: what finds its operation, and what a log may show of it. */
export interface ReadRequest extends Call {
  readonly id: string | number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Node's, Express' and Fastify's requests, Koa's `ctx.request`, Axios' configs, an `E2eeRequest`, and what Pino makes of
 * Node's before its serializers see it.
 */
export function readRequest(request: unknown): ReadRequest {
  const members = membersOf(request);
  const raw = membersOf(members.raw);
  const { id, method = raw.method, headers = raw.headers } = members;
  return {
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    method: typeof method === 'string' ? method.toUpperCase() : undefined,
    paths: [...new Set([...pathsOf(members), ...pathsOf(raw)])],
    headers: harmless(headers),
    body: bodyOf(members) ?? bodyOf(raw),
  };
}

/** A response. */
export interface ReadResponse {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What it answers. */
  readonly request: unknown;
}

/** Node's, Express' and Koa's responses, Fastify's replies, Axios' responses, an `E2eeResponse`, and what Pino makes of Node's. */
export function readResponse(response: unknown): ReadResponse {
  const members = membersOf(response);
  const raw = membersOf(members.raw);
  const { config, request = raw.request, req = raw.req } = members;
  const status = [members.statusCode, members.status, raw.statusCode].find((it) => typeof it === 'number');
  const headers =
    typeof members.getHeaders === 'function' ? members.getHeaders() : (members.headers ?? raw.headers);
  // Axios' `request` is the connection's, and Koa's `req` has lost what its `request` knows of the path.
  return { status, headers: harmless(headers), body: bodyOf(members), request: config ?? request ?? req };
}

/** A path without what may hold values: the server's name with its credentials, parameters, the query. */
export function shownPath([path]: readonly string[]): string | undefined {
  return path?.replace(/^(?:[a-z][a-z\d+.-]*:\/\/[^/?#]*|\/\/[^/?#]*@)/i, '').replace(/[?#;].*$/s, '');
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}; // each is checked where it is used
}

function bodyOf({ body, data }: Members): unknown {
  return body ?? data;
}

/** The first is the one that was sent. A router sees what is left of it below the place where it is mounted. */
function pathsOf({ originalUrl, url, path, baseUrl, baseURL }: Members): readonly string[] {
  const base = [baseURL, baseUrl].find(isText) ?? '';
  const texts = [url, path].filter(isText).map(withoutBreaks);
  return [...[originalUrl].filter(isText).map(withoutBreaks), ...texts.flatMap((it) => appended(base, it))];
}

/** A path below a base, from the base's first segment on, from its second, … and the path alone. */
function appended(base: string, path: string): readonly string[] {
  if (/^[a-z][a-z\d+.-]*:/i.test(path)) return [path];
  const segments = (shownPath([base]) ?? '').split('/').filter((segment) => segment !== '');
  const below = segments.map((_, at) => `/${segments.slice(at).join('/')}/${path.replace(/^\/+/, '')}`);
  // `//host/path` is a path to a server, and a host to a client.
  const withoutHost = path.startsWith('//') ? [path.replace(/^\/\/[^/]*/, '')] : [];
  return [...below, path, ...withoutHost];
}

/** Clients leave these out of a URL (URL Standard §4.4). */
function withoutBreaks(path: string): string {
  return path.replace(/[\t\r\n]/g, '');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function harmless(headers: unknown): Record<string, string> {
  const members = membersOf(headers);
  const { entries } = members; // of the web's `Headers`
  const all =
    typeof entries === 'function' ? [...Reflect.apply(entries, headers, [])] : Object.entries(members);
  const named = all.map(([name, value]): [string, unknown] => [String(name).toLowerCase(), value]);
  return Object.fromEntries(
    named
      .filter(([name, value]) => HARMLESS.includes(name) && value != null)
      .map(([name, value]) => [name, String(value).slice(0, 200)]),
  );
}
