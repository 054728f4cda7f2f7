import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { e2ee } from '@e2ee/express';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Application } from './application.js';
import { ROUTES } from './handler.js';

export async function start({ options, recipient, handle, arrive, onError }: Application): Promise<number> {
  const app = express();
  app.get('/health', (_, res) => void res.send('ok'));
  app.use((req, res, next) => {
    const answer = arrive(req.url);
    if (answer) res.status(answer.status).send(answer.text);
    else next();
  });
  app.use(express.json());
  app.use(e2ee({ ...options, recipient: (req) => recipient(req.headers['x-client']) }));
  for (const [method, path] of ROUTES)
    app[method](path, (req: Request, res: Response) => {
      const operation = `${method.toUpperCase()} ${path}`;
      const { status, body, text } = handle({ operation, body: req.body, act: req.headers['x-act'] });
      res.status(status);
      if (text === undefined) res.json(body);
      else res.type('text/plain').end(text);
    });
  app.use((error: unknown, _req: Request, _res: Response, next: NextFunction) => {
    onError(error);
    next(error);
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}
