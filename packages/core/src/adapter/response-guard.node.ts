import type { ServerResponse } from 'node:http';
import type { E2eeResponse } from '../exchange/message.js';
import {
  applyHead,
  dropReason,
  forgetBody,
  headersOf,
  payloadOf,
  prepare,
  setHeaders,
} from './response-head.node.js';

/**
 * `waiting` for the handler's answer; `busy` protecting it; `released`: what comes passes; `closed`: the answer is
 * complete, or was given in the handler's place, and whatever the handler still writes is dropped.
 */
export type GuardState = 'waiting' | 'busy' | 'released' | 'closed';

export interface Protection {
  /** Resolves to what to send instead; to the same body where the policy lets it pass. */
  readonly protect: (response: E2eeResponse) => Promise<E2eeResponse>;
  /** What to send when that fails. */
  readonly failure: (error: unknown) => E2eeResponse;
}

/** What keeps the bytes of a response back. */
export interface ResponseGuard {
  readonly state: GuardState;
  /**
   * Protects a body that the framework holds: a JSON value, a text or bytes. Then `deliver` sends through the framework,
   * under the head that the response has by then: bytes, nothing, or the body itself where the policy lets it pass.
   * What else is written meanwhile is dropped. Where protection or `deliver` fails, `failure` is sent instead. Does
   * nothing where somebody has answered already. Never rejects.
   */
  answer<Body>(body: Body, deliver: (payload: Body | Buffer | undefined) => void): Promise<void>;
  /** Lets everything pass from now on, where nobody has answered yet: the framework holds what is protected already. */
  release(): void;
}

/** Stands for a body that cannot be read back: several writes, streams, files, bytes that are no text. */
const RAW = new ArrayBuffer(0);

/** A call of the handler's that waits for what becomes of it. */
interface Call {
  readonly method: 'write' | 'end';
  readonly args: readonly unknown[];
}

/** What happens to an answer that the policy lets pass, and to one that it has changed. */
interface Outcome {
  readonly passed: () => void;
  readonly changed: (result: E2eeResponse) => void;
}

/**
 * Puts protection between the handlers and the socket. No byte and no head leaves the response before `protect` has
 * agreed. A body that ends the response in one piece is read and protected; of any other one `protect` learns only that
 * it is there.
 */
export function guardResponse(res: ServerResponse, { protect, failure }: Protection): ResponseGuard {
  const { write, end, writeHead, flushHeaders } = res;
  const held: Call[] = [];
  let state: GuardState = 'waiting';
  let piped = false;
  // The only chunk of a short stream looks like a body in one piece; refusing streams only when they are long would
  // show in production alone.
  res.once('pipe', () => {
    piped = true;
  });

  async function settle(bodyOf: () => unknown, { passed, changed }: Outcome): Promise<void> {
    state = 'busy';
    const head = { status: res.statusCode, headers: headersOf(res) };
    try {
      await undefined; // Fastify ends right after its only write
      const body = readable(bodyOf());
      const result = await protect({ ...head, body });
      if (result.body !== body) return changed(result);
      // The policy lets the handler's own bytes pass, under the head they were written for.
      state = 'released';
      applyHead(res, result);
      passed();
      for (const { method, args } of held.splice(0)) hooks[method](...args);
    } catch (error) {
      try {
        replace(failure(error));
      } catch {
        res.destroy(); // the head has left already: only this still tells the client
      }
    }
  }

  /** Sends an answer past what middleware behind this one does to it, such as compression. */
  function replace(substitute: E2eeResponse): void {
    state = 'released';
    try {
      const payload = prepare(res, substitute);
      writeHead.call(res, substitute.status);
      end.call(res, payload, 'utf8');
    } finally {
      state = 'closed';
      dropHeld();
    }
  }

  /** Holds back what the handler writes until it is known whether it may pass. */
  function hold(call: Call): void {
    if (state === 'waiting')
      void settle(() => (piped ? RAW : wholeBody(held)), { passed: () => {}, changed: replace });
    if (state === 'busy') held.push(call);
    else drop(call.args);
  }

  /** Passes the end on, which may come back with a write and a head. When it throws, nothing has been answered. */
  function finish(args: readonly unknown[]): void {
    const before = state;
    state = 'released';
    try {
      Reflect.apply(end, res, args);
    } catch (error) {
      state = before;
      throw error;
    }
    state = 'closed';
  }

  function dropHeld(): void {
    for (const { args } of held.splice(0)) drop(args);
  }

  const hooks = {
    write(...args: unknown[]): boolean {
      if (state === 'released') return Reflect.apply(write, res, args);
      hold({ method: 'write', args });
      return true;
    },
    end(...args: unknown[]): ServerResponse {
      const isBodiless = state === 'waiting' && isEmpty(args[0]);
      // Fastify answers HEAD with the length of a body that it has taken away unprotected.
      if (isBodiless && res.req.method === 'HEAD') forgetBody(res);
      if (state === 'released' || isBodiless) finish(args);
      else hold({ method: 'end', args });
      return res;
    },
    writeHead(status: number, ...rest: unknown[]): ServerResponse {
      // Node comes here for the head when the end was passed on, be it some time later.
      const mayPass = state === 'released' || (state === 'closed' && !res.headersSent);
      if (mayPass) return Reflect.apply(writeHead, res, [status, ...rest]);
      if (state !== 'waiting') return res;
      res.statusCode = status;
      if (typeof rest[0] === 'string') res.statusMessage = rest[0];
      setHeaders(res, rest.at(-1));
      return res;
    },
    flushHeaders(): void {
      if (state === 'released') flushHeaders.call(res);
      // Otherwise the head leaves with the first byte that may.
    },
  };
  Object.assign(res, hooks);

  return {
    get state(): GuardState {
      return state;
    },
    async answer<Body>(body: Body, deliver: (payload: Body | Buffer | undefined) => void): Promise<void> {
      if (state !== 'waiting') return;
      await settle(() => body, {
        passed: () => deliver(body),
        changed: (result) => {
          state = 'released';
          applyHead(res, result);
          dropReason(res, result);
          deliver(payloadOf(result));
          dropHeld();
        },
      });
    },
    release(): void {
      if (state === 'waiting') state = 'released';
    },
  };
}

/** The body of a response that was written in one piece: given to `end`, or written once and ended at once. */
function wholeBody([first, second]: readonly Call[]): unknown {
  const isEnded = first?.method === 'end' || (second?.method === 'end' && isEmpty(second.args[0]));
  if (!first || !isEnded) return RAW;
  const [chunk, encoding] = first.args;
  const isEncoded = typeof chunk === 'string' && typeof encoding === 'string';
  return isEncoded ? Buffer.from(chunk, encoding as BufferEncoding) : chunk; // throws for an unknown one, as Node does
}

/** Bytes as the text they hold, anything else as it is. */
function readable(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return RAW;
  }
}

/** Whether `res.end` is given no body. */
function isEmpty(chunk: unknown): boolean {
  return ArrayBuffer.isView(chunk) ? chunk.byteLength === 0 : !chunk || typeof chunk === 'function';
}

/** Passes over a call; whoever waits for it goes on. */
function drop(args: readonly unknown[]): void {
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback);
}
