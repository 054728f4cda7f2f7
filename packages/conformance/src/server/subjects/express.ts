import { type E2eeExpressOptions, e2ee } from '@e2ee/express';
import compression from 'compression';
import type express5 from 'express';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { type Answer, bodyOf, errorOf, fileOf, streamOf } from '../answers.js';
import { listen, type Route, type ServerSetup, type ServerSubject } from '../subject.js';

/** A version of Express. The types of 5 describe what is used here of 4 as well. */
export function expressSubject(name: string, express: typeof express5): ServerSubject {
  return {
    name,
    unsupported: {
      'errors of the parser':
        'express.json() stands before the adapter, and Express answers its errors by itself',
    },
    start: (setup) => listen(application(express, setup)),
  };
}

function application(express: typeof express5, setup: ServerSetup): ReturnType<typeof express5> {
  const { parser, compression: where, prefix, methodOverride, logger, errorHandler, bodyLimit } = setup;
  const parsers = [
    express.json({ limit: bodyLimit }),
    express.urlencoded({ extended: true, limit: bodyLimit }),
  ];
  const compress = compression({ threshold: 0 });
  const routes = express.Router();
  for (const route of setup.routes) routes[METHODS[route.method]](route.path, handlerOf(route, setup));

  const inner = express.Router();
  if (parser === 'before') inner.use(parsers);
  inner.use(adapter(setup));
  if (where === 'inside') inner.use(compress);
  if (parser === 'after') inner.use(parsers);
  inner.use(prefix?.of === 'routes' ? prefix.path : '/', routes);

  const app = express();
  if (methodOverride) app.use(overrideMethod);
  if (logger) app.use(loggerOf(setup));
  if (where === 'outside') app.use(compress);
  app.use(prefix?.of === 'all' ? prefix.path : '/', inner);
  if (errorHandler) app.use(answerError);
  return app;
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

function adapter({ options, server, recipient }: ServerSetup): RequestHandler {
  if (server) return e2ee(server);
  const find: E2eeExpressOptions['recipient'] = recipient && ((req) => recipient(req.get('x-recipient')));
  return e2ee({ ...options, ...(find && { recipient: find }) });
}

function handlerOf({ answer }: Route, { saw }: ServerSetup): RequestHandler {
  return function handler(req, res, next) {
    saw(req.get('x-call'), req.body, req.get('content-type'));
    if (answer.way === 'not found') return next();
    if (answer.way === 'throw' && !answer.later) throw errorOf(answer);
    if (answer.way === 'throw') return void setTimeout(() => next(errorOf(answer)), 2);
    if (answer.way === 'echo') return void res.status(answer.status ?? 200).json(req.body ?? {});
    if (answer.headers) res.set(answer.headers);
    res.status(answer.status ?? 200);
    send(res, answer);
  };
}

function send(res: Response, answer: Exclude<Answer, { way: 'not found' | 'throw' | 'echo' }>): void {
  switch (answer.way) {
    case 'json':
      if (answer.later === undefined) res.json(answer.body);
      else setTimeout(() => res.json(answer.body), answer.later);
      break;
    case 'odd':
      res.json(bodyOf(answer));
      break;
    case 'text':
      res.send(answer.text);
      break;
    case 'bytes':
      res.send(Buffer.from(answer.text));
      break;
    case 'stream':
      streamOf(answer)
        .on('error', () => res.destroy())
        .pipe(res);
      break;
    case 'file':
      res.sendFile(fileOf(answer));
      break;
    case 'end':
      res.end(answer.text);
      break;
    case 'write':
      for (const chunk of answer.chunks) res.write(chunk);
      res.end();
      break;
    case 'empty':
      res.end();
      break;
    case 'redirect':
      res.redirect(answer.status, answer.location);
  }
}

const overrideMethod: RequestHandler = (req, _res, next) => {
  req.method = req.get('x-http-method-override') ?? req.method;
  next();
};

function loggerOf({ log }: ServerSetup): RequestHandler {
  return function logger(_, res, next) {
    const { write, end } = res;
    Object.assign(res, {
      write: (...args: unknown[]) => {
        log(args[0]);
        return Reflect.apply(write, res, args);
      },
      end: (...args: unknown[]) => {
        if (typeof args[0] !== 'function') log(args[0]);
        return Reflect.apply(end, res, args);
      },
    });
    next();
  };
}

const answerError: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ failed: true, ...error.details });
};
