import type { RouterContext } from '@koa/router';
import { ApiError } from './api-error.js';

/** What a handler is given: plain values, as if there were no encryption. */
export interface Call {
  readonly userId: number;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface Route {
  readonly method: 'get' | 'post' | 'put';
  /** As Koa's router writes it. */
  readonly path: string;
  handle(call: Call): Answer;
}

/** A call that a handler has dealt with: what it saw and what it answered. */
export interface HandledCall extends Call {
  /** `POST /users/me/connections/:connection` */
  readonly operation: string;
  readonly answer: Answer;
}

export type OnHandled = (call: HandledCall) => void;

/** A route as Koa's router runs it. */
export function koaHandler(route: Route, onHandled: OnHandled | undefined): (ctx: RouterContext) => void {
  const operation = `${route.method.toUpperCase()} ${route.path}`;
  return function handleCall(ctx: RouterContext): void {
    const call: Call = { userId: ctx.state.userId, params: ctx.params, body: ctx.request.body };
    const answer = route.handle(call);
    onHandled?.({ ...call, operation, answer });
    ctx.status = answer.status;
    ctx.body = answer.body;
  };
}

/** The members of a body. Throws an {@link ApiError} when it is no object. */
export function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new ApiError(400, { code: 'invalidBody', description: 'The body must be a JSON object' });
}
