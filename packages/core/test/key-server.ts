import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server that tests in a browser fetch keys from. */
    readonly keyServer: string;
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What a page of another origin needs to fetch, to revalidate (`If-None-Match` needs a preflight) and to see the ETag. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, PUT',
  'access-control-allow-headers': 'if-none-match',
  'access-control-expose-headers': 'etag',
};

/** Answers that are no good set, each under a path of its own, to pages of any origin unless it says otherwise. */
const BAD: Readonly<Record<string, Answer>> = {
  '/redirect': (_, response) => response.writeHead(302, { ...CORS, location: '/keys/moved' }).end(),
  '/cut-off': (_, response) => {
    response.writeHead(200, { ...CORS, 'content-length': '100000' }).write('{"keys":[');
    setTimeout(() => response.destroy(), 20);
  },
  '/hangs': () => {},
  '/large': (_, response) => response.writeHead(200, CORS).end(' '.repeat(1_100_000)),
  '/for-no-other-origin': (_, response) => response.writeHead(200).end('{"keys":[]}'),
};

/**
 * Vitest's `globalSetup` of a project that runs in a browser: a key server of another origin than the tests' page.
 * What is `PUT` under `/keys/NAME` is what `GET` answers there, with an ETag that is heeded; `/seen/NAME` tells with which
 * statuses it has answered.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const bodies = new Map<string, string>();
  const seen = new Map<string, number[]>();

  async function put(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.set(path, Buffer.concat(chunks).toString());
    response.writeHead(204, CORS).end();
  }

  function get(path: string, request: IncomingMessage, response: ServerResponse): void {
    const body = bodies.get(path) ?? '';
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
    const status = request.headers['if-none-match'] === etag ? 304 : 200;
    seen.set(path, [...(seen.get(path) ?? []), status]);
    const headers = {
      ...CORS,
      etag,
      'cache-control': 'max-age=60',
      'content-type': 'application/jwk-set+json',
    };
    response.writeHead(status, headers).end(status === 200 ? body : undefined);
  }

  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    const bad = BAD[url];
    if (method === 'OPTIONS') response.writeHead(204, CORS).end();
    else if (bad) bad(request, response);
    else if (method === 'PUT') void put(url, request, response);
    else if (url.startsWith('/seen/'))
      response.writeHead(200, CORS).end(JSON.stringify(seen.get(url.replace('/seen/', '/keys/')) ?? []));
    else get(url, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  project.provide('keyServer', `http://127.0.0.1:${port}`);
  return function stop() {
    server.close();
    server.closeAllConnections();
  };
}
