import type { IncomingMessage, ServerResponse } from 'node:http';
import { guardSend, sendAnswer } from '@e2ee/core/adapter';
import type { HttpServer } from '@nestjs/common';
import type { PlatformRequest } from './options.js';
import type { Call, Platform, Stages } from './platform.js';

type Request = IncomingMessage &
  PlatformRequest & {
    readonly baseUrl: string;
    readonly path: string;
    readonly originalUrl: string;
    body?: unknown;
  };

type Response = ServerResponse & Record<'send' | 'json', (...args: unknown[]) => unknown>;

export const express: Platform = {
  callOf,

  first(application: HttpServer, stages: Stages): void {
    application.use?.(function e2eeArrival(req: Request, res: Response, next: () => void): void {
      stages.arrive(callOf(req, res));
      next();
    });
  },

  second(application: HttpServer, stages: Stages): void {
    application.use?.(function e2eeMiddleware(
      req: Request,
      res: Response,
      next: (error?: unknown) => void,
    ): void {
      stages
        .before(callOf(req, res))
        .then((answer) => (answer ? sendAnswer(res, answer) : next()))
        .catch(next);
    });
  },
};

function callOf(req: Request, res: Response): Call {
  return {
    request: req,
    req,
    res,
    isRouted: false,
    paths: () => [req.baseUrl + req.path, req.path, req.originalUrl],
    body: () => req.body,
    put({ headers, body }) {
      if (body !== undefined) req.body = body;
      if (headers['content-type'] !== undefined) req.headers['content-type'] = headers['content-type'];
    },
    guardSend: (guard) => guardSend(res, guard),
    answer: (answer) => sendAnswer(res, answer),
  };
}
