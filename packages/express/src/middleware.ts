import type { E2eeRequest, E2eeServer } from '@e2ee/core';
import {
  type AdapterOptions,
  guardResponse,
  guardSend,
  receive,
  resolveServer,
  sendAnswer,
} from '@e2ee/core/adapter';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

/** The options of the server end, with Express' own request where the recipient is looked for. */
export type E2eeExpressOptions = AdapterOptions<Request>;

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
  const { server, recipient } = resolveServer(optionsOrServer);

  return function e2eeMiddleware(req: Request, res: Response, next: NextFunction): void {
    handle(req, res)
      .then((goOn) => {
        if (goOn) next();
      })
      .catch(next);
  };

  /** Resolves to whether the request goes on to the handlers. */
  async function handle(req: Request, res: Response): Promise<boolean> {
    // Middleware may have rewritten the path, and this may be mounted below a prefix.
    const paths = [req.baseUrl + req.path, req.path, req.originalUrl] as const;
    const { answer, request, coverage } = await receive(server, req, paths, req.body);
    if (answer) {
      sendAnswer(res, answer);
      return false;
    }
    if (coverage.request) put(req, request);
    if (coverage.response) {
      const find = recipient && (() => recipient(req));
      const guard = guardResponse(res, {
        protect: (response) => server.protectResponse(request, response, find),
        failure: (error) => server.errorResponse(error),
      });
      guardSend(res, guard);
    }
    return true;
  }
}

function put(req: Request, { headers, body }: E2eeRequest): void {
  if (body === undefined) return;
  Object.assign(req, { body, _body: true }); // `_body` keeps Express 4's parsers from reading the stream again
  if (headers['content-type'] !== undefined) req.headers['content-type'] = headers['content-type'];
}
