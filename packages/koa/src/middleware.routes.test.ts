import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import mount from 'koa-mount';
import { describe, expect, it } from 'vitest';
import { CANARY, keyRing, MASK, profile, SESSIONS, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { call, listen } from '../test/wire.js';
import { e2ee } from './index.js';

const handler: Middleware = (ctx) => {
  ctx.body = { saw: Reflect.get(ctx.request, 'body'), payee: CANARY };
};

function application({ Koa: Application }: Version, ...middleware: Middleware[]): Koa {
  const app = new Application();
  app.silent = true;
  for (const one of middleware) app.use(one);
  return app;
}

function adapter(policy = profile.policy): Middleware {
  return e2ee({ profile, policy, keyRing, onEvent: () => {} });
}

/** Whether the rules of `POST /v2/payment_sessions` hold for `path`. */
async function expectCovered(port: number, path: string): Promise<void> {
  expect(await call(port, { path, body: { payee: CANARY } })).toMatchObject({ status: 400 });
  const { status, json } = await call(port, { path, body: { encrypted_payee: await sealed(1) } });
  expect([path, status, json]).toEqual([path, 200, { saw: { payee: 1 }, payee: MASK }]);
}

function rewrite(from: string, to: string): Middleware {
  return (ctx, next) => {
    if (ctx.path === from) ctx.path = to;
    return next();
  };
}

describe.each(versions)('the policy on $name', (version) => {
  it('holds for what a router with a prefix routes', async () => {
    const routes = new Router({ prefix: '/v2' });
    routes.post('/payment_sessions', bodyParser(), adapter(), handler);
    const app = application(version);
    app.use(routes.routes());
    const port = await listen(app);
    await expectCovered(port, SESSIONS);
    await expectCovered(port, '/V2/Payment_Sessions/?x=1');
  });

  it('holds for what a nested router routes', async () => {
    const inner = new Router().post('/payment_sessions', handler);
    const outer = new Router().use(bodyParser(), adapter()).use('/v2', inner.routes());
    const app = application(version);
    app.use(outer.routes());
    const port = await listen(app);
    await expectCovered(port, SESSIONS);
  });

  describe('behind koa-mount', () => {
    it.each([
      ['as clients see it', '/v2', '/payment_sessions'],
      ['relative to the mount point', '/bank', SESSIONS],
    ])('applies when it is written %s', async (_, prefix, path) => {
      const inner = application(version, bodyParser(), adapter(), handler);
      const port = await listen(application(version, mount(prefix, inner)));
      await expectCovered(port, prefix + path);
      await expectCovered(port, `${prefix + path}?x=/elsewhere`);
    });

    it('applies below two of them, written in full or from there', async () => {
      for (const [outer, inner, path] of [
        ['/deep', '/er', SESSIONS],
        ['/v2', '/payment_sessions', ''],
      ] as const) {
        const app = application(version, bodyParser(), adapter(), handler);
        const port = await listen(
          application(version, mount(outer, application(version, mount(inner, app)))),
        );
        await expectCovered(port, outer + inner + path);
      }
    });

    it('applies where middleware has rewritten the path before, written in full or from there', async () => {
      for (const [prefix, path] of [
        ['/v2', '/payment_sessions'],
        ['/bank', SESSIONS],
      ] as const) {
        const inner = application(version, bodyParser(), adapter(), handler);
        const port = await listen(application(version, rewrite('/pay', prefix + path), mount(prefix, inner)));
        await expectCovered(port, '/pay');
      }
    });

    it('is not mistaken for that of a path that only begins alike', async () => {
      const policy = {
        'POST /payments': { payee: { request: 'encrypt' } },
        'POST /payments/:id': { other: { request: 'encrypt' } },
      } as const;
      // The request leaves this mount again: what it has noted must not count.
      const left = mount(
        '/payments',
        application(version, (_, next) => next()),
      );
      const flat = await listen(application(version, left, bodyParser(), adapter(policy), handler));
      for (const [path, body, status] of [
        ['/payments', { payee: 1 }, 400],
        ['/payments', { other: 1 }, 200],
        ['/payments/payments', { payee: 1 }, 200],
        ['/payments/payments', { other: 1 }, 400],
      ] as const)
        expect([path, (await call(flat, { path, body })).status]).toEqual([path, status]);
      const inner = application(version, bodyParser(), adapter(policy), handler);
      const mounted = await listen(application(version, mount('/payments', inner)));
      expect((await call(mounted, { path: '/payments/payments', body: { other: 1 } })).status).toBe(400);
      const ambiguous = await call(mounted, { path: '/payments/payments', body: { payee: 1 } });
      expect([ambiguous.status, ambiguous.text]).toEqual([400, expect.stringContaining('operation_refused')]);
    });
  });

  describe('behind middleware that rewrites the path', () => {
    async function rewriting(from: string, to: string): Promise<number> {
      return listen(application(version, rewrite(from, to), bodyParser(), adapter(), handler));
    }

    it('is the one of the operation that is routed', async () => {
      await expectCovered(await rewriting('/pay', SESSIONS), '/pay');
    });

    it('is that one also when the client asked for another operation', async () => {
      const port = await rewriting('/v2/notes', SESSIONS);
      await expectCovered(port, '/v2/notes');
      expect(await call(port, { path: '/v2/notes', body: { note: 1 } })).toMatchObject({ status: 200 });
    });

    it('is that one also when the path sent ends like it', async () => {
      const policy = { ...profile.policy, 'POST /public/:version/payment_sessions': {} };
      const app = application(
        version,
        rewrite(`/public${SESSIONS}`, SESSIONS),
        bodyParser(),
        adapter(policy),
        handler,
      );
      await expectCovered(await listen(app), `/public${SESSIONS}`);
    });

    it('is the one that the client asked for where the policy does not know the other path', async () => {
      await expectCovered(await rewriting(SESSIONS, '/internal'), SESSIONS);
    });
  });

  it('follows a method that was overridden before', async () => {
    const override: Middleware = (ctx, next) => {
      ctx.method = ctx.get('x-http-method-override') || ctx.method;
      return next();
    };
    const port = await listen(application(version, override, bodyParser(), adapter(), handler));
    const answer = await call(port, {
      method: 'PUT',
      path: SESSIONS,
      headers: { 'x-http-method-override': 'POST' },
      body: { payee: CANARY },
    });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ code: 'plaintext_refused' }] } });
  });

  it('does not depend on what a proxy says', async () => {
    const app = application(version, bodyParser(), adapter(), handler);
    app.proxy = true;
    const headers = {
      'x-forwarded-host': 'other/elsewhere?',
      'x-forwarded-proto': 'https',
      'x-original-url': '/x',
    };
    const answer = await call(await listen(app), { path: SESSIONS, headers, body: { payee: CANARY } });
    expect(answer).toMatchObject({ status: 400 });
  });
});
