import type { IncomingMessage } from 'node:http';
import { type INestApplication, VersioningType } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  CANARY,
  codeOf,
  echoes,
  keyOf,
  keyRing,
  MASK,
  SESSION,
  SESSIONS,
  sealed,
  start,
} from '../test/bank.js';
import { subjects } from '../test/subjects.js';

const JWKS = '/.well-known/jwks.json';

describe.each(subjects)('the paths, $name:', (subject) => {
  const { nest, platform } = subject;
  const { common, core } = nest;
  const { Controller, Get, Module, Post, Put } = common;

  it.each([
    '/v2/payment_sessions',
    '/V2/Payment_Sessions',
    '/v2/payment_sessions/',
    '//v2//payment_sessions',
    '/v2/p%61yment_sessions',
    '/%76%32/payment_sessions',
    '/v2/payment_sessions?a=1',
    '/v2/payment_sessions;a=1',
    '/v2/./payment_sessions',
  ])('are covered as %s wherever the handler is reached', async (path) => {
    const { send } = await start(subject, { controllers: [echoes(subject)] });
    const { status, text } = await send({ path, body: { payee: CANARY } });
    expect([400, 404]).toContain(status);
    expect(text).not.toContain(CANARY);
  });

  it.each(['/v2', '/api/v2', '/api//v2/', '/%61pi/v2'])(
    'are known below the global prefix, requested as %s, by a policy that names either',
    async (start_) => {
      const path = `${start_}/payment_sessions`;
      for (const prefix of ['', '/api']) {
        const policy = {
          [`POST ${prefix}/v2/payment_sessions`]: { payee: { request: 'encrypt', response: 'redact' } },
        };
        const { send } = await start(subject, {
          controllers: [echoes(subject)],
          options: { policy: policy as never },
          main: (app) => app.setGlobalPrefix('api'),
        });
        const { status, text } = await send({ path, body: { payee: CANARY } });
        expect([400, 404]).toContain(status);
        expect(text).not.toContain(CANARY);
        const good = await send({
          path: '/api/v2/payment_sessions',
          body: { encrypted_payee: await sealed('x') },
        });
        expect(good).toMatchObject({ status: 200, json: { payee: MASK } });
      }
    },
  );

  it('are known below a prefix that is a parameter, whatever stands for it', async () => {
    for (const tenant of ['acme', 'a%2Fb', 'a%5Cb', 'a\\b', 'a\\b\\c']) {
      const { send } = await start(subject, {
        controllers: [echoes(subject)],
        main: (app) => app.setGlobalPrefix(':tenant'),
      });
      const { text } = await send({ path: `/${tenant}${SESSIONS}`, body: { payee: CANARY } });
      expect(text, tenant).not.toContain(CANARY);
    }
  });

  it('are those of versions, modules and parameters as they come together', async () => {
    @Controller({ path: ':shop/payments', version: '2' })
    class Payments {
      @Post()
      pay(): object {
        return { payee: CANARY };
      }
    }
    @Module({ controllers: [Payments] })
    class Shops {}
    const rows = { payee: { response: 'redact' } } as const;
    const { send } = await start(subject, {
      imports: [Shops, core.RouterModule.register([{ path: 'shops', module: Shops }])],
      options: { policy: { 'POST /v2/shops/:shop/payments': rows } },
      main: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI });
      },
    });
    const answer = await send({ path: '/api/v2/shops/corner/payments', body: {} });
    expect(answer).toMatchObject({ status: 201, json: { payee: MASK } });
  });

  it('may be excluded from the global prefix, and are covered all the same', async () => {
    const { send } = await start(subject, {
      controllers: [echoes(subject)],
      main: (app) => app.setGlobalPrefix('api', { exclude: ['v2/payment_sessions/:id'] }),
    });
    expect(await send({ path: SESSION })).toMatchObject({ status: 200, json: { payee: { name: MASK } } });
  });

  it.runIf(platform === 'Express')('are those that middleware has rewritten as well', async () => {
    const { send } = await start(subject, {
      controllers: [echoes(subject)],
      main: (app) =>
        app.use((req: { url: string }, _res: unknown, next: () => void) => {
          if (req.url === '/old') req.url = SESSIONS;
          next();
        }),
    });
    const refused = await send({ path: '/old', body: { payee: CANARY } });
    expect([refused.status, codeOf(refused)]).toEqual([400, 'plaintext_refused']);
    const good = await send({ path: '/old', body: { encrypted_payee: await sealed('x') } });
    expect(good).toMatchObject({ status: 200, json: { payee: MASK } });
  });

  describe('with a method that middleware has rewritten', () => {
    /** Like the package `method-override`. */
    const override = (req: IncomingMessage, _res: unknown, next: () => void): void => {
      req.method = String(req.headers['x-http-method-override'] ?? req.method);
      next();
    };
    const as = (method: string) => ({ 'x-http-method-override': method });
    const places = [
      ['of the application', { main: (app: INestApplication) => app.use(override) }],
      ['of a module', { middleware: override }],
    ] as const;

    @Controller('v2/payment_sessions')
    class Replaces {
      @Put()
      replace(): object {
        return { payee: CANARY };
      }
    }

    it.runIf(platform === 'Express').each(places)(
      'go by the policy of the handler that is reached, by middleware %s',
      async (_, place) => {
        const { send } = await start(subject, { controllers: [echoes(subject)], ...place });
        const shown = await send({ method: 'POST', path: SESSION, body: {}, headers: as('GET') });
        expect(shown).toMatchObject({ status: 200, json: { payee: { name: MASK } } });
        const call = { method: 'PUT', path: SESSIONS, headers: as('POST') };
        const refused = await send({ ...call, body: { payee: CANARY } });
        expect([refused.status, codeOf(refused)]).toEqual([400, 'plaintext_refused']);
        const opened = await send({ ...call, body: { encrypted_payee: await sealed('x') } });
        expect(opened).toMatchObject({ status: 200, json: { payee: MASK } });
      },
    );

    it.runIf(platform === 'Express')('go by that of what was asked, where the handler has none', async () => {
      const setup = { controllers: [Replaces], main: (app: INestApplication) => app.use(override) };
      const { send } = await start(subject, setup);
      const refused = await send({ path: SESSIONS, body: { payee: CANARY }, headers: as('PUT') });
      expect([refused.status, codeOf(refused)]).toEqual([400, 'plaintext_refused']);
      const body = { encrypted_payee: await sealed('x') };
      const opened = await send({ path: SESSIONS, body, headers: as('PUT') });
      expect(opened).toMatchObject({ status: 200, json: { payee: MASK } });
    });

    it.runIf(platform === 'Express')('are refused where the API must be covered whole', async () => {
      const { send } = await start(subject, {
        controllers: [Replaces],
        options: { unmatched: 'refuse' },
        main: (app) => app.use(override),
      });
      const body = { encrypted_payee: await sealed('x') };
      const refused = await send({ path: SESSIONS, body, headers: as('PUT') });
      expect([refused.status, codeOf(refused)]).toEqual([403, 'operation_refused']);
    });

    it.runIf(platform === 'Fastify').each(places)(
      'go by the policy of the handler, which Fastify has chosen before, by middleware %s',
      async (_, place) => {
        const { send } = await start(subject, { controllers: [echoes(subject)], ...place });
        const shown = await send({ path: SESSION, method: 'GET', headers: as('POST') });
        expect(shown).toMatchObject({ status: 200, json: { payee: { name: MASK } } });
        for (const method of ['PUT', 'PATCH']) {
          const refused = await send({ path: SESSIONS, body: { payee: CANARY }, headers: as(method) });
          expect([refused.status, codeOf(refused)]).toEqual([400, 'plaintext_refused']);
          const body = { encrypted_payee: await sealed('x') };
          const opened = await send({ path: SESSIONS, body, headers: as(method) });
          expect(opened).toMatchObject({ status: 200, json: { payee: MASK } });
        }
      },
    );
  });

  it('are refused where they could be two operations', async () => {
    const rows = { payee: { response: 'redact' } } as const;
    const { send, events } = await start(subject, {
      controllers: [echoes(subject)],
      options: { policy: { 'GET /v2/:a/:b': rows, 'GET /v2/:a': rows } },
    });
    const answer = await send({ path: '/v2/a%2Fb' });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'operation_refused']);
    expect(events).toHaveLength(1);
  });

  describe('of the published keys', () => {
    it.each(['', 'api', 'api/:tenant'])('need no controller, with the global prefix %j', async (prefix) => {
      const { kid } = await keyOf(keyRing);
      const { send } = await start(subject, {
        controllers: [echoes(subject)],
        main: (app) => {
          if (prefix) app.setGlobalPrefix(prefix);
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
          app.enableCors({ origin: 'https://shop.example' });
        },
      });
      const below = prefix === '' ? [''] : ['', `/${prefix.replace(':tenant', 'acme')}`];
      for (const start_ of below) {
        const path = start_ + JWKS;
        const { status, headers, json } = await send({ path });
        expect([status, headers['content-type'], headers['cache-control']]).toEqual([
          200,
          'application/json',
          'public, max-age=600',
        ]);
        expect(json).toMatchObject({ keys: [{ kid, use: 'enc' }] });
        expect(headers['access-control-allow-origin']).toBe('https://shop.example');
        const same = await send({ path, headers: { 'if-none-match': String(headers.etag) } });
        expect([same.status, same.text, same.headers.etag]).toEqual([304, '', headers.etag]);
        expect(await send({ method: 'HEAD', path })).toMatchObject({ status: 200, text: '' });
        const post = await send({ path, body: { keys: [] } });
        expect(post).toMatchObject({ status: 405, text: '', headers: { allow: 'GET, HEAD' } });
      }
    });

    it('go before a route for everything', async () => {
      @Controller()
      class Everything {
        @Get('*')
        show(): string {
          return 'page';
        }
      }
      const { send } = await start(subject, { controllers: [Everything] });
      expect(await send({ path: JWKS })).toMatchObject({ status: 200, json: { keys: [{}] } });
      expect(await send({ path: '/else' })).toMatchObject({ status: 200, text: 'page' });
    });
  });
});
