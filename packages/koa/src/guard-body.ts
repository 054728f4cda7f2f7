import { guardResponse, type Protection } from '@e2ee/core/adapter';
import type { Context, Next } from 'koa';
import { sealBody } from './seal-body.js';

/**
 * Runs the handlers and protects `ctx.body` behind them, so that middleware outside (compression, ETags, logs) works on
 * what is protected. What that makes of it, and everything that goes past `ctx.body`, comes to the guard of the raw
 * response, where all of Koa's ways out end.
 */
export async function guardBody(ctx: Context, next: Next, protection: Protection): Promise<void> {
  const guard = guardResponse(ctx.res, protection);
  await next();
  const body = ctx.body instanceof Response ? ctx.body.body : ctx.body;
  // Where there is none, the guard gets what Koa writes instead, such as "Not Found".
  if (body === undefined || body === null) return;
  await guard.answer(body, (payload) => {
    if (payload !== body) replaceBody(ctx, payload);
    // Middleware outside may still put something else in its place.
    const outer = guardResponse(ctx.res, protection);
    if (typeof payload === 'string' || Buffer.isBuffer(payload)) sealBody(ctx, outer, Buffer.from(payload));
  });
  if (guard.state === 'closed') ctx.body = ''; // refused: nobody outside is to see it either
}

/** Sets a body under the type that the response has by now, where Koa would choose one. */
function replaceBody(ctx: Context, payload: unknown): void {
  const type = ctx.res.getHeader('content-type');
  const isJson = payload !== undefined && /[/+]json\b/i.test(ctx.response.type);
  const json: unknown = isJson ? JSON.parse(String(payload)) : undefined;
  ctx.body = Object(json) === json ? json : (payload ?? '');
  if (type !== undefined) ctx.set('content-type', String(type));
}
