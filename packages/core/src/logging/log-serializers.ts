import { type BodyView, CONCEALED, type LogPolicy, viewOf } from './body-view.js';
import { type LoggedError, loggedError } from './logged-error.js';
import { readRequest, readResponse, shownPath } from './message-shapes.js';

/** What a log shows of a request. */
export interface LoggedRequest {
  readonly id?: string | number;
  /** In upper case. */
  readonly method?: string;
  /** Without the query. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What a log shows of a response. */
export interface LoggedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Make plain data of what must not be logged as it is. They never throw, and never change what they are given. A type and no
 * interface, so that Pino's options take it.
 */
export type LogSerializers = {
  readonly req: (request: unknown) => LoggedRequest;
  readonly res: (response: unknown) => LoggedResponse;
  readonly err: (error: unknown) => LoggedError;
};

/**
 * Serializers for Pino, under the names that it knows; what they return is safe in any other log, `console.log` and
 * `JSON.stringify`, too.
 *
 * `req` takes a request of Node, Express, Fastify, Koa (`ctx.request`) or Axios (a config), or an `E2eeRequest`; `res`
 * the response of one, or `{ ...response, req: request }`; `err` any error. In bodies, every field that the policy protects in
 * either direction is `[REDACTED]`, and tokens stay. Where that cannot be told, the whole body is `[REDACTED]`: a body that
 * is no JSON value or has another shape than a field path needs, an ambiguous path, a response without its request. Bodies of
 * other operations are shown. Headers are a few harmless ones; a path has no query.
 *
 * Throws `policy_invalid` or `option_invalid`. Where a server end has a policy of its own, give `{ ...profile, policy }`; rules
 * that stand at handlers (`server.bind`, `Protect`) belong into it as well.
 *
 * @example
 * const log = pino({ serializers: logSerializers(banked) })
 * log.info({ req }, 'payment') // {"req":{"method":"POST",…,"body":{"amount":1,"payee":"[REDACTED]"}},…}
 */
export function logSerializers(policy: LogPolicy): LogSerializers {
  const view = viewOf(policy);
  return {
    req: (request) => attempt(() => loggedRequest(view, request), { body: CONCEALED }),
    res: (response) => attempt(() => loggedResponse(view, response), { body: CONCEALED }),
    err: (error) => attempt(() => loggedError(error), { type: 'Error', message: CONCEALED }),
  };
}

function loggedRequest(view: BodyView, request: unknown): LoggedRequest {
  const read = readRequest(request);
  const { id, method, headers } = read;
  return present({ id, method, path: shownPath(read.paths), headers, body: view.requestBody(read) });
}

function loggedResponse(view: BodyView, response: unknown): LoggedResponse {
  const { status, headers, body, request } = readResponse(response);
  const call = typeof request === 'object' && request !== null ? readRequest(request) : undefined;
  return present({ status, headers, body: view.responseBody(body, call, status) });
}

/** Without the members that are not there. */
function present<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [Name in keyof Members]?: NonNullable<Members[Name]> }; // some of the same
}

/** A message may have getters that throw. A log must not fail because of them. */
function attempt<Result>(make: () => Result, otherwise: Result): Result {
  try {
    return make();
  } catch {
    return otherwise;
  }
}
