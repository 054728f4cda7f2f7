import { createReadStream } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type E2eeKoaOptions, e2ee } from '@e2ee/koa';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type Koa from 'koa';
import type { Context, Middleware } from 'koa';
import compress from 'koa-compress';
import mount from 'koa-mount';
import { type Answer, bodyOf, errorOf, fileOf, streamOf } from '../answers.js';
import { listen, type Route, type ServerSetup, type ServerSubject } from '../subject.js';

/** A version of Koa. The types of 3 describe what is used here of 2 as well. */
export function koaSubject(name: string, Application: typeof Koa): ServerSubject {
  return {
    name,
    unsupported: {
      'compression: inside': 'a stream is all that koa-compress leaves: refused, as every other stream is',
    },
    start: (setup) => listen(application(Application, setup).callback()),
  };
}

function application(Application: typeof Koa, setup: ServerSetup): Koa {
  const { parser, compression: where, prefix, methodOverride, logger, errorHandler, bodyLimit } = setup;
  const parse = bodyParser({ jsonLimit: bodyLimit, formLimit: bodyLimit });
  const routes = new Router(prefix?.of === 'routes' ? { prefix: prefix.path } : {});
  for (const route of setup.routes) routes[METHODS[route.method]](route.path, handlerOf(route, setup));

  const inner = new Application();
  if (parser === 'before') inner.use(parse);
  inner.use(adapter(setup));
  if (where === 'inside') inner.use(compress({ threshold: 0 }));
  if (parser === 'after') inner.use(parse);
  inner.use(routes.routes());

  const app = new Application();
  if (methodOverride) app.use(overrideMethod);
  if (logger) app.use(loggerOf(setup));
  if (errorHandler) app.use(answerErrors);
  if (where === 'outside') app.use(compress({ threshold: 0 }));
  app.use(mount(prefix?.of === 'all' ? prefix.path : '/', inner));
  return app;
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

function adapter({ options, server, recipient }: ServerSetup): Middleware {
  if (server) return e2ee(server);
  const find: E2eeKoaOptions['recipient'] =
    recipient && ((ctx) => recipient(ctx.get('x-recipient') || undefined));
  return e2ee({ ...options, ...(find && { recipient: find }) });
}

function handlerOf({ answer }: Route, { saw }: ServerSetup): Middleware {
  return async function handler(ctx, next) {
    saw(ctx.get('x-call'), ctx.request.body);
    if (answer.way === 'not found') return next();
    if (answer.way === 'throw') {
      if (answer.later) await setTimeout(2);
      const { status, message, details } = answer;
      if (status !== undefined) ctx.throw(status, message, { details });
      throw errorOf(answer);
    }
    ctx.status = answer.status ?? 200;
    if (answer.way === 'echo') ctx.body = ctx.request.body ?? {};
    else {
      await send(ctx, answer);
      if (answer.headers && !ctx.res.headersSent) ctx.set({ ...answer.headers });
    }
  };
}

async function send(
  ctx: Context,
  answer: Exclude<Answer, { way: 'not found' | 'throw' | 'echo' }>,
): Promise<void> {
  const { res } = ctx;
  switch (answer.way) {
    case 'json':
      if (answer.later !== undefined) await setTimeout(answer.later);
      ctx.body = bodyOf(answer);
      break;
    case 'odd':
      ctx.body = bodyOf(answer);
      break;
    case 'text':
      ctx.body = answer.text;
      break;
    case 'bytes':
      ctx.body = Buffer.from(answer.text);
      break;
    case 'stream':
      ctx.body = streamOf(answer);
      break;
    case 'file':
      ctx.type = 'json';
      ctx.body = createReadStream(fileOf(answer));
      break;
    case 'end':
      ctx.respond = false;
      res.end(answer.text);
      break;
    case 'write':
      ctx.respond = false;
      for (const chunk of answer.chunks) res.write(chunk);
      res.end();
      break;
    case 'empty':
      ctx.body = null;
      ctx.status = answer.status; // setting an empty body has changed it
      break;
    case 'redirect':
      ctx.redirect(answer.location);
      ctx.status = answer.status;
  }
}

const overrideMethod: Middleware = (ctx, next) => {
  ctx.method = ctx.get('x-http-method-override') || ctx.method;
  return next();
};

/** Hears what Koa is about to send, and what Node is given in the end. */
function loggerOf({ log }: ServerSetup): Middleware {
  return async function logger({ res, response }, next) {
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
    await next();
    log(response.body);
  };
}

const answerErrors: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const { status = 500, details } = error as { status?: number; details?: object }; // errors of this application
    ctx.status = status;
    ctx.body = { failed: true, ...details };
  }
};
