import type { IncomingMessage } from 'node:http';
import { E2eeError } from '../errors.js';
import type { E2eeRequest, E2eeResponse } from '../exchange/message.js';
import type { Coverage, E2eeServer } from '../exchange/server.js';
import { readMessage } from './read-message.node.js';
import { cameByTls, isRead, isSent, plainHeaders } from './request-stream.node.js';

/** Where the policy knows a request from. */
export interface Located {
  readonly path: string;
  readonly coverage: Coverage;
}

/**
 * The first of several paths of one request that the policy, or the publication of the keys, knows; the first one where
 * none is known. Put the path that the framework routes first, then what of it is below the place where the adapter is
 * mounted, then what the client sent. Synchronous; touches no key. Throws `operation_refused` for an ambiguous path, also
 * one that is another operation below the place of mounting, and `tls_required`.
 */
export function locate(
  server: E2eeServer,
  req: IncomingMessage,
  paths: readonly [string, ...string[]],
): Located {
  const read = (path: string): Located => ({ path, coverage: server.covers(headOf(req, path)) });
  const found = [...new Set(paths)].map(read);
  const known = found.find(({ coverage }) => coverage.keys || coverage.operation !== undefined);
  const whole = found[0] as Located; // there is always the first
  if (found.some((other) => other.path === paths[1] && isAnotherBelow(whole, other))) {
    throw new E2eeError('operation_refused', 'The path leads to two operations of the policy', {
      status: 400,
    });
  }
  return known ?? whole;
}

/**
 * A request as plain data. `parsed` is what a body parser has left of the body, `undefined` or an empty object where
 * none has read it: such a body is given as the unread request itself, which the server end refuses.
 */
export function takeRequest(req: IncomingMessage, path: string, parsed: unknown): E2eeRequest {
  return { ...headOf(req, path), body: bodyOf(req, parsed) };
}

/** What becomes of a request before a handler sees it. */
export type Received =
  | {
      /** What to answer in the handlers' place: the published keys, or a refusal in the profile's form. */
      readonly answer: E2eeResponse;
      readonly request?: never;
      readonly coverage?: never;
    }
  | {
      readonly answer?: never;
      /** What the handlers are to see; also what `server.protectResponse` wants to know later. */
      readonly request: E2eeRequest;
      /** `request`: put the body, if there is one, and its content type back. `response`: guard the response. */
      readonly coverage: Coverage;
    };

/**
 * Takes the body of a request and decrypts what the policy says. `paths` as in {@link locate}, `parsed` as in
 * {@link takeRequest}; a whole message that no parser has read is read here.
 *
 * Rejects only with what is not ours to answer, such as the failure of a key store: pass it to the framework.
 *
 * @example
 * const { answer, request, coverage } = await receive(server, req, [req.url], req.body)
 * if (answer) return sendAnswer(res, answer)
 */
export async function receive(
  server: E2eeServer,
  req: IncomingMessage,
  paths: readonly [string, ...string[]],
  parsed: unknown,
): Promise<Received> {
  try {
    const { path, coverage } = locate(server, req, paths);
    if (!isCovered(coverage))
      return { request: Object.assign(headOf(req, path), { body: bodyOf(req, parsed) }), coverage };
    const taken = takeRequest(req, path, parsed);
    const keys = coverage.keys ? await server.publishedKeys(taken) : undefined;
    if (keys) return { answer: keys };
    if (!coverage.request && !coverage.offer) return { request: taken, coverage };
    const message = coverage.request ? await readMessage(req, server.message) : undefined;
    const sent = message === undefined ? taken : { ...taken, body: message };
    return { request: await server.decryptRequest(sent), coverage };
  } catch (error) {
    if (error instanceof E2eeError) return { answer: server.errorResponse(error) };
    throw error;
  }
}

/** Whether a path is one operation as a whole, and another one below the place of mounting: nobody can tell which is meant. */
function isAnotherBelow(whole: Located, below: Located): boolean {
  const operations = new Set([whole.coverage.operation, below.coverage.operation]);
  return operations.size === 2 && !operations.has(undefined) && whole.path.endsWith(below.path);
}

function isCovered({ keys, request, response, offer }: Coverage): boolean {
  return keys || request || response || offer === true;
}

/** What is seldom asked of most requests, which nothing covers, is not looked for before. */
function headOf(req: IncomingMessage, path: string): Omit<E2eeRequest, 'body'> {
  let headers: Record<string, string> | undefined;
  return {
    method: req.method ?? '',
    path,
    get headers() {
      headers ??= plainHeaders(req);
      return headers;
    },
    get secure() {
      return cameByTls(req);
    },
  };
}

/** Express 4 and `@koa/bodyparser` put `{}` in place of a body that they have not read. */
function bodyOf(req: IncomingMessage, parsed: unknown): unknown {
  const isPlaceholder = typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length === 0;
  if (parsed !== undefined && !isPlaceholder) return parsed;
  if (!isSent(req)) return undefined;
  return isPlaceholder && isRead(req) ? parsed : req;
}
