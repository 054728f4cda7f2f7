import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { e2ee as axiosEnd } from '@e2ee/axios-interceptor';
import {
  createE2eeServer,
  createKeyRing,
  type E2eeServer,
  type KeyRing,
  type Profile,
  perMessageKey,
  remoteJwks,
  strict,
} from '@e2ee/core';
import { e2ee as expressEnd } from '@e2ee/express';
import { e2ee as fetchEnd } from '@e2ee/fetch';
import { e2ee as koaEnd } from '@e2ee/koa';
import { E2eeModule } from '@e2ee/nest';
import { bodyParser } from '@koa/bodyparser';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import axios from 'axios';
import express from 'express';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';

/* Every adapter of a server with every one of a client, where all keys of a call come from one secret in a header. */

const CARD = { number: '4111 1111', cvc: '007' };
const ORDER = { amount: 7, card: CARD, items: ['a', 0, false] };
const FIELDS = {
  card: { request: 'encrypt', response: 'encrypt' },
  'items.#': { request: 'encrypt', response: 'encrypt' },
} as const;
const profile: Profile = {
  ...strict,
  policy: { 'POST /orders': FIELDS, 'GET /orders': FIELDS },
  perMessageKey: perMessageKey(),
};

/** Who may have what he asks for encrypted, without keys of his own. */
const recipient = () => ({ id: 'shop', response: 'encrypt' }) as const;

type Start = (server: E2eeServer) => Promise<{ port: number; close: () => unknown }>;

async function listen(server: Server): Promise<{ port: number; close: () => unknown }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close }; // it listens on a port, not on a pipe
}

async function nest(server: E2eeServer, adapter?: FastifyAdapter): ReturnType<Start> {
  @Controller('orders')
  class Orders {
    @Post()
    create(@Body() order: object): object {
      return order;
    }
    @Get()
    find(): object {
      return ORDER;
    }
  }
  @Module({ imports: [E2eeModule.forRoot(server)], controllers: [Orders] })
  class Application {}
  const app = adapter
    ? await NestFactory.create(Application, adapter, { logger: false })
    : await NestFactory.create(Application, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo; // likewise
  return { port, close: () => app.close() };
}

const SERVERS: Readonly<Record<string, Start>> = {
  Express: async (server) => {
    const app = express().use(express.json(), expressEnd(server));
    app.post('/orders', (req, res) => void res.status(201).json(req.body));
    app.get('/orders', (_, res) => void res.json(ORDER));
    return listen(createServer(app));
  },
  Koa: async (server) => {
    const app = new Koa().use(bodyParser()).use(koaEnd(server));
    app.use((ctx) => {
      ctx.body = ctx.method === 'POST' ? ctx.request.body : ORDER;
    });
    return listen(createServer(app.callback()));
  },
  'Nest on Express': (server) => nest(server),
  'Nest on Fastify': (server) => nest(server, new FastifyAdapter()),
};

type Call = (method: 'GET' | 'POST', body?: unknown) => Promise<unknown>;

const CLIENTS: Readonly<Record<string, (url: string) => Call>> = {
  Axios: (url) => {
    const api = axios.create({ baseURL: url, proxy: false });
    axiosEnd(api, { profile, encryptionKeys: remoteJwks(url + profile.publication.path, { cooldown: 0 }) });
    return async (method, data) => (await api.request({ method, url: '/orders', data })).data;
  },
  fetch: (url) => {
    const send = fetchEnd({
      profile,
      encryptionKeys: remoteJwks(url + profile.publication.path, { cooldown: 0 }),
    });
    return async (method, body) => {
      const headers = { 'content-type': 'application/json' };
      const response = await send(`${url}/orders`, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return response.json();
    };
  },
};

let running: { close: () => unknown } | undefined;
let keyRing: KeyRing | undefined;
afterEach(async () => {
  keyRing?.close();
  await running?.close();
});

describe.each(Object.entries(SERVERS))('%s', (_, start) => {
  it.each(Object.entries(CLIENTS))(
    'and %s carry a call out with one private-key operation',
    async (__, connect) => {
      keyRing = await createKeyRing({ profile });
      let operations = 0;
      const counted = createE2eeServer({ profile, keyRing, recipient, onEvent: () => {} });
      const wire: unknown[] = [];
      const server: E2eeServer = {
        message: counted.message,
        covers: (request) => counted.covers(request),
        publishedKeys: (request) => counted.publishedKeys(request),
        errorResponse: (error) => counted.errorResponse(error),
        bind: (...args) => counted.bind(...args),
        decryptRequest: (request) => {
          operations += request.headers['e2ee-key'] ? 1 : 0;
          return counted.decryptRequest(request);
        },
        protectResponse: async (...args) => {
          const answer = await counted.protectResponse(...args);
          wire.push(answer.body);
          return answer;
        },
      };
      const started = await start(server);
      running = started;
      const call = connect(`http://127.0.0.1:${started.port}`);
      expect(await call('POST', ORDER)).toEqual(ORDER);
      expect(await call('GET')).toEqual(ORDER);
      const [published] = keyRing.jwks().keys;
      await keyRing.rotate();
      await keyRing.revoke(String(published?.kid));
      expect(await call('GET')).toEqual(ORDER);
      expect(await call('POST', ORDER)).toEqual(ORDER);
      expect(operations).toBe(5); // one was rejected, and made anew
      expect(JSON.stringify(wire)).not.toContain('4111');
      expect(JSON.stringify(wire)).toContain('eyJhbGciOiJkaXIi');
    },
  );
});

describe('Axios', () => {
  it('makes another secret for a call that the application sends again', async () => {
    keyRing = await createKeyRing({ profile });
    const sent: string[] = [];
    const app = express();
    app.use((req, _, next) => {
      const secret = req.headers['e2ee-key'];
      if (secret !== undefined) sent.push(String(secret));
      next();
    });
    app.use(express.json(), expressEnd({ profile, keyRing, recipient, onEvent: () => {} }));
    app.all('/orders', (_, res) => void (sent.length % 2 ? res.status(503).json({}) : res.json(ORDER)));
    const started = await listen(createServer(app));
    running = started;
    const url = `http://127.0.0.1:${started.port}`;
    const api = axios.create({ baseURL: url, proxy: false });
    axiosEnd(api, { profile, encryptionKeys: remoteJwks(url + profile.publication.path) });
    for (const config of [{ method: 'GET' }, { method: 'POST', data: ORDER }]) {
      const error = await api.request({ ...config, url: '/orders' }).catch((failed) => failed);
      expect(error.response.status).toBe(503);
      expect((await api.request(error.config)).data).toEqual(ORDER);
    }
    expect(new Set(sent).size).toBe(4);
  });
});

describe('an operation of which only the answer is protected', () => {
  const asked: Profile = {
    ...profile,
    policy: { 'POST /files': { card: { response: 'encrypt' } } },
  };
  const bytes = Buffer.from([0, 1, 2, 255]);

  it.each<[what: string, body: unknown, type: string, arrives: string]>([
    ['JSON', '{"card":"4", "n": 1}', 'application/json', '{"card":"4", "n": 1}'],
    ['bytes', bytes, 'application/octet-stream', bytes.toString('latin1')],
    ['a form', 'a=1', 'application/x-www-form-urlencoded', 'a=1'],
    ['a text', 'plain', 'text/plain', 'plain'],
  ])('gets %s as it was sent, by Axios and by fetch', async (_, body, type, arrives) => {
    keyRing = await createKeyRing({ profile: asked });
    const seen: unknown[] = [];
    const app = express();
    app.use(expressEnd({ profile: asked, keyRing, recipient, onEvent: () => {} }));
    app.post('/files', async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk);
      seen.push([Buffer.concat(chunks).toString('latin1'), req.body]);
      res.json({ card: 'x' });
    });
    const started = await listen(createServer(app));
    running = started;
    const url = `http://127.0.0.1:${started.port}`;
    const options = { profile: asked, encryptionKeys: remoteJwks(url + asked.publication.path) };
    const api = axios.create({ baseURL: url, proxy: false, transformRequest: (data) => data });
    axiosEnd(api, options);
    const headers = { 'content-type': type };
    expect((await api.post('/files', body, { headers })).data).toEqual({ card: 'x' });
    const send = fetchEnd(options);
    const response = await send(`${url}/files`, { method: 'POST', body: body as string, headers });
    expect(await response.json()).toEqual({ card: 'x' });
    expect(seen).toEqual([
      [arrives, undefined],
      [arrives, undefined],
    ]);
  });
});
