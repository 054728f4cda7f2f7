import { bodyText, type E2eeResponse } from '@e2ee/core';
import type { Response } from 'express';

/**
 * `waiting` for the handler's answer; `busy` protecting it; `released`: what comes passes; `closed`: the answer is
 * complete, or was given in the handler's place, and whatever the handler still writes is dropped.
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

/** A call of the handler's that waits for what becomes of it. */
interface Call {
  readonly method: 'send' | 'write' | 'end';
  readonly args: readonly unknown[];
}

/** These have no `Content-Length` (RFC 9110 §8.6). */
const WITHOUT_LENGTH = [204, 304];

/** Headers that say something of a body, and are wrong for another one. */
const BODY_HEADERS =
  /^(?:content-(?:length|encoding|type|range|md5|digest|disposition|language|location)|digest|etag|last-modified)$/;

/**
 * Puts protection between the handlers and the socket. `res.json` and `res.send` end in `res.send(text)`, which is
 * protected; on every other way out no byte of the handler's leaves before `protect` has agreed.
 */
export function guardResponse(res: Response, { protect, failure }: Protection): void {
  const { send, write, end, writeHead } = res;
  const held: Call[] = [];
  let state: State = 'waiting';

  function answer(body: unknown, deliver: (answer: E2eeResponse) => void): void {
    state = 'busy';
    protect({ status: res.statusCode, headers: headersOf(res), body })
      .then((result) => (result.body === body ? release(result) : deliver(result)))
      .catch((error: unknown) => replace(failure(error)))
      .catch(() => res.destroy()); // the head has left already: only breaking off still tells the client
  }

  /** The policy lets the handler's own bytes pass, under the head they were written for. */
  function release(head: E2eeResponse): void {
    state = 'released';
    applyHead(res, head);
    for (const { method, args } of held.splice(0)) hooks[method](...args);
  }

  function sendProtected(result: E2eeResponse): void {
    state = 'released';
    applyHead(res, result);
    send.call(res, payloadOf(result));
    for (const { args } of held.splice(0)) drop(args);
  }

  function replace(substitute: E2eeResponse): void {
    state = 'closed';
    for (const { args } of held.splice(0)) drop(args);
    const payload = prepare(res, substitute);
    writeHead.call(res, substitute.status); // past what middleware behind this one does to a head, such as compression
    end.call(res, payload, 'utf8');
  }

  /** Holds back what the handler writes until it is known whether it may pass. */
  function hold(call: Call): void {
    if (state === 'waiting') answer(RAW, replace);
    if (state === 'busy') held.push(call);
    else drop(call.args);
  }

  /** Passes the end on. When that throws, as for a bad status, nothing has been answered. */
  function finish(args: readonly unknown[]): void {
    const before = state;
    state = 'closed';
    try {
      Reflect.apply(end, res, args);
    } catch (error) {
      state = before;
      throw error;
    }
  }

  const hooks = {
    send(...args: unknown[]): Response {
      const [body] = args;
      const isText = args.length === 1 && (typeof body === 'string' || ArrayBuffer.isView(body));
      if (state === 'waiting' && isText && !isEmpty(body)) {
        answer(body, sendProtected);
        held.push({ method: 'send', args });
      } else if (state === 'waiting' || state === 'released') {
        Reflect.apply(send, res, args); // an object: Express makes JSON of it and comes back with the text
      }
      return res;
    },
    write(...args: unknown[]): boolean {
      if (state === 'released') return Reflect.apply(write, res, args);
      hold({ method: 'write', args });
      return true;
    },
    end(...args: unknown[]): Response {
      if (state === 'released' || (state === 'waiting' && isEmpty(args[0]))) finish(args);
      else hold({ method: 'end', args });
      return res;
    },
    writeHead(status: number, ...rest: unknown[]): Response {
      // Node comes here for the head when the end was passed on.
      const mayPass = state === 'released' || (state === 'closed' && !res.headersSent);
      if (mayPass) return Reflect.apply(writeHead, res, [status, ...rest]);
      if (state !== 'waiting') return res;
      res.statusCode = status;
      if (typeof rest[0] === 'string') res.statusMessage = rest[0];
      setHeaders(res, rest.at(-1));
      return res;
    },
    flushHeaders(): void {
      // The head leaves with the first byte that may.
    },
  };
  Object.assign(res, hooks);
}

/** Sends an answer of the library's own. */
export function sendAnswer(res: Response, answer: E2eeResponse): void {
  res.end(prepare(res, answer));
}

/** Brings the head to that of `answer`, framing included, and returns the bytes that belong to it. */
function prepare(res: Response, answer: E2eeResponse): Buffer | undefined {
  applyHead(res, answer);
  const payload = payloadOf(answer);
  for (const name of ['transfer-encoding', 'trailer']) res.removeHeader(name);
  if (!WITHOUT_LENGTH.includes(answer.status)) res.setHeader('content-length', payload?.length ?? 0);
  return payload;
}

/** Brings status and headers to those of `answer`. Cookies and the like stay as they are. */
function applyHead(res: Response, { status, headers }: E2eeResponse): void {
  if (res.statusCode !== status) res.statusMessage = ''; // it belongs to the other status
  res.statusCode = status;
  const before = headersOf(res);
  for (const name of Object.keys(before))
    if (BODY_HEADERS.test(name) && !(name in headers)) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers))
    if (name !== 'set-cookie' && before[name] !== value) res.setHeader(name, value);
}

/** Bytes, because Express adds a charset to the content type of a text. */
function payloadOf(response: E2eeResponse): Buffer | undefined {
  const text = bodyText(response);
  return text === undefined ? undefined : Buffer.from(text);
}

function headersOf(res: Response): Record<string, string> {
  return Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** Sets the headers of `writeHead`: an object, or a flat list of names and values in which a name may come twice. */
function setHeaders(res: Response, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  if (!Array.isArray(headers))
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  else {
    const names = headers.filter((_, i) => i % 2 === 0);
    for (const name of names) res.removeHeader(name);
    names.forEach((name, i) => void res.appendHeader(name, headers[2 * i + 1]));
  }
}

/** Whether `res.end` or `res.send` is given no body. */
function isEmpty(chunk: unknown): boolean {
  return ArrayBuffer.isView(chunk) ? chunk.byteLength === 0 : !chunk || typeof chunk === 'function';
}

/** Passes over a call; whoever waits for it goes on. */
function drop(args: readonly unknown[]): void {
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback);
}
