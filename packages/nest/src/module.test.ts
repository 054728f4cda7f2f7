import { createE2eeServer } from '@e2ee/core';
import type { CanActivate, DynamicModule, ExecutionContext } from '@nestjs/common';
import { IsString, Length } from 'class-validator';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  bankOptions,
  CANARY,
  codeOf,
  create,
  echoes,
  keyRing,
  MASK,
  moduleOf,
  opened,
  partner,
  profile,
  SESSION,
  SESSIONS,
  type Setup,
  sealed,
  start,
} from '../test/bank.js';
import { type Subject, subjects } from '../test/subjects.js';
import type { E2eeNestOptions, E2eeOptionsFactory, PlatformRequest } from './options.js';

const VALUES = [{ name: CANARY, deep: [{ n: 0 }] }, [], 0, false, '', '007', '1234567890123456789', null];

describe.each(subjects)('E2eeModule, $name:', (subject) => {
  const { nest, platform } = subject;
  const { common, core, e2ee } = nest;

  it('gives handlers the values that the client encrypted, and leaves the others as they came', async () => {
    const { send, events } = await start(subject, { controllers: [echoes(subject)] });
    for (const payee of VALUES) {
      const body = { id: 7, encrypted_note: 'mine', encrypted_payee: await sealed(payee) };
      const { status, json } = await send({ path: SESSIONS, body });
      expect([status, Object.keys(json as object)]).toEqual([200, ['id', 'encrypted_note', 'payee']]);
    }
    expect(events.filter(({ type }) => type !== 'redacted_without_key')).toEqual([]);
    const note = await send({ path: '/v2/notes', body: { encrypted_note: await sealed({ a: CANARY }) } });
    expect(note).toMatchObject({ status: 200, json: { note: { a: CANARY } } });
  });

  it('redacts the answer for nobody in particular and says so', async () => {
    const { send, events } = await start(subject, { controllers: [echoes(subject)] });
    expect(await send({ path: SESSION })).toMatchObject({
      status: 200,
      json: { id: '1', payee: { name: MASK } },
    });
    expect(events).toEqual([{ type: 'redacted_without_key', operation: 'GET /v2/payment_sessions/:id' }]);
  });

  it('encrypts for the recipient that is found with what guards have learnt', async () => {
    const { Injectable } = common;
    @Injectable()
    class Authenticate implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest();
        request.client = request.headers['x-client'];
        return true;
      }
    }
    const seen: unknown[] = [];
    const recipient = (request: PlatformRequest & { client?: string; body?: unknown }) => {
      seen.push(request.client, request.method, request.url, request.body);
      return partner('encrypt');
    };
    const { send } = await start(subject, {
      controllers: [echoes(subject)],
      providers: [{ provide: core.APP_GUARD, useClass: Authenticate }],
      options: { recipient },
    });
    const body = { encrypted_payee: await sealed({ name: CANARY }) };
    const { json, text } = await send({ path: SESSIONS, body, headers: { 'x-client': 'acme' } });
    expect(await opened((json as Record<string, unknown>).encrypted_payee)).toEqual({ name: CANARY });
    expect(text).not.toContain(CANARY);
    expect(seen).toEqual(['acme', 'POST', SESSIONS, { payee: { name: CANARY } }]);
  });

  it('reads and answers whole messages without any parser for them', async () => {
    const { send } = await start(subject, {
      controllers: [echoes(subject)],
      options: { recipient: () => partner('message') },
    });
    const headers = { 'content-type': 'application/jose' };
    const answer = await send({ path: '/v2/messages', headers, body: await sealed({ a: [CANARY] }) });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/jose']);
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(await opened(answer.text)).toEqual({ a: [CANARY] });
  });

  it('decrypts before pipes, so that validation sees plain values', async () => {
    const { Body, Controller, Post, ValidationPipe } = common;
    class Payment {
      @IsString()
      @Length(3, 5)
      payee!: string;
    }
    const got: unknown[] = [];
    @Controller(SESSIONS)
    class Payments {
      @Post()
      pay(@Body() payment: Payment): object {
        got.push(payment);
        return {};
      }
    }
    // As TypeScript's `emitDecoratorMetadata` has it.
    Reflect.defineMetadata('design:paramtypes', [Payment], Payments.prototype, 'pay');
    const { send } = await start(subject, {
      controllers: [Payments],
      main: (app) => app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true })),
    });
    const body = { encrypted_payee: await sealed('John'), more: 1 };
    expect(await send({ path: SESSIONS, body })).toMatchObject({ status: 201 });
    expect(got).toEqual([{ payee: 'John' }]);
    expect(got[0]).toBeInstanceOf(Payment);
    const bad = await send({ path: SESSIONS, body: { encrypted_payee: await sealed(CANARY) } });
    expect(bad).toMatchObject({
      status: 400,
      json: { message: [expect.stringMatching(/payee must be shorter/)] },
    });
    expect(bad.text).not.toContain(CANARY);
    expect(got).toHaveLength(1);
  });

  it('shows guards what came over the wire', async () => {
    const { Injectable } = common;
    const seen: unknown[] = [];
    @Injectable()
    class Look implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        seen.push(context.switchToHttp().getRequest().body);
        return true;
      }
    }
    const providers = [{ provide: core.APP_GUARD, useClass: Look }];
    const { send } = await start(subject, { controllers: [echoes(subject)], providers });
    const body = { encrypted_payee: await sealed(CANARY) };
    expect(await send({ path: SESSIONS, body })).toMatchObject({ status: 200 });
    expect(seen).toEqual([body]);
  });

  it('refuses in the form of the profile, and the handler is not called', async () => {
    const { send, events } = await start(subject, { controllers: [echoes(subject)] });
    const both = { payee: 'x', encrypted_payee: await sealed('x') };
    const other = await sealed('x', { ...(await key()), kid: 'unknown' });
    for (const [body, status, code] of [
      [{ payee: CANARY }, 400, 'plaintext_refused'],
      [both, 400, 'field_conflict'],
      [{ encrypted_payee: 'a.b.c.d.e' }, 400, 'token_invalid'],
      [{ encrypted_payee: other }, profile.keyRejection.status, 'key_rejected'],
    ] as const) {
      const answer = await send({ path: SESSIONS, body });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers['cache-control']).toBe('no-store');
      if (code === 'key_rejected') expect(answer.json).toEqual(profile.keyRejection.body);
      else expect(codeOf(answer)).toBe(code);
      expect(events.at(-1)).toMatchObject({ type: 'request_refused', error: { code } });
    }
    expect(events).toHaveLength(4);
  });

  it('leaves operations outside the policy alone, and refuses them where it is told to', async () => {
    const controllers = [echoes(subject)];
    const pass = await start(subject, { controllers });
    const answer = await pass.send({ path: '/v2/open', body: { payee: CANARY } });
    expect(answer).toMatchObject({ status: 200, json: { got: { payee: CANARY } } });
    const refuse = await start(subject, { controllers, options: { unmatched: 'refuse' } });
    const refused = await refuse.send({ path: '/v2/open', body: { payee: CANARY } });
    expect([refused.status, codeOf(refused)]).toEqual([403, 'operation_refused']);
    expect(refused.text).not.toContain(CANARY);
  });

  describe('is made', () => {
    const { Injectable, Module } = common;

    async function works(module: DynamicModule): Promise<void> {
      const { send } = await start(subject, { controllers: [echoes(subject)], e2ee: module });
      const answer = await send({ path: SESSIONS, body: { encrypted_payee: await sealed('x') } });
      expect(answer).toMatchObject({ status: 200, json: { payee: MASK } });
    }

    @Injectable()
    class Options implements E2eeOptionsFactory {
      createE2eeOptions(): E2eeNestOptions {
        return bankOptions();
      }
    }
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}

    it('of a server end made beforehand, which finds the recipient by itself', async () => {
      const recipient = () => partner('encrypt');
      const server = createE2eeServer({ profile, keyRing, recipient, onEvent: () => {} });
      const setup: Setup = { controllers: [echoes(subject)], e2ee: e2ee.E2eeModule.forRoot(server) };
      const { send } = await start(subject, setup);
      const { json } = await send({ path: SESSIONS, body: { encrypted_payee: await sealed('x') } });
      expect(await opened((json as Record<string, unknown>).encrypted_payee)).toBe('x');
      await works(e2ee.E2eeModule.forRootAsync({ useFactory: () => createE2eeServer({ profile, keyRing }) }));
    });

    it('by a factory with what it needs', async () => {
      await works(
        e2ee.E2eeModule.forRootAsync({
          imports: [OptionsModule],
          inject: [Options],
          useFactory: async (options: Options) => options.createE2eeOptions(),
        }),
      );
    });

    it('by a class, new or existing', async () => {
      await works(e2ee.E2eeModule.forRootAsync({ useClass: Options }));
      await works(e2ee.E2eeModule.forRootAsync({ imports: [OptionsModule], useExisting: Options }));
    });

    it('with options that hold, or not at all', async () => {
      for (const [options, code] of [
        [{ profile: undefined }, 'option_invalid'],
        [{ recipient: 'x' }, 'option_invalid'],
        [{ policy: { 'POST /a': { b: { response: 'hide' } } } }, 'policy_invalid'],
      ] as const)
        await expect(start(subject, { options: options as never })).rejects.toMatchObject({ code });
    });

    it('once for an application', async () => {
      const again = [e2ee.E2eeModule.forRoot(bankOptions())];
      await expect(start(subject, { imports: again })).rejects.toMatchObject({ code: 'option_invalid' });
    });

    it('in tests of users as in applications', async () => {
      const builder = nest.testing.Test.createTestingModule({
        imports: [moduleOf(subject, { controllers: [echoes(subject)] })],
      });
      const testing = await builder.compile();
      const adapter = platform === 'Express' ? new nest.ExpressAdapter() : new nest.FastifyAdapter();
      const app = testing.createNestApplication(adapter, { logger: false });
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      try {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ encrypted_payee: await sealed('x') });
        const answer = await fetch(url + SESSIONS, { method: 'POST', headers, body });
        expect([answer.status, await answer.json()]).toEqual([200, { payee: MASK }]);
      } finally {
        await app.close();
      }
    });

    it('where there is no HTTP, and does nothing there', async () => {
      const module = moduleOf(subject, { controllers: [echoes(subject)] });
      const context = await core.NestFactory.createApplicationContext(module, { logger: false });
      await context.close();
    });
  });

  it('passes what is not HTTP untouched', async () => {
    const { Controller } = common;
    @Controller()
    @e2ee.Protect({ payee: { request: 'encrypt', response: 'redact' } })
    class Messages {
      answer(body: unknown): unknown {
        return body;
      }
    }
    const app = await create(subject, moduleOf(subject, { controllers: [Messages] }));
    await app.init();
    const controller = app.get(Messages);
    const contexts = app.get(core.ExternalContextCreator);
    const enhancers = { guards: true, interceptors: true, filters: true };
    for (const type of ['rpc', 'ws', 'graphql', 'http']) {
      const call = contexts.create(
        controller,
        controller.answer,
        'answer',
        undefined,
        undefined,
        undefined,
        undefined,
        enhancers,
        type,
      );
      expect(await call({ payee: CANARY })).toEqual({ payee: CANARY });
    }
  });
});

async function key(): Promise<Parameters<typeof sealed>[1] & object> {
  const { bankKey } = await import('../test/bank.js');
  return bankKey;
}

it('has options with the request of a platform, or with what both have', () => {
  type Find = NonNullable<E2eeNestOptions['recipient']>;
  expectTypeOf<(request: PlatformRequest & { auth: string }) => undefined>().toExtend<Find>();
  expectTypeOf<Parameters<Find>[0]['headers']>().toExtend<object>();
  expectTypeOf<Subject['nest']['e2ee']['E2eeModule']>().toHaveProperty('forRootAsync');
});
