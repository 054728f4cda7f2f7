import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { bodyText, type E2eeServer } from '@e2ee/core';
import { besideOwn, type ResponseGuard, sendAnswer } from '@e2ee/core/adapter';
import type { HttpServer } from '@nestjs/common';
import type { PlatformRequest } from './options.js';
import type { Call, Platform, Stages } from './platform.js';

type Request = PlatformRequest & {
  readonly raw: IncomingMessage;
  readonly originalUrl: string;
  body?: unknown;
};

/** A request as middleware is given it. */
type Incoming = IncomingMessage & { readonly originalUrl: string };

interface Reply {
  readonly raw: ServerResponse;
  code(status: number): this;
  headers(headers: object): this;
  header(name: string, value: OutgoingHttpHeader): this;
  getHeaders(): OutgoingHttpHeaders;
  removeHeader(name: string): this;
  send(payload: unknown): this;
}

type Done = (error?: unknown, payload?: unknown) => void;

/** What is used of a Fastify instance. */
interface Instance {
  addHook(name: 'onRequest', hook: (request: Request, reply: Reply, done: Done) => void): void;
  addHook(
    name: 'preParsing' | 'onSend',
    hook: (request: Request, reply: Reply, payload: unknown, done: Done) => void,
  ): void;
  hasContentTypeParser(type: string): boolean;
  addContentTypeParser(type: string, parser: (request: Request, payload: unknown, done: Done) => void): void;
}

/** By Node's response, which Nest may wrap in a second reply. */
const guards = new WeakMap<ServerResponse, ResponseGuard>();

export const fastify: Platform = {
  callOf,

  first(application: HttpServer, stages: Stages): void {
    const instance: Instance = application.getInstance();
    try {
      application.use?.(function e2eeMiddleware(
        req: PlatformRequest & Incoming,
        res: ServerResponse,
        next: () => void,
      ): void {
        stages.arrive(rawCallOf(req, res));
        next();
      });
    } catch {
      // The application does without middleware: `skipMiddie`.
    }
    instance.addHook('onRequest', function e2eeArrival(request, reply, done) {
      stages.arrive(callOf(request, reply));
      done();
    });
    instance.addHook('onSend', function e2eeSend(_request, reply, payload, done) {
      const guard = guards.get(reply.raw);
      if (guard?.state === 'waiting' && isWhole(payload)) protect(reply, payload, guard, done);
      else done(null, payload); // a stream meets the guard on its way out
    });
  },

  second(application: HttpServer, stages: Stages, { contentType }: E2eeServer['message']): void {
    const instance: Instance = application.getInstance();
    instance.addHook('preParsing', function e2eeBefore(request, reply, payload, done) {
      const call = callOf(request, reply);
      stages
        .before(call)
        .then((answer) => (answer ? call.answer(answer) : done(null, payload)))
        .catch(done);
    });
    // Fastify refuses a content type that nobody parses. The body is left for the adapter to read.
    if (!instance.hasContentTypeParser(contentType))
      instance.addContentTypeParser(contentType, (_request, _payload, done) => done(null, undefined));
  },
};

function callOf(request: Request, reply: Reply): Call {
  return {
    request,
    req: request.raw,
    res: reply.raw,
    isRouted: true,
    paths: () => [request.url, request.originalUrl],
    body: () => request.body,
    put({ headers, body }) {
      if (body !== undefined) request.body = body;
      if (headers['content-type'] !== undefined)
        request.raw.headers['content-type'] = headers['content-type'];
    },
    guardSend: (guard) => void guards.set(reply.raw, guard),
    answer(answer) {
      const text = bodyText(answer);
      // Bytes, because Fastify adds a charset to the content type of a text.
      const payload = text === undefined ? undefined : Buffer.from(text);
      reply.code(answer.status).headers(besideOwn(answer.headers, reply.getHeaders())).send(payload);
    },
  };
}

/** Middleware runs before the hooks that are added from now on, and knows Node's objects alone. */
function rawCallOf(req: PlatformRequest & Incoming, res: ServerResponse): Call {
  return {
    request: req,
    req,
    res,
    isRouted: true,
    paths: () => [req.originalUrl],
    body: () => undefined,
    put: () => {},
    guardSend: (guard) => void guards.set(res, guard),
    answer: (answer) => sendAnswer(res, answer),
  };
}

/** Nothing, a text or bytes: what Fastify holds whole. */
function isWhole(payload: unknown): boolean {
  return payload === undefined || payload === null || typeof payload === 'string' || Buffer.isBuffer(payload);
}

/** Fastify keeps headers of its own until the head is written; the guard wants to see them, and may change them. */
function protect(reply: Reply, payload: unknown, guard: ResponseGuard, done: Done): void {
  const { raw } = reply;
  const own = Object.entries(reply.getHeaders());
  for (const [name, value] of own) {
    reply.removeHeader(name);
    if (value !== undefined) raw.setHeader(name, value);
  }
  void guard.answer(payload ?? undefined, (protectedPayload) => {
    const changed = Object.entries(raw.getHeaders());
    for (const [name, value] of changed) {
      raw.removeHeader(name);
      if (value !== undefined) reply.header(name, value);
    }
    done(null, protectedPayload);
  });
}
