import type { Request, RequestHandler, Response } from 'express';

/** What a handler is given: plain values, as if there were no encryption. */
export interface Call {
  readonly clientId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a handler answers: plain values as well. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'get' | 'post';
  /** Path below `/v2`, as Express writes it. */
  readonly path: string;
  handle(call: Call): Answer;
}

/** A call that a handler has dealt with: what it saw and what it answered. */
export interface HandledCall extends Call {
  /** As policies write it: `GET /v2/payment_sessions/:id`. */
  readonly operation: string;
  readonly answer: Answer;
}

export type OnHandled = (call: HandledCall) => void;

/** A route as Express runs it. */
export function expressHandler(route: Route, onHandled: OnHandled | undefined): RequestHandler {
  const operation = `${route.method.toUpperCase()} /v2${route.path}`;
  return function handleCall(req: Request, res: Response): void {
    const call: Call = { clientId: req.partner?.clientId ?? '', params: paramsOf(req), body: req.body };
    const answer = route.handle(call);
    onHandled?.({ ...call, operation, answer });
    res.status(answer.status).json(answer.body);
  };
}

function paramsOf(req: Request): Record<string, string> {
  return Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)]));
}
