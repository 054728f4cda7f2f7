import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { AggregatorClient } from './aggregator-client.js';
import { contentSecurityPolicy } from './content-security-policy.js';
import { forward } from './forward.js';
import { RequestLog } from './log.js';
import { logStream } from './log-stream.js';
import { Sessions } from './sessions.js';

export interface ConnectServerOptions {
  /** The folder of the built page. */
  readonly page: string;
  /** The aggregator's API. */
  readonly aggregatorUrl: string;
  /** How long the aggregator may take, in milliseconds. Default 10,000. */
  readonly timeout?: number | undefined;
}

/** The page's own back end, without a socket yet. */
export interface ConnectServer {
  readonly app: Express;
  readonly log: RequestLog;
  readonly sessions: Sessions;
}

/** Serves the page and forwards its calls to the aggregator. It has no key and knows nothing of encryption. */
export function createConnectServer({
  page,
  aggregatorUrl,
  timeout = 10_000,
}: ConnectServerOptions): ConnectServer {
  const aggregator = new AggregatorClient(aggregatorUrl, timeout);
  const sessions = new Sessions(() => aggregator.newUser());
  const log = new RequestLog();
  const headers = {
    'content-security-policy': contentSecurityPolicy(aggregatorUrl),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use((_, res, next) => {
    res.set(headers);
    next();
  });
  app.use('/api', forward({ aggregator, sessions, log }));
  app.get('/demo/log', logStream(log, sessions));
  app.get('/', (req, res) => {
    sessions.begin(req, res);
    res.set('cache-control', 'no-store'); // nor is it kept for the way back, with what was typed in it
    res.sendFile('index.html', { root: page, cacheControl: false, lastModified: false });
  });
  app.get('/index.html', (_, res) => res.redirect('/'));
  app.use(
    '/assets',
    express.static(join(page, 'assets'), { index: false, redirect: false, cacheControl: false }),
  );
  app.use(answerError);
  return { app, log, sessions };
}

/** Nothing of a request is quoted. */
const answerError: ErrorRequestHandler = (error, _req, res, _next) => {
  const status: unknown = Object(error).status;
  const code = CODES[String(status)] ?? 'internal';
  res.status(typeof status === 'number' ? status : 500).json({ code });
};

const CODES: Readonly<Record<string, string>> = { 413: 'tooLarge', 415: 'unsupportedEncoding' };

/** A server that listens on this machine only. */
export interface Listening {
  readonly port: number;
  readonly url: string;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** Serves on loopback. Port 0 takes any free one. */
export async function listen(app: RequestListener, port = 0): Promise<Listening> {
  const server: Server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
