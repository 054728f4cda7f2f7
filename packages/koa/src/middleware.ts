import type { E2eeRequest, E2eeResponse, E2eeServer } from '@e2ee/core';
import { type AdapterOptions, besideOwn, receive, resolveServer } from '@e2ee/core/adapter';
import type { Context, Middleware, Next } from 'koa';
import { guardBody } from './guard-body.js';

/** The options of the server end, with Koa's context where the recipient is looked for. */
export type E2eeKoaOptions = AdapterOptions<Context>;

/**
 * Middleware that decrypts requests, protects responses, publishes the keys and answers errors in the profile's form.
 * Mount it after the body parser and before the routes. Handlers work with plain values.
 *
 * Takes options, or a server end made beforehand. Throws `option_invalid` or `policy_invalid`.
 *
 * @example
 * app.use(bodyParser())
 * app.use(e2ee({ profile: banked, keyRing, recipient: (ctx) => partners.get(ctx.state.clientId) }))
 */
export function e2ee(optionsOrServer: E2eeKoaOptions | E2eeServer): Middleware {
  const { server, recipient } = resolveServer(optionsOrServer);

  return async function e2eeMiddleware(ctx: Context, next: Next): Promise<void> {
    const parsed: unknown = Reflect.get(ctx.request, 'body');
    const { answer, request, coverage } = await receive(server, ctx.req, pathsOf(ctx), parsed);
    if (answer) return put(ctx, answer);
    if (coverage.request) putBack(ctx, request);
    if (!coverage.response) return next();
    const find = recipient && (() => recipient(ctx));
    await guardBody(ctx, next, {
      protect: (response) => server.protectResponse(request, response, find),
      failure: (error) => server.errorResponse(error),
    });
  };
}

/** Middleware may have rewritten the path, and `koa-mount` takes its prefix away. */
function pathsOf({ path, mountPath = '', originalUrl }: Context): [string, ...string[]] {
  const belowLastMount: string = mountPath + path;
  const sent = originalUrl.split('?', 1)[0] ?? '';
  // `mountPath` stays behind when a request has left the mount again, and tells only the last of several.
  const isMounted = belowLastMount !== path && sent.endsWith(belowLastMount);
  return isMounted ? [sent, path] : [path, belowLastMount, sent];
}

/** Answers in the handlers' place. */
function put(ctx: Context, { status, headers, body }: E2eeResponse): void {
  ctx.body = body === undefined ? '' : Buffer.from(JSON.stringify(body));
  ctx.status = status;
  ctx.set(besideOwn(headers, ctx.response.headers));
}

function putBack({ req, request }: Context, { headers, body }: E2eeRequest): void {
  if (body === undefined) return;
  Object.assign(request, { body }); // body parsers behind this leave it as it is
  if (headers['content-type'] !== undefined) req.headers['content-type'] = headers['content-type'];
}
