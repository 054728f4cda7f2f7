import { bodyText, type E2eeResponse } from '@e2ee/core';
import type { Response } from 'express';

/**
 * `waiting` for the handler's answer; `busy` protecting it; `released`: everything passes; `closed`: answered in the
 * handler's place, whatever it still writes is dropped.
 */
type State = 'waiting' | 'busy' | 'released' | 'closed';

interface Protection {
  /** Resolves to what to send instead; to the same body where the policy lets it pass. */
  readonly protect: (response: E2eeResponse) => Promise<E2eeResponse>;
  /** What to send when that fails. */
  readonly failure: (error: unknown) => E2eeResponse;
}

/** Stands for a body that cannot be read back: `res.end`, `res.write`, streams and files. */
const RAW = new Uint8Array();

/** Headers that say something of a body, and are wrong for another one. */
const BODY_HEADERS =
  /^(?:content-(?:length|encoding|type|range|md5|digest|disposition|language|location)|digest|etag|last-modified)$/;

/**
 * Puts protection between the handlers and the socket. `res.json` and `res.send` end in `res.send(text)`, which is
 * protected; on every other way out no byte of the handler's leaves before `protect` has agreed.
 */
export function guardResponse(res: Response, { protect, failure }: Protection): void {
  const { send, write, end, writeHead, flushHeaders } = res;
  const held: (() => unknown)[] = [];
  let state: State = 'waiting';

  function answer(body: unknown, deliver: (answer: E2eeResponse) => void): void {
    state = 'busy';
    protect({ status: res.statusCode, headers: headersOf(res), body })
      .then((result) => (result.body === body ? release() : deliver(result)))
      .catch((error: unknown) => replace(failure(error)));
  }

  /** The policy lets the handler's own bytes pass. */
  function release(): void {
    state = 'released';
    for (const call of held) call();
  }

  function sendProtected(result: E2eeResponse): void {
    state = 'released';
    applyHead(res, result);
    send.call(res, payloadOf(result));
  }

  function replace(substitute: E2eeResponse): void {
    state = 'closed';
    applyHead(res, substitute);
    end.call(res, payloadOf(substitute), 'utf8');
  }

  /** Holds back what the handler writes until it is known whether it may pass. */
  function hold(call: () => unknown, args: readonly unknown[]): void {
    if (state === 'waiting') answer(RAW, replace);
    held.push(call);
    const callback = args.at(-1);
    if (state === 'closed' && typeof callback === 'function') process.nextTick(callback);
  }

  Object.assign(res, {
    send(body?: unknown): Response {
      const isText = typeof body === 'string' || ArrayBuffer.isView(body);
      if (state === 'waiting' && isText) {
        held.push(() => send.call(res, body));
        answer(body, sendProtected);
      } else if (state === 'waiting' || state === 'released') {
        send.call(res, body); // an object: Express makes JSON of it and comes back with the text
      }
      return res;
    },
    write(...args: unknown[]): boolean {
      if (state === 'released') return Reflect.apply(write, res, args);
      hold(() => Reflect.apply(write, res, args), args);
      return true;
    },
    end(...args: unknown[]): Response {
      const [chunk] = args;
      const isEmpty = chunk === undefined || chunk === null || chunk === '' || typeof chunk === 'function';
      if (state === 'waiting' && isEmpty) state = 'released';
      if (state === 'released') Reflect.apply(end, res, args);
      else hold(() => Reflect.apply(end, res, args), args);
      return res;
    },
    writeHead(status: number, ...rest: unknown[]): Response {
      const mayPass = state === 'released' || (state === 'closed' && !res.headersSent);
      if (mayPass) return Reflect.apply(writeHead, res, [status, ...rest]);
      if (state === 'closed') return res;
      res.statusCode = status;
      for (const [name, value] of headerList(rest.at(-1))) res.setHeader(name, value);
      return res;
    },
    flushHeaders(): void {
      if (state === 'released') flushHeaders.call(res);
    },
  });
}

/** Sends an answer of the library's own. */
export function sendAnswer(res: Response, answer: E2eeResponse): void {
  applyHead(res, answer);
  res.end(payloadOf(answer));
}

/** Brings status and headers to those of `answer`. Cookies and the like stay as they are. */
function applyHead(res: Response, { status, headers }: E2eeResponse): void {
  res.statusCode = status;
  const before = headersOf(res);
  for (const name of Object.keys(before))
    if (BODY_HEADERS.test(name) && !(name in headers)) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) if (before[name] !== value) res.setHeader(name, value);
}

/** Bytes, because Express adds a charset to the content type of a text. */
function payloadOf(response: E2eeResponse): Buffer | undefined {
  const text = bodyText(response);
  return text === undefined ? undefined : Buffer.from(text);
}

function headersOf(res: Response): Record<string, string> {
  return Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** The headers of `writeHead`: an object, or a flat list of names and values. */
function headerList(headers: unknown): [string, string][] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (!Array.isArray(headers)) return Object.entries(headers);
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as [string, string]] : []));
}
