import {
  type Coverage,
  createE2eeServer,
  E2eeError,
  type E2eeRequest,
  type E2eeServer,
  type E2eeServerOptions,
  type FindRecipient,
} from '@e2ee/core';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { guardResponse, sendAnswer } from './response-guard.js';

/** The options of the server end, with Express' own request where the recipient is looked for. */
export interface E2eeExpressOptions extends Omit<E2eeServerOptions, 'recipient'> {
  /** Finds whom a response is for, when it is sent: authentication may run before or after. Default: nobody. */
  readonly recipient?: FindRecipient<Request>;
}

/**
 * Middleware that decrypts requests, protects responses, publishes the keys and answers errors in the profile's form.
 * Mount it after `express.json()` and before the routes. Handlers work with plain values.
 *
 * Takes options, or a server end made beforehand. Throws `option_invalid` or `policy_invalid`.
 *
 * @example
 * app.use(express.json())
 * app.use(e2ee({ profile: banked, keyRing, recipient: (req) => partners.get(req.auth.clientId) }))
 */
export function e2ee(optionsOrServer: E2eeExpressOptions | E2eeServer): RequestHandler {
  const { server, recipient } = resolve(optionsOrServer);
  const { contentType, maxLength } = server.message;
  const readToken = express.text({ type: contentType, limit: maxLength });

  return function e2eeMiddleware(req: Request, res: Response, next: NextFunction): void {
    handle(req, res)
      .then((goOn) => {
        if (goOn) next();
      })
      .catch(next);
  };

  /** Resolves to whether the request goes on to the handlers. */
  async function handle(req: Request, res: Response): Promise<boolean> {
    try {
      const { path, coverage } = locate(server, req);
      const keys = coverage.keys ? await server.publishedKeys(take(req, path)) : undefined;
      if (keys) {
        sendAnswer(res, keys);
        return false;
      }
      if (coverage.request) {
        if (req.is(contentType) && !isRead(req)) await parse(readToken, req, res);
        put(req, await server.decryptRequest(take(req, path)));
      }
      if (coverage.response) {
        const request = take(req, path);
        const find = recipient && (() => recipient(req));
        guardResponse(res, {
          protect: (response) => server.protectResponse(request, response, find),
          failure: (error) => server.errorResponse(error),
        });
      }
      return true;
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error;
      sendAnswer(res, server.errorResponse(error));
      return false;
    }
  }
}

function resolve(given: E2eeExpressOptions | E2eeServer): {
  server: E2eeServer;
  recipient?: FindRecipient<Request> | undefined;
} {
  if ('decryptRequest' in Object(given)) return { server: given as E2eeServer };
  const { recipient, ...options } = Object(given) as E2eeExpressOptions; // the server end refuses what is missing
  if (recipient === undefined) return { server: createE2eeServer(options) };
  // The server end must know that there are recipients; whom it asks is decided request by request.
  const known = typeof recipient === 'function' ? () => undefined : recipient;
  return { server: createE2eeServer({ ...options, recipient: known }), recipient };
}

/**
 * The path under which the policy knows a request. The one that is routed goes first: middleware may have rewritten it.
 * Then what of it is below the place where this is mounted, and what the client sent.
 */
function locate(server: E2eeServer, req: Request): { path: string; coverage: Coverage } {
  const found = [...new Set([req.baseUrl + req.path, req.path, req.originalUrl])].map((path) => {
    return { path, coverage: server.covers({ method: req.method, path }) };
  });
  const known = found.find(({ coverage }) => coverage.keys || coverage.operation !== undefined);
  return known ?? (found[0] as { path: string; coverage: Coverage }); // there is always the first
}

function take(req: Request, path: string): E2eeRequest {
  const headers = Object.entries(req.headers).map(([name, value]) => [name, String(value)]);
  return { method: req.method, path, headers: Object.fromEntries(headers), body: bodyOf(req) };
}

/**
 * What a parser left in `req.body`; the unread request itself where there is a body that none has parsed, which the
 * server end then refuses. Express 4 puts `{}` in place of such a body.
 */
function bodyOf(req: Request): unknown {
  const body: unknown = req.body;
  const isPlaceholder = typeof body === 'object' && body !== null && Object.keys(body).length === 0;
  if (body !== undefined && !isPlaceholder) return body;
  const sent =
    req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  if (!sent) return undefined;
  return isPlaceholder && isRead(req) ? body : req;
}

/** Whether somebody has read the body, be it empty. */
function isRead(req: Request): boolean {
  return req.readableDidRead || req.readableEnded;
}

function put(req: Request, { headers, body }: E2eeRequest): void {
  if (body === undefined) return;
  Object.assign(req, { body, _body: true }); // `_body` keeps Express 4's parsers from reading the stream again
  if (headers['content-type'] !== undefined) req.headers['content-type'] = headers['content-type'];
}

/** Runs a body parser. Rejects with `body_too_large` or `body_unreadable`. */
function parse(parser: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((done, fail) => {
    parser(req, res, (error?: unknown) => {
      if (!error) done();
      else if ((error as { status?: number }).status === 413)
        fail(new E2eeError('body_too_large', 'The body is too large', { cause: error }));
      else fail(new E2eeError('body_unreadable', 'The body could not be read', { cause: error }));
    });
  });
}
