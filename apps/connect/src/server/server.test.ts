import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ConnectServer, createConnectServer, type Listening, listen } from './server.js';
import { Sessions } from './sessions.js';

/* With something in the aggregator's place that writes down what it is sent. */

const BODY = '{ "login":"eyJ.…",\n "id_connector": 59 }';
const PAGE = join(import.meta.dirname, '../page');

let sent: { call: string; authorization: string | undefined; body: string }[] = [];
let users = 0;
let answer: (res: ServerResponse) => void;
let target: Listening;
let connect: ConnectServer;
let server: Listening;

beforeAll(async () => {
  target = await listen(standIn);
  connect = createConnectServer({ page: PAGE, aggregatorUrl: target.url, timeout: 200 });
  server = await listen(connect.app);
});
afterAll(async () => {
  await server.close();
  await target.close();
});
beforeEach(() => {
  sent = [];
  answer = (res) => res.writeHead(201, { 'content-type': 'application/json' }).end('{"id":1}');
});

async function standIn(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.url === '/auth/init') {
    users += 1;
    res.end(JSON.stringify({ auth_token: `token-${users}` }));
    return;
  }
  const { method, url, headers } = req;
  sent.push({ call: `${method} ${url}`, authorization: headers.authorization, body: await text(req) });
  answer(res);
}

/** The cookie of a new visitor, or of one that comes again. */
async function visit(cookie = ''): Promise<string> {
  const response = await fetch(server.url, { headers: { cookie } });
  return response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

async function banksStatus(cookie: string): Promise<number> {
  return (await fetch(`${server.url}/api/connectors`, { headers: { cookie } })).status;
}

/** A path goes as it is: `fetch` would tidy it up. */
async function getRaw(path: string): Promise<IncomingMessage> {
  const { port } = server;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, resolve).on('error', reject).end();
  });
  return response.resume();
}

function post(cookie: string, path = '/api/users/me/connections', body = BODY): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body,
  });
}

async function seen(response: Response): Promise<unknown> {
  return [response.status, await response.json()];
}

describe('what is forwarded', () => {
  test('goes byte for byte, with the token of a user of its own for each visitor', async () => {
    const [first, second] = [await visit(), await visit()];
    for (const cookie of [first, first, second])
      expect(await seen(await post(cookie))).toEqual([201, { id: 1 }]);
    expect(sent.map(({ call, body }) => [call, body])).toEqual(
      Array(3).fill(['POST /users/me/connections', BODY]),
    );
    const [one, again, other] = sent.map(({ authorization }) => authorization);
    expect(one).toMatch(/^Bearer token-\d$/);
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  test('is logged byte for byte, without the cookie, and told to its own visitor', async () => {
    const [cookie, other] = [await visit(), await visit()];
    const [own, foreign] = await Promise.all([cookie, other].map((one) => events(one)));
    await post(cookie);
    const logged = connect.log.entries().at(-1);
    expect(logged).toMatchObject({ method: 'POST', path: '/api/users/me/connections', status: 201 });
    expect(logged?.body.toString()).toBe(BODY);
    expect(logged?.head).toMatch(/^POST \/api\/users\/me\/connections HTTP\/1\.1\r\n/);
    expect(logged?.head).not.toContain(cookie.split('=')[1]);
    const told = (await own?.next()) ?? [];
    expect(told.map(({ body, status }) => [body, status])).toEqual([
      [BODY, undefined],
      [BODY, 201],
    ]);
    expect(foreign?.soFar()).toEqual([]);
    for (const stream of [own, foreign]) await stream?.end();
  });

  test('is what the page needs, and nothing else', async () => {
    const cookie = await visit();
    for (const path of ['/api/auth/init', '/api/users/me/transfers', '/api/connectors/../users/me', '/api/'])
      expect((await post(cookie, path)).status).toBe(404);
    expect(sent).toEqual([]);
    expect((await post(cookie, undefined, 'x'.repeat(300_000))).status).toBe(413);
  });

  test('is not unpacked: a body that is compressed is refused', async () => {
    const response = await fetch(`${server.url}/api/users/me/connections`, {
      method: 'POST',
      headers: { cookie: await visit(), 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(BODY),
    });
    expect(await seen(response)).toEqual([415, { code: 'unsupportedEncoding' }]);
    expect(sent).toEqual([]);
  });

  test('is told to a visitor who listens again, from where it left off', async () => {
    const cookie = await visit();
    await post(cookie);
    const first = connect.log.entries().at(-1)?.id ?? 0;
    for (const body of ['second', 'third']) await post(cookie, undefined, body);
    for (const [query, headers] of [
      [`?after=${first}`, {}],
      ['?after=0', { 'last-event-id': String(first) }],
    ] as const) {
      const again = await events(cookie, query, headers);
      expect((await again.next()).map(({ body }) => body)).toEqual(['second', 'third']);
      await again.end();
    }
  });

  test('is kept by nobody', async () => {
    const response = await post(await visit());
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('etag')).toBe(null);
  });
});

describe('what is refused, or fails', () => {
  test('a visitor without a session', async () => {
    for (const cookie of ['', 'connect_session=x', 'other=1'])
      expect(await seen(await post(cookie))).toEqual([401, { code: 'session_expired' }]);
    expect(sent).toEqual([]);
  });

  test('a user that the aggregator does not know any more: the session is over', async () => {
    const cookie = await visit();
    answer = (res) =>
      res.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"unauthorized"}');
    expect(await seen(await post(cookie))).toEqual([401, { code: 'unauthorized' }]);
    expect(await seen(await post(cookie))).toEqual([401, { code: 'session_expired' }]);
  });

  test('an aggregator that does not answer in time', async () => {
    answer = () => {};
    expect(await seen(await post(await visit()))).toEqual([504, { code: 'aggregator_timeout' }]);
  });

  test('an aggregator that hangs up, or is not there, also when the user is to be made', async () => {
    const cookie = await visit();
    answer = (res) => res.destroy();
    expect(await seen(await post(cookie))).toEqual([502, { code: 'aggregator_unreachable' }]);
    const gone = await listen(() => {});
    await gone.close();
    const other = await listen(createConnectServer({ page: PAGE, aggregatorUrl: gone.url }).app);
    const page = await fetch(other.url);
    const headers = { cookie: page.headers.get('set-cookie')?.split(';', 1)[0] ?? '' };
    const response = await fetch(`${other.url}/api/connectors`, { headers });
    expect(await seen(response)).toEqual([502, { code: 'aggregator_unreachable' }]);
    await other.close();
  });
});

describe('a session', () => {
  test('is new for whoever loads the page: one that somebody else has put there ends', async () => {
    const planted = await visit();
    await post(planted);
    const cookie = await visit(planted);
    expect(cookie).toMatch(/^connect_session=[\w-]{43}$/);
    expect(cookie).not.toBe(planted);
    await post(cookie);
    const [theirs, own] = sent.map(({ authorization }) => authorization);
    expect(own).not.toBe(theirs);
    expect(await banksStatus(planted)).toBe(401);
    expect(await banksStatus(cookie)).toBe(201);
    expect(await visit('connect_session=planted')).not.toBe('connect_session=planted');
  });

  test('in use outlasts any number of visitors that only load the page', async () => {
    const [used, idle] = [await visit(), await visit()];
    expect(await banksStatus(used)).toBe(201);
    for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, () => visit()));
    expect(await banksStatus(used)).toBe(201);
    expect(await banksStatus(idle)).toBe(401);
  });

  test('goes before others that were used since', () => {
    const sessions = new Sessions(() => Promise.resolve(''));
    const cookies: string[] = [];
    const res = { cookie: (name: string, value: string) => cookies.push(`${name}=${value}`) };
    const use = (cookie = ''): string | undefined => sessions.find({ get: () => cookie } as never);
    for (let i = 0; i < 1_000; i += 1) {
      sessions.begin({ get: () => '' } as never, res as never);
      use(cookies[i]);
    }
    use(cookies[0]);
    sessions.begin({ get: () => '' } as never, res as never);
    use(cookies[1_000]);
    expect(cookies.map(use).flatMap((found, i) => (found === undefined ? [i] : []))).toEqual([1]);
  });

  test('by https has a cookie that comes from this host alone, and no other is taken', async () => {
    const secure = createConnectServer({ page: PAGE, aggregatorUrl: target.url });
    secure.app.set('trust proxy', 'loopback');
    const behind = await listen(secure.app);
    const headers = { 'x-forwarded-proto': 'https' };
    const set = (await fetch(behind.url, { headers })).headers.get('set-cookie') ?? '';
    expect(set).toMatch(/^__Host-connect_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const cookie = set.split(';', 1)[0] ?? '';
    for (const [sent, status] of [
      [cookie, 201],
      [cookie.replace('__Host-', ''), 401],
    ] as const) {
      const response = await fetch(`${behind.url}/api/connectors`, { headers: { ...headers, cookie: sent } });
      expect(response.status).toBe(status);
    }
    await behind.close();
  });
});

describe('the page', () => {
  test('has one address, so that it is never served without a session or kept', async () => {
    const { status, headers } = await fetch(`${server.url}/index.html`, { redirect: 'manual' });
    expect([status, headers.get('location')]).toEqual([302, '/']);
    for (const path of [
      '/',
      '//',
      '/?x',
      '/%69ndex.html',
      '/INDEX.HTML',
      '/index.html/',
      '/assets/../index.html',
      '/assets/..%2findex.html',
    ]) {
      const response = await getRaw(path);
      if (response.statusCode !== 200) continue;
      const { 'cache-control': cached, 'set-cookie': cookie, 'last-modified': modified } = response.headers;
      expect([path, cached, cookie?.length, modified]).toEqual([path, 'no-store', 1, undefined]);
    }
  });

  test('is served under a strict policy, and kept by nobody', async () => {
    const { headers } = await fetch(server.url);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ${target.url}`,
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'set-cookie': expect.stringMatching(/; HttpOnly; SameSite=Strict$/),
    });
  });

  test('has no script or style in its document, and nothing that can be sent without its script', async () => {
    const html = await readFile(join(PAGE, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<form|<input|<script(?![^>]* src=)/i);
  });
});

test('neither the server nor anything that it imports is of @e2ee', async () => {
  const imports = await importsOf(join(import.meta.dirname, 'main.ts'));
  expect(imports.files.map((file) => file.slice(import.meta.dirname.length + 1)).sort()).toEqual([
    'aggregator-client.ts',
    'aggregator-url.ts',
    'content-security-policy.ts',
    'forward.ts',
    'log-stream.ts',
    'log.ts',
    'main.ts',
    'server.ts',
    'sessions.ts',
  ]);
  expect([...imports.packages].sort()).toEqual(['commander', 'express']);
});

/** The files that one leads to, and the packages that they import. */
async function importsOf(entry: string): Promise<{ files: string[]; packages: Set<string> }> {
  const files = [entry];
  const packages = new Set<string>();
  for (const file of files) {
    const source = await readFile(file, 'utf8');
    for (const [, name = ''] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      const path = join(dirname(file), name.replace(/\.js$/, '.ts'));
      if (!name.startsWith('.')) isBuiltin(name) || packages.add(name);
      else if (!files.includes(path)) files.push(path);
    }
  }
  return { files, packages };
}

interface Told {
  readonly body: string;
  readonly status?: number;
}

/** Listens to the log as the page does. */
async function events(
  cookie: string,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<{ soFar(): Told[]; next(): Promise<Told[]>; end(): Promise<void> }> {
  const response = await fetch(`${server.url}/demo/log${query}`, { headers: { ...headers, cookie } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = '';
  const soFar = (): Told[] =>
    [...received.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data));
  return {
    soFar,
    async next() {
      while (soFar().length < 2) {
        const { value = '', done } = (await reader?.read()) ?? { done: true };
        if (done) throw new Error(`The log ended: ${response.status}`);
        received += value;
      }
      return soFar();
    },
    end: async () => reader?.cancel(),
  };
}
