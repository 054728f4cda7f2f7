import { createServer, type Server } from 'node:http';
import { e2ee } from '@e2ee/koa';
import { bodyParser } from '@koa/bodyparser';
import Koa from 'koa';
import { ANSWER } from '../scenarios.js';
import type { Setting } from './setting.js';

export async function koaApp({ server }: Setting): Promise<Server> {
  const app = new Koa();
  app.use(bodyParser());
  if (server) app.use(e2ee(server));
  app.use((ctx) => {
    ctx.body = ANSWER;
  });
  return createServer(app.callback());
}
