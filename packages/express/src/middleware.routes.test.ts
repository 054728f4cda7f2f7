import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { bank, bankOptions, CANARY, MASK, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { call, exchange, listen } from '../test/wire.js';

const SESSIONS = '/v2/payment_sessions';
const PLAIN = `{"payee":"${CANARY}"}`;

/** Request targets that some server reads as the operations of the policy. */
const SPELLINGS = [
  SESSIONS,
  '/V2/Payment_Sessions',
  `${SESSIONS}/`,
  `${SESSIONS}//`,
  '//v2/payment_sessions',
  '/v2//payment_sessions',
  '///v2///payment_sessions///',
  '/v2/./payment_sessions',
  '/v2/x/../payment_sessions',
  '/./v2/payment_sessions',
  '/v2/%2e/payment_sessions',
  '/v2/x/%2e%2E/payment_sessions',
  '/v2/%70ayment_sessions',
  '/v2/%50ayment_session%73',
  '/%76%32/payment%5Fsessions',
  '/v2%2Fpayment_sessions',
  '/v2/payment_sessions%2F',
  `${SESSIONS}?x=1`,
  `${SESSIONS}?`,
  `${SESSIONS}/?x=/v2/notes`,
  `${SESSIONS}#x`,
  `${SESSIONS}?x#y`,
  `${SESSIONS};a=b`,
  '/v2;a=b/payment_sessions',
  'http://bank.example/v2/payment_sessions',
  'HTTP://user@bank.example:80/V2/payment_sessions/?x',
  '/v2\\payment_sessions',
  '/v2\\payment_sessions#',
  '\\v2\\payment_sessions',
  `${SESSIONS}\xa0`,
  `${SESSIONS}%20`,
  `${SESSIONS}%00`,
  `${SESSIONS}%`,
  `${SESSIONS}%zz`,
];

/** The raw request, because clients tidy such paths up. */
function post(target: string, body: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

interface Router {
  readonly port: number;
  /** The bodies that reached the route of the operation. */
  readonly routed: unknown[];
}

async function router(version: Version, settings: readonly string[] = []): Promise<Router> {
  const { app } = bank(version);
  for (const setting of settings) app.enable(setting);
  const routed: unknown[] = [];
  app.post(SESSIONS, (req, res) => {
    routed.push(req.body);
    res.json({ payee: CANARY });
  });
  return { port: await listen(app), routed };
}

describe.each(versions)('the policy on $name', (version) => {
  describe.each([
    ['as it is set up by default', []],
    ['with case-sensitive and strict routing', ['case sensitive routing', 'strict routing']],
  ])('%s', (_, settings) => {
    it.each(SPELLINGS)('holds for POST %s wherever that reaches the handler', async (target) => {
      const { port, routed } = await router(version, settings);
      const plain = await exchange(port, post(target, PLAIN));
      expect(plain).toMatch(/^HTTP\/1.1 4\d\d /);
      expect(plain).not.toContain(CANARY);
      expect(routed).toEqual([]);
      const encrypted = await exchange(port, post(target, `{"encrypted_payee":"${await sealed({ a: 1 })}"}`));
      expect(encrypted).not.toContain(CANARY);
      const reached = encrypted.startsWith('HTTP/1.1 200 ');
      expect(routed).toEqual(reached ? [{ payee: { a: 1 } }] : []);
    });
  });

  it('is put to the test by spellings that do reach the handler', async () => {
    const { port, routed } = await router(version);
    const body = `{"encrypted_payee":"${await sealed(1)}"}`;
    const reached = [];
    for (const target of SPELLINGS)
      if ((await exchange(port, post(target, body))).startsWith('HTTP/1.1 200 ')) reached.push(target);
    expect(reached).toEqual(
      expect.arrayContaining([
        '/V2/Payment_Sessions',
        `${SESSIONS}/`,
        `${SESSIONS}?x=1`,
        'http://bank.example/v2/payment_sessions',
      ]),
    );
    expect(routed).toHaveLength(reached.length);
  });

  it.each(['GET', 'HEAD'])('holds for %s of an operation that GET covers', async (method) => {
    const { app, events } = bank(version);
    app.get(`${SESSIONS}/:id`, (_, res) => res.json({ payee: CANARY }));
    const answer = await call(await listen(app), { method, path: '/V2/payment_sessions/%41b/?x' });
    const masked = JSON.stringify({ payee: MASK });
    expect(answer.headers['content-length']).toBe(String(masked.length));
    expect(answer.text).toBe(method === 'GET' ? masked : '');
    expect(events).toMatchObject([{ type: 'redacted_without_key' }]);
  });

  it('refuses a path that can be read as two operations', async () => {
    const policy = {
      'GET /a/:id': { x: { response: 'redact' } },
      'GET /a/b/c': { y: { response: 'redact' } },
    } as const;
    const { express, e2ee } = version;
    const app = express();
    app.use(e2ee(bankOptions({ policy })));
    app.use((_, res) => res.json({ x: CANARY, y: CANARY }));
    const answer = await call(await listen(app), { path: '/a/b%2Fc' });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(CANARY);
  });

  describe('below a prefix', () => {
    it.each([
      ['as clients see it', '/v2'],
      ['relative to the mount point', '/bank/v2'],
      ['below two routers', '/deep/er/v2'],
    ])('applies when it is written %s', async (_, prefix) => {
      const { express, e2ee } = version;
      const [mount, inner] = prefix === '/v2' ? ['/v2', ''] : [prefix.slice(0, -3), '/v2'];
      const nested = express.Router();
      nested.use(express.json(), e2ee(bankOptions()));
      nested.post(`${inner}/payment_sessions`, (req, res) => res.json({ saw: req.body, payee: CANARY }));
      const app = express();
      if (prefix.startsWith('/deep')) app.use('/deep', express.Router().use('/er', nested));
      else app.use(mount, nested);
      const port = await listen(app);
      for (const path of [`${prefix}/payment_sessions`, `${prefix.toUpperCase()}/Payment_Sessions/?x`]) {
        expect(await call(port, { path, body: { payee: CANARY } })).toMatchObject({ status: 400 });
        const { status, json } = await call(port, { path, body: { encrypted_payee: await sealed(1) } });
        expect([status, json]).toEqual([200, { saw: { payee: 1 }, payee: MASK }]);
      }
    });

    it('applies to an application mounted in another one', async () => {
      const { express } = version;
      const { app } = bank(version);
      app.get(`${SESSIONS}/:id`, (_, res) => res.json({ payee: CANARY }));
      const outer = express().use('/bank', app);
      const answer = await call(await listen(outer), { path: `/bank${SESSIONS}/1` });
      expect(answer).toMatchObject({ status: 200, json: { payee: MASK } });
    });

    it('applies in front of a single route', async () => {
      const { express, e2ee } = version;
      const app = express();
      const protect = e2ee(bankOptions());
      app.post(SESSIONS, express.json(), protect, (req, res) => res.json({ saw: req.body, payee: CANARY }));
      const port = await listen(app);
      const { json } = await call(port, { path: SESSIONS, body: { encrypted_payee: await sealed(1) } });
      expect(json).toEqual({ saw: { payee: 1 }, payee: MASK });
      expect(await call(port, { path: SESSIONS, body: { payee: 1 } })).toMatchObject({ status: 400 });
    });
  });

  describe('behind middleware that rewrites the URL', () => {
    async function rewriting(from: string, to: string): Promise<{ port: number; routed: unknown[] }> {
      const { express, e2ee } = version;
      const routed: unknown[] = [];
      const app = express();
      app.use((req: Request, _, next) => {
        if (req.url === from) req.url = to;
        next();
      });
      app.use(express.json(), e2ee(bankOptions()));
      const answer = { payee: CANARY, account_number: CANARY };
      for (const path of [SESSIONS, '/v2/bank_accounts', '/internal'])
        app.post(path, (req, res) => {
          routed.push(req.body);
          res.json(answer);
        });
      return { port: await listen(app), routed };
    }

    it('is the one of the operation that is routed', async () => {
      const { port, routed } = await rewriting('/pay', SESSIONS);
      expect(await call(port, { path: '/pay', body: { payee: 1 } })).toMatchObject({ status: 400 });
      const { json } = await call(port, { path: '/pay', body: { encrypted_payee: await sealed(1) } });
      expect(json).toMatchObject({ payee: MASK });
      expect(routed).toEqual([{ payee: 1 }]);
    });

    it('is the one of the operation that is routed, also when the client asked for another one', async () => {
      const { port, routed } = await rewriting(SESSIONS, '/v2/bank_accounts');
      const body = { payee: 1, encrypted_account_number: await sealed('12', 'text') };
      const { status, json } = await call(port, { path: SESSIONS, body });
      expect([status, json]).toEqual([200, { payee: CANARY, account_number: MASK }]);
      expect(await call(port, { path: SESSIONS, body: { account_number: '12' } })).toMatchObject({
        status: 400,
      });
      expect(routed).toEqual([{ payee: 1, account_number: '12' }]);
    });

    it('is the one that the client asked for where the policy does not know the other path', async () => {
      const { port, routed } = await rewriting(SESSIONS, '/internal');
      expect(await call(port, { path: SESSIONS, body: { payee: 1 } })).toMatchObject({ status: 400 });
      const { json } = await call(port, { path: SESSIONS, body: { encrypted_payee: await sealed(1) } });
      expect(json).toMatchObject({ payee: MASK });
      expect(routed).toEqual([{ payee: 1 }]);
    });
  });

  it('follows a method that was overridden before', async () => {
    const { express, e2ee } = version;
    const app = express();
    app.use((req, _, next) => {
      req.method = req.get('x-http-method-override') ?? req.method;
      next();
    });
    app.use(express.json(), e2ee(bankOptions()));
    app.post(SESSIONS, () => expect.unreachable());
    const answer = await call(await listen(app), {
      method: 'PUT',
      path: SESSIONS,
      headers: { 'x-http-method-override': 'POST' },
      body: { payee: CANARY },
    });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ code: 'plaintext_refused' }] } });
  });
});
