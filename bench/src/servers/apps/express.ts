import { createServer, type RequestListener, type Server } from 'node:http';
import { e2ee } from '@e2ee/express';
import express from 'express';
import { ANSWER, PATHS } from '../scenarios.js';
import type { Setting } from './setting.js';

export async function expressApp({ server }: Setting): Promise<Server> {
  const app = express();
  app.use(express.json());
  if (server) app.use(e2ee(server));
  for (const path of PATHS) app.post(path, (_req, res) => void res.json(ANSWER));
  return createServer(app as RequestListener);
}
