import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { e2ee } from '@e2ee/koa';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa from 'koa';
import type { Application } from './application.js';
import { ROUTES } from './handler.js';

export async function start({ options, recipient, handle, onError }: Application): Promise<number> {
  const app = new Koa();
  const router = new Router();
  app.on('error', onError);
  router.get('/health', (ctx) => {
    ctx.body = 'ok';
  });
  for (const [method, path] of ROUTES)
    router[method](path, (ctx) => {
      const operation = `${method.toUpperCase()} ${path}`;
      const { status, body, text } = handle({ operation, body: ctx.request.body, act: ctx.headers['x-act'] });
      ctx.body = text ?? body;
      ctx.status = status;
    });
  // Without it, Koa answers 500 to a body that is badly compressed.
  app.use(bodyParser({ onError: (error, ctx) => ctx.throw(Number(Reflect.get(error, 'status') ?? 400)) }));
  app.use(e2ee({ ...options, recipient: (ctx) => recipient(ctx.headers['x-client']) }));
  app.use(router.routes());
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}
