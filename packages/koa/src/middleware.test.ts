import { createE2eeServer, E2eeError } from '@e2ee/core';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import Koa2 from 'koa2';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  bank,
  CANARY,
  keyRing,
  MASK,
  opened,
  partner,
  profile,
  SESSION,
  SESSIONS,
  sealed,
} from '../test/bank.js';
import { versions } from '../test/versions.js';
import { call, listen } from '../test/wire.js';
import { type E2eeKoaOptions, e2ee } from './index.js';

const echo: Middleware = (ctx) => {
  ctx.body = Reflect.get(ctx.request, 'body');
};

describe.each(versions)('e2ee on $name', (version) => {
  it('gives handlers what the client encrypted, and leaves the rest as it came', async () => {
    const seen: unknown[] = [];
    const { app, events } = bank(version, {
      inside: [(ctx) => void seen.push(Reflect.get(ctx.request, 'body'))],
    });
    const port = await listen(app);
    for (const value of [{ name: CANARY, deep: [{ n: 0 }] }, [], 0, false, '', '007', null, 'ünï\u{1f511}'])
      await call(port, { path: SESSIONS, body: { id: 7, encrypted_payee: await sealed(value) } });
    expect(seen.slice(0, 2)).toEqual([
      { id: 7, payee: { name: CANARY, deep: [{ n: 0 }] } },
      { id: 7, payee: [] },
    ]);
    expect(seen.slice(2).map((body) => Object(body).payee)).toEqual([
      0,
      false,
      '',
      '007',
      null,
      'ünï\u{1f511}',
    ]);
    expect(events.filter(({ type }) => type === 'request_refused')).toEqual([]);
  });

  it('answers a refusal at once, in the form of the profile', async () => {
    const { app, events } = bank(version, { inside: [() => expect.unreachable()] });
    const answer = await call(await listen(app), { path: SESSIONS, body: { payee: 'plain' } });
    expect(answer).toMatchObject({
      status: 400,
      json: { errors: [{ code: 'plaintext_refused', source: 'payee' }] },
    });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(events).toMatchObject([{ type: 'request_refused' }]);
  });

  it('publishes the keys', async () => {
    const { app } = bank(version);
    const port = await listen(app);
    const path = '/.well-known/jwks.json';
    const { status, headers, json } = await call(port, { path });
    expect([status, json]).toMatchObject([200, { keys: [{ kid: keyRing.jwks().keys[0]?.kid, use: 'enc' }] }]);
    expect(headers['content-type']).toBe('application/json');
    const head = await call(port, { path, method: 'HEAD' });
    expect([head.text, head.headers['content-length']]).toEqual(['', headers['content-length']]);
    const again = await call(port, { path, headers: { 'if-none-match': String(headers.etag) } });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', headers.etag]);
    const other = await call(port, { path, method: 'POST' });
    expect([other.status, other.text, other.headers.allow, other.headers['content-length']]).toEqual([
      405,
      '',
      'GET, HEAD',
      '0',
    ]);
  });

  it('lets every origin read the keys, unless the application has said which', async () => {
    const allowedBy = async (...outside: Middleware[]): Promise<unknown> => {
      const port = await listen(bank(version, { outside }).app);
      return (await call(port, { path: '/.well-known/jwks.json' })).headers['access-control-allow-origin'];
    };
    expect(await allowedBy()).toBe('*');
    const cors: Middleware = (ctx, next) => {
      ctx.set('Access-Control-Allow-Origin', 'https://shop.example');
      return next();
    };
    expect(await allowedBy(cors)).toBe('https://shop.example');
  });

  it.each(['before', 'after'])(
    "shows the recipient lookup Koa's context, with authentication %s it",
    async (when) => {
      const seen: unknown[] = [];
      const authenticate: Middleware = (ctx, next) => {
        ctx.state.clientId = ctx.get('x-client');
        return next();
      };
      const { app } = bank(version, {
        [when === 'before' ? 'outside' : 'inside']: [authenticate],
        recipient: async (ctx) => {
          seen.push(ctx.state.clientId, ctx.host, ctx.status);
          return partner('encrypt');
        },
      });
      app.use(echo);
      const port = await listen(app);
      const { json } = await call(port, {
        path: SESSIONS,
        headers: { 'x-client': 'acme' },
        body: { encrypted_payee: await sealed('x') },
      });
      expect(await opened(Object(json).encrypted_payee)).toBe('x');
      expect(seen).toEqual(['acme', `127.0.0.1:${port}`, 200]);
    },
  );

  it('uses a server end made beforehand as it is, its recipient included', async () => {
    const paths: string[] = [];
    const server = createE2eeServer({
      profile,
      keyRing,
      recipient: ({ path, body }) => {
        paths.push(path, JSON.stringify(body));
        return partner('encrypt');
      },
    });
    const app = new version.Koa().use(e2ee(server)).use((ctx) => {
      ctx.body = { payee: CANARY };
    });
    const { json } = await call(await listen(app), { path: SESSION });
    expect(await opened(Object(json).encrypted_payee)).toBe(CANARY);
    expect(paths).toEqual([SESSION, undefined]);
  });

  it('refuses bad options when it is made, naming them', () => {
    const made = (options: object) => () => e2ee({ profile, keyRing, ...options });
    expect(made({ keyRing: {} })).toThrow(/`keyRing`/);
    expect(made({ profile: {} })).toThrow(/`profile/);
    expect(made({ policy: { 'POST x': {} } })).toThrow(E2eeError);
    expect(made({ recipient: 'acme' })).toThrow(/`recipient`/);
  });

  it('passes what is not its to answer on to the application: a key store that fails', async () => {
    const failing = new Proxy(keyRing, {
      get: (ring, name) => {
        if (name === 'find')
          return () => {
            throw new Error('the store is down');
          };
        const value: unknown = Reflect.get(ring, name);
        return typeof value === 'function' ? value.bind(ring) : value; // its private members need the ring itself
      },
    });
    const errors: unknown[] = [];
    const { app } = bank(version, { keyRing: failing, inside: [() => expect.unreachable()] });
    app.on('error', (error) => errors.push(error));
    const body = { encrypted_payee: await sealed(1) };
    const answer = await call(await listen(app), { path: SESSIONS, body });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.text).not.toContain('store');
  });

  describe('outside the policy', () => {
    it('leaves the stream of the request and the methods of the response as they are', async () => {
      const methods = ['write', 'end', 'writeHead', 'flushHeaders'] as const;
      const bare = new Map<string, unknown>();
      const app = new version.Koa()
        .use((ctx, next) => {
          for (const method of methods) bare.set(method, ctx.res[method]);
          return next();
        })
        .use(e2ee({ profile, keyRing, recipient: () => partner('message') }))
        .use(async (ctx) => {
          for (const method of methods) expect(ctx.res[method]).toBe(bare.get(method));
          let length = 0;
          for await (const chunk of ctx.req) length += chunk.length;
          ctx.body = `${length}`;
        });
      const answer = await call(await listen(app), {
        path: '/upload',
        headers: { 'content-type': 'application/jose' },
        body: 'x'.repeat(300_000),
      });
      expect(answer).toMatchObject({ status: 200, text: '300000' });
    });

    it('leaves Koa its own answers', async () => {
      const { app } = bank(version);
      expect(await call(await listen(app), { path: '/elsewhere' })).toMatchObject({
        status: 404,
        text: 'Not Found',
      });
    });

    it('refuses where the policy must cover everything', async () => {
      const { app } = bank(version, { unmatched: 'refuse', inside: [() => expect.unreachable()] });
      expect(await call(await listen(app), { path: '/elsewhere' })).toMatchObject({ status: 403 });
    });

    it('looks for no recipient', async () => {
      const { app } = bank(version, { recipient: () => expect.unreachable() });
      const port = await listen(app);
      expect(await call(port, { path: '/elsewhere', body: {} })).toMatchObject({ status: 404 });
      expect(await call(port, { path: SESSIONS, body: { payee: 1 } })).toMatchObject({ status: 400 });
    });
  });

  it('covers an operation without response rows as far as requests go', async () => {
    const { app } = bank(version, {
      inside: [
        (ctx) => {
          ctx.body = `got ${Object(Reflect.get(ctx.request, 'body')).note}`;
        },
      ],
    });
    const body = { encrypted_note: await sealed('x') };
    expect(await call(await listen(app), { path: '/v2/notes', body })).toMatchObject({
      status: 200,
      text: 'got x',
    });
  });

  it('redacts, and says so, where there is no recipient', async () => {
    const { app, events } = bank(version, {
      inside: [
        (ctx) => {
          ctx.body = { payee: { name: CANARY } };
        },
      ],
    });
    expect((await call(await listen(app), { path: SESSION })).json).toEqual({ payee: { name: MASK } });
    expect(events).toEqual([{ type: 'redacted_without_key', operation: 'GET /v2/payment_sessions/:id' }]);
  });
});

it("types the recipient lookup with Koa's context, and fits both versions' applications and routers", () => {
  expectTypeOf<Parameters<NonNullable<E2eeKoaOptions['recipient']>>[0]>().toEqualTypeOf<Context>();
  const middleware = e2ee({ profile, keyRing });
  new Koa().use(middleware);
  new Koa2().use(middleware);
  new Router().use(middleware);
  new Router().post(SESSIONS, middleware, echo);
});
