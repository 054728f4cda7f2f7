import type { ResponseGuard } from './response-guard.node.js';

/** A response of Express', whoever has set Express up. */
interface SendingResponse {
  readonly send: (...args: never[]) => unknown;
  readonly json: (...args: never[]) => unknown;
}

/**
 * Express' `res.json` and `res.send` end in `res.send(text)`. What is protected there goes on through Express, which makes
 * an ETag of it, and through middleware behind this one, such as compression.
 */
export function guardSend(res: SendingResponse, guard: ResponseGuard): void {
  const { send, json } = res as Record<'send' | 'json', (...args: unknown[]) => unknown>;

  function guardedSend(...args: unknown[]): SendingResponse {
    const [body] = args;
    const isWhole = args.length === 1 && (typeof body === 'string' || ArrayBuffer.isView(body));
    if (guard.state === 'waiting' && isWhole) {
      void guard.answer(body, (payload) => void send.call(res, payload));
    } else if (guard.state === 'waiting' || guard.state === 'released') {
      Reflect.apply(send, res, args); // an object: Express makes JSON of it and comes back with the text
    }
    return res;
  }

  /** Bytes would become a list of numbers, in which nobody finds a field. */
  function guardedJson(...args: unknown[]): unknown {
    return ArrayBuffer.isView(args[0]) ? guardedSend(args[0]) : json.apply(res, args);
  }

  Object.assign(res, { send: guardedSend, json: guardedJson });
}
