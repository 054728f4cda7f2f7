import type { ResponseGuard } from '@e2ee/core/adapter';
import type { Response } from 'express';

/**
 * `res.json` and `res.send` end in `res.send(text)`. What is protected there goes on through Express, which makes an
 * ETag of it, and through middleware behind this one, such as compression.
 */
export function guardSend(res: Response, guard: ResponseGuard): void {
  const { send } = res;

  function guardedSend(...args: unknown[]): Response {
    const [body] = args;
    const isWhole = args.length === 1 && (typeof body === 'string' || ArrayBuffer.isView(body));
    if (guard.state === 'waiting' && isWhole) {
      void guard.answer(body, (payload) => send.call(res, payload));
    } else if (guard.state === 'waiting' || guard.state === 'released') {
      Reflect.apply(send, res, args); // an object: Express makes JSON of it and comes back with the text
    }
    return res;
  }

  Object.assign(res, { send: guardedSend });
}
