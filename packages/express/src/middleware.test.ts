import { AsyncLocalStorage } from 'node:async_hooks';
import { createE2eeServer, E2eeError } from '@e2ee/core';
import type { Request } from 'express';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { bank, CANARY, keyRing, MASK, opened, partner, profile, sealed } from '../test/bank.js';
import { versions } from '../test/versions.js';
import { call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

const SESSIONS = '/v2/payment_sessions';
const VALUES = [
  { name: CANARY, deep: [{ n: 0 }] },
  [],
  {},
  0,
  -0.5,
  false,
  '',
  '007',
  '1234567890123456789',
  null,
  'ünï\u{1f511}',
];

describe.each(versions)('e2ee on $name', (version) => {
  it('gives handlers the values that the client encrypted, and leaves the others as they came', async () => {
    const { app, events } = bank(version);
    app.post(SESSIONS, (req, res) => res.json({ got: req.body }));
    const port = await listen(app);
    for (const value of VALUES) {
      const body = {
        id: 7,
        encrypted_payee: await sealed(value),
        encrypted_mandate_id: await sealed('m-1', 'text'),
      };
      const { status, json } = await call(port, { path: SESSIONS, body });
      expect([status, json]).toEqual([200, { got: { id: 7, payee: value, mandate_id: 'm-1' } }]);
    }
    expect(events.filter(({ type }) => type !== 'redacted_without_key')).toEqual([]);
  });

  it('redacts the answer for nobody in particular and says so', async () => {
    const { app, events } = bank(version);
    app.get(`${SESSIONS}/:id`, (req, res) => res.json({ id: req.params.id, payee: { name: CANARY } }));
    const answer = await call(await listen(app), { path: `${SESSIONS}/1` });
    expect(answer).toMatchObject({ status: 200, json: { id: '1', payee: { name: MASK } } });
    expect(events).toEqual([{ type: 'redacted_without_key', operation: 'GET /v2/payment_sessions/:id' }]);
  });

  it('encrypts the answer for a recipient who wants that', async () => {
    const { app } = bank(version, { recipient: () => partner('encrypt') });
    app.post(SESSIONS, (req, res) => res.status(201).json(req.body));
    const body = { id: 7, encrypted_payee: await sealed({ name: CANARY }) };
    const { status, json, text } = await call(await listen(app), { path: SESSIONS, body });
    expect(status).toBe(201);
    expect(Object.keys(json as object)).toEqual(['id', 'encrypted_payee']);
    expect(await opened((json as Record<string, unknown>).encrypted_payee)).toEqual({ name: CANARY });
    expect(text).not.toContain(CANARY);
  });

  it.each(['before', 'after'])('shows the recipient lookup what authentication %s it found', async (when) => {
    const { express, e2ee } = version;
    const seen: unknown[] = [];
    const authenticate = (req: Request, _: unknown, next: () => void): void => {
      Object.assign(req, { auth: { clientId: req.get('x-client') } });
      next();
    };
    const middleware = e2ee({
      profile,
      keyRing,
      recipient: async (req) => {
        const { auth } = req as Request & { auth: { clientId: string } }; // by authenticate
        seen.push(auth.clientId, req.get('host'), req.body);
        return partner('encrypt');
      },
    });
    const app = express();
    app.use(express.json(), ...(when === 'before' ? [authenticate, middleware] : [middleware, authenticate]));
    app.post(SESSIONS, (req, res) => res.json(req.body));
    const port = await listen(app);
    const { json } = await call(port, {
      path: SESSIONS,
      headers: { 'x-client': 'acme' },
      body: { encrypted_payee: await sealed('x') },
    });
    expect(await opened((json as Record<string, unknown>).encrypted_payee)).toBe('x');
    expect(seen).toEqual(['acme', `127.0.0.1:${port}`, { payee: 'x' }]);
  });

  it('looks for no recipient where the request is refused or outside the policy', async () => {
    let lookups = 0;
    const { app } = bank(version, {
      recipient: () => {
        lookups += 1;
        return undefined;
      },
    });
    app.post('/elsewhere', (_, res) => res.json({}));
    const port = await listen(app);
    await call(port, { path: SESSIONS, body: { payee: 'plain' } });
    await call(port, { path: '/elsewhere', body: {} });
    expect(lookups).toBe(0);
  });

  describe('with a server end made beforehand', () => {
    it('uses it as it is, its recipient included', async () => {
      const { express, e2ee } = version;
      const paths: string[] = [];
      const server = createE2eeServer({
        profile,
        keyRing,
        recipient: ({ path, headers, body }) => {
          paths.push(path, String(headers['x-client']), JSON.stringify(body));
          return partner('encrypt');
        },
      });
      const app = express();
      app.use(express.json(), e2ee(server));
      app.post(SESSIONS, (req, res) => res.json(req.body));
      const { json } = await call(await listen(app), {
        path: SESSIONS,
        headers: { 'x-client': 'acme' },
        body: { encrypted_payee: await sealed('x') },
      });
      expect(await opened((json as Record<string, unknown>).encrypted_payee)).toBe('x');
      expect(paths).toEqual([SESSIONS, 'acme', '{"payee":"x"}']);
    });

    it('redacts where that has no recipient', async () => {
      const { express, e2ee } = version;
      const app = express();
      app.use(e2ee(createE2eeServer({ profile, keyRing, onEvent: () => {} })));
      app.get(`${SESSIONS}/:id`, (_, res) => res.json({ payee: CANARY }));
      expect((await call(await listen(app), { path: `${SESSIONS}/1` })).text).toBe(`{"payee":"${MASK}"}`);
    });
  });

  it('refuses bad options when it is made, naming them', () => {
    const { e2ee } = version;
    const made = (options: object) => () => e2ee({ profile, keyRing, ...options });
    expect(made({ keyRing: {} })).toThrow(/`keyRing`/);
    expect(made({ profile: {} })).toThrow(/`profile/);
    expect(made({ policy: { 'POST x': {} } })).toThrow(E2eeError);
    expect(made({ recipient: 'acme' })).toThrow(/`recipient`/);
    expect(made({ limits: { tokens: 0 } })).toThrow(/`limits\.tokens`/);
  });

  it('is never confused by options that change afterwards', async () => {
    const options = { profile, keyRing, policy: { 'GET /a': { x: { response: 'redact' as const } } } };
    const { express, e2ee } = version;
    const app = express();
    app.use(e2ee({ ...options, onEvent: () => {} }));
    Reflect.deleteProperty(options.policy, 'GET /a');
    app.get('/a', (_, res) => res.json({ x: CANARY }));
    expect((await call(await listen(app), { path: '/a' })).text).not.toContain(CANARY);
  });

  describe('outside the policy', () => {
    it('leaves the request stream to the handler', async () => {
      const { express, e2ee } = version;
      const app = express();
      app.use(e2ee({ profile, keyRing, recipient: () => partner('message') }));
      app.post('/upload', async (req, res) => {
        expect(req.readableDidRead).toBe(false);
        let length = 0;
        for await (const chunk of req) length += chunk.length;
        res.json({ length, body: req.body ?? 'none' });
      });
      const body = Buffer.alloc(300_000, 1);
      const { json } = await call(await listen(app), {
        path: '/upload',
        headers: { 'content-type': 'application/jose' },
        body,
      });
      expect(json).toEqual({ length: 300_000, body: 'none' });
    });

    it('leaves the response, its methods included, untouched', async () => {
      const { express, e2ee } = version;
      const app = express();
      const bare = new Map<string, unknown>();
      const methods = ['send', 'json', 'write', 'end', 'writeHead', 'flushHeaders'] as const;
      app.use((_, res, next) => {
        for (const method of methods) bare.set(method, res[method]);
        next();
      });
      app.use(e2ee({ profile, keyRing, recipient: () => partner('message') }));
      app.get('/raw', (_, res) => {
        for (const method of methods) expect(res[method]).toBe(bare.get(method));
        res.writeHead(203, 'Fine', { 'x-own': 'yes' });
        res.write('one ');
        res.end('two');
      });
      const answer = await call(await listen(app), { path: '/raw' });
      expect(answer).toMatchObject({
        status: 203,
        reason: 'Fine',
        text: 'one two',
        headers: { 'x-own': 'yes' },
      });
    });

    it('goes on before anything else happens in the process, and in the same asynchronous context', async () => {
      const { express, e2ee } = version;
      const context = new AsyncLocalStorage<string>();
      const app = express();
      let later = false;
      app.use((_req, _res, next) => {
        setImmediate(() => {
          later = true;
        });
        process.nextTick(() => context.run('mine', next));
      });
      app.use(e2ee({ profile, keyRing }));
      app.get('/x', (_, res) => res.json({ later, context: context.getStore() }));
      expect((await call(await listen(app), { path: '/x' })).json).toEqual({ later: false, context: 'mine' });
    });

    it('refuses where the policy must cover everything, but for the published keys', async () => {
      const { app } = bank(version, { unmatched: 'refuse' });
      let reached = 0;
      app.use((_, res) => {
        reached += 1;
        res.json({});
      });
      const port = await listen(app);
      expect(await call(port, { path: '/v2/other' })).toMatchObject({ status: 403 });
      expect(await call(port, { path: '/v2/other', body: { a: 1 } })).toMatchObject({ status: 403 });
      expect(await call(port, { path: '/.well-known/jwks.json' })).toMatchObject({ status: 200 });
      expect(reached).toBe(0);
      expect(await call(port, { path: `${SESSIONS}/1` })).toMatchObject({ status: 200 });
    });
  });

  it('covers an operation without response rows as far as requests go', async () => {
    const { app } = bank(version);
    app.post('/v2/notes', (req, res) => res.type('text').send(`got ${req.body.note}`));
    const answer = await call(await listen(app), {
      path: '/v2/notes',
      body: { encrypted_note: await sealed('x') },
    });
    expect(answer).toMatchObject({ status: 200, text: 'got x' });
  });

  it('lets plaintext in and reports it while an API is being migrated', async () => {
    const { app, events } = bank(version, { plaintext: 'accept' });
    app.post(SESSIONS, (req, res) => res.json({ got: req.body }));
    const answer = await call(await listen(app), { path: SESSIONS, body: { payee: 'plain' } });
    expect(answer.json).toEqual({ got: { payee: 'plain' } });
    expect(events[0]).toEqual({
      type: 'plaintext_accepted',
      operation: 'POST /v2/payment_sessions',
      path: 'payee',
    });
  });
});

it("types the recipient lookup with Express' own request", () => {
  expectTypeOf<Parameters<NonNullable<E2eeExpressOptions['recipient']>>[0]>().toEqualTypeOf<Request>();
});
