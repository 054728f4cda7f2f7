import { createE2eeServer } from '@e2ee/core';
import type { Type } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  bankKey,
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
  sealed,
  start,
} from '../test/bank.js';
import { subjects } from '../test/subjects.js';

describe.each(subjects)('the decorators, $name:', (subject) => {
  const { common, e2ee } = subject.nest;
  const { Body, Controller, Get, HttpCode, Post, Query, Req } = common;
  const { EncryptedBy, Protect, SkipE2ee } = e2ee;

  /** A handler `POST /shop/pay`, which answers with the body that it was given, and what decorates it. */
  function shop(...decorators: MethodDecorator[]): Type {
    class Shop {
      pay(body: unknown): unknown {
        return body;
      }
    }
    Body()(Shop.prototype, 'pay', 0);
    decorate(Shop, [...decorators, Post('pay'), HttpCode(200)]);
    Controller('shop')(Shop);
    return Shop;
  }

  function decorate(type: Type, decorators: readonly MethodDecorator[]): void {
    const descriptor = Object.getOwnPropertyDescriptor(type.prototype, 'pay') as PropertyDescriptor;
    for (const one of decorators) one(type.prototype, 'pay', descriptor);
    Object.defineProperty(type.prototype, 'pay', descriptor);
  }

  const ROWS = { card: { request: 'encrypt', response: 'redact' } } as const;
  const path = '/shop/pay';

  describe('Protect', () => {
    it('protects a handler, wherever it is found', async () => {
      const { send, events } = await start(subject, {
        controllers: [shop(Protect(ROWS))],
        main: (app) => app.setGlobalPrefix('any/where'),
      });
      const body = { id: 1, encrypted_card: await sealed({ pan: CANARY }) };
      const answer = await send({ path: '/any/where/shop/pay?a=1', body });
      expect(answer).toMatchObject({ status: 200, json: { id: 1, card: { pan: MASK } } });
      const refused = await send({ path: '/any/where/shop/pay', body: { card: CANARY } });
      expect([refused.status, codeOf(refused)]).toEqual([400, 'plaintext_refused']);
      expect(refused.text).not.toContain(CANARY);
      expect(events).toMatchObject([{ type: 'request_refused', operation: 'Shop.pay' }]);
    });

    it('leaves protected what another row does not mention', async () => {
      const type = shop(Protect({ card: { request: 'encrypt' } }));
      Protect({ card: { response: 'redact' } })(type);
      const { send } = await start(subject, { controllers: [type] });
      const answer = await send({ path, body: { encrypted_card: await sealed({ pan: CANARY }) } });
      expect(answer).toMatchObject({ status: 200, json: { card: { pan: MASK } } });
    });

    it('encrypts for the recipient, whole answers and whole messages included', async () => {
      const rows = { card: { request: 'encrypt', response: 'encrypt' } } as const;
      const controllers = [shop(Protect(rows))];
      const body = { encrypted_card: await sealed(CANARY) };
      const fields = await start(subject, { controllers, options: { recipient: () => partner('encrypt') } });
      const { json } = await fields.send({ path, body });
      expect(await opened((json as Record<string, unknown>).encrypted_card)).toBe(CANARY);
      const options = { recipient: () => partner('message') };
      const whole = await start(subject, { controllers: [shop(Protect(rows))], options });
      expect(await opened((await whole.send({ path, body })).text)).toEqual({ card: CANARY });
      const message = shop(Protect({ $: { request: 'encrypt' } }));
      const { send } = await start(subject, { controllers: [message], options });
      const headers = { 'content-type': 'application/jose' };
      const answer = await send({ path, headers, body: await sealed({ a: CANARY }) });
      expect(await opened(answer.text)).toEqual({ a: CANARY });
    });

    it('protects every handler of a controller, and rows of the handler go before those', async () => {
      @Protect({ payee: { response: 'redact' }, card: { response: 'redact' } })
      @Controller('shop')
      class Shop {
        @Get('all')
        all(): object {
          return { payee: CANARY, card: CANARY };
        }

        @Protect({ card: { response: 'none' }, note: { response: 'redact' } })
        @Get('some')
        some(): object {
          return { payee: CANARY, card: 'open', note: CANARY };
        }
      }
      const { send } = await start(subject, { controllers: [Shop] });
      expect((await send({ path: '/shop/all' })).json).toEqual({ payee: MASK, card: MASK });
      expect((await send({ path: '/shop/some' })).json).toEqual({ payee: MASK, card: 'open', note: MASK });
    });

    it('adds to what the policy says of the path', async () => {
      @Controller('v2/payment_sessions')
      class Payments {
        @Protect({ note: { response: 'redact' } })
        @Get(':id')
        show(): object {
          return { payee: CANARY, note: CANARY };
        }
      }
      const { send, events } = await start(subject, { controllers: [Payments] });
      expect((await send({ path: SESSION })).json).toEqual({ payee: MASK, note: MASK });
      expect(events).toEqual([{ type: 'redacted_without_key', operation: 'GET /v2/payment_sessions/:id' }]);
    });

    it('fails closed where it contradicts the policy', async () => {
      @Controller('v2/payment_sessions')
      class Payments {
        @Protect({ 'payee.name': { response: 'redact' } })
        @Get(':id')
        show(): object {
          return { payee: { name: CANARY } };
        }
      }
      const { send } = await start(subject, { controllers: [Payments] });
      const answer = await send({ path: SESSION });
      expect([answer.status, codeOf(answer)]).toEqual([500, 'policy_invalid']);
      expect(answer.text).not.toContain(CANARY);
    });

    it.each([
      ['an unknown treatment', { card: { response: 'hide' } }],
      ['a bad path', { 'card..pan': { response: 'redact' } }],
      ['an overlap', { card: { response: 'redact' }, 'card.pan': { response: 'redact' } }],
    ])('stops the start of the application for %s', async (_, rows) => {
      const app = await create(subject, moduleOf(subject, { controllers: [shop(Protect(rows as never))] }));
      await expect(app.init()).rejects.toMatchObject({
        code: 'policy_invalid',
        message: expect.stringContaining('Shop.pay'),
      });
    });

    it('is not lost by a decorator that replaces the method', async () => {
      const replace: MethodDecorator = (_target, _name, descriptor) => {
        const { value } = descriptor;
        const wrapped = function (this: unknown, ...args: unknown[]): unknown {
          return Reflect.apply(value as unknown as () => unknown, this, args);
        };
        Object.assign(descriptor, { value: wrapped });
      };
      const { send } = await start(subject, { controllers: [shop(Protect(ROWS), replace)] });
      const body = { encrypted_card: await sealed(CANARY) };
      expect(await send({ path, body })).toMatchObject({ status: 200, json: { card: MASK } });
    });

    it('is inherited, and holds for what overrides a method', async () => {
      class Base {
        @Protect({ card: { response: 'redact' } })
        show(): object {
          return { card: CANARY };
        }

        @Protect({ card: { response: 'redact' } })
        @Get('inherited')
        inherited(): object {
          return { card: CANARY };
        }
      }
      @Controller('shop')
      class Shop extends Base {
        @Get('overridden')
        override show(): object {
          return { card: CANARY };
        }
      }
      const { send } = await start(subject, { controllers: [Shop] });
      for (const one of ['inherited', 'overridden'])
        expect(await send({ path: `/shop/${one}` })).toMatchObject({ status: 200, json: { card: MASK } });
    });

    it('holds for controllers that are made for each request', async () => {
      @Controller({ path: 'shop', scope: common.Scope.REQUEST })
      class Shop {
        @Protect(ROWS)
        @Post('pay')
        pay(@Body() body: object): object {
          return body;
        }
      }
      const { send } = await start(subject, { controllers: [Shop] });
      const body = { encrypted_card: await sealed(CANARY) };
      expect(await send({ path, body })).toMatchObject({ status: 201, json: { card: MASK } });
      expect(await send({ path, body: { card: CANARY } })).toMatchObject({ status: 400 });
    });

    it('works with a server end made beforehand, and where all operations must be covered', async () => {
      const server = createE2eeServer({ profile, keyRing, unmatched: 'refuse', onEvent: () => {} });
      const { send } = await start(subject, {
        controllers: [shop(Protect(ROWS)), echoes(subject)],
        e2ee: e2ee.E2eeModule.forRoot(server),
      });
      const body = { encrypted_card: await sealed(CANARY) };
      expect(await send({ path, body })).toMatchObject({ status: 200, json: { card: MASK } });
      expect(await send({ path: '/v2/open', body: {} })).toMatchObject({ status: 403 });
    });

    it('protects what the handler throws', async () => {
      @Controller('shop')
      class Shop {
        @Protect(ROWS)
        @Get('throw')
        fail(): never {
          throw new common.HttpException({ code: 7, card: CANARY }, 422);
        }
      }
      const { send } = await start(subject, { controllers: [Shop] });
      const answer = await send({ path: '/shop/throw' });
      expect(answer).toMatchObject({ status: 422, json: { code: 7, card: MASK } });
    });
  });

  describe('SkipE2ee', () => {
    it('leaves a handler out of the policy, both ways', async () => {
      @Controller('v2/payment_sessions')
      class Payments {
        @SkipE2ee()
        @Post()
        pay(@Body() body: object): object {
          return body;
        }

        @Get(':id')
        show(): object {
          return { payee: CANARY };
        }
      }
      const { send } = await start(subject, { controllers: [Payments] });
      const body = { payee: 'open', encrypted_note: 'x' };
      expect(await send({ path: SESSIONS, body })).toMatchObject({ status: 201, json: body });
      expect(await send({ path: SESSION })).toMatchObject({ json: { payee: MASK } });
    });

    it('leaves a controller out, but for handlers with rows of their own', async () => {
      @SkipE2ee()
      @Controller('v2/payment_sessions')
      class Payments {
        @Get('one')
        one(): object {
          return { payee: 'open' };
        }

        @Protect({ card: { response: 'redact' } })
        @Get('two')
        two(): object {
          return { card: CANARY };
        }
      }
      const { send } = await start(subject, { controllers: [Payments] });
      expect((await send({ path: `${SESSIONS}/one` })).json).toEqual({ payee: 'open' });
      expect((await send({ path: `${SESSIONS}/two` })).json).toEqual({ card: MASK });
    });

    it('goes before the rows of the controller, and what must be covered whole', async () => {
      @Protect({ card: { response: 'redact' } })
      @Controller('shop')
      class Shop {
        @SkipE2ee()
        @Get()
        show(): object {
          return { card: 'open' };
        }
      }
      const { send } = await start(subject, { controllers: [Shop], options: { unmatched: 'refuse' } });
      expect((await send({ path: '/shop' })).json).toEqual({ card: 'open' });
    });

    it('cannot stand beside Protect', () => {
      for (const decorators of [
        [Protect(ROWS), SkipE2ee()],
        [SkipE2ee(), Protect(ROWS)],
      ])
        expect(() => shop(...decorators)).toThrow(expect.objectContaining({ code: 'policy_invalid' }));
    });

    it('is told of in the log at the start', async () => {
      const warnings: unknown[] = [];
      const module = moduleOf(subject, { controllers: [shop(SkipE2ee()), echoes(subject)] });
      const app = await create(subject, module);
      app.useLogger({ log() {}, error() {}, warn: (...message: unknown[]) => warnings.push(message) });
      await app.init();
      expect(warnings).toEqual([['Not protected (@SkipE2ee): Shop.pay', 'E2eeModule']]);
    });
  });

  describe('EncryptedBy', () => {
    function asking(): { seen: unknown[]; controller: Type } {
      const seen: unknown[] = [];
      @Controller('shop')
      class Shop {
        @Protect({ card: { request: 'encrypt' }, 'items.#.note': { request: 'encrypt' } })
        @Post('pay')
        pay(
          @EncryptedBy('card') card: string | undefined,
          @EncryptedBy('nothing') nothing: string | undefined,
          @EncryptedBy() all: object,
          @Req() _: object,
          @Query('q') q: string,
        ): object {
          seen.push([card, nothing, all, q]);
          return {};
        }

        @Protect({ $: { request: 'encrypt' } })
        @Post('message')
        message(@EncryptedBy('$') kid: string | undefined): object {
          seen.push(kid);
          return {};
        }

        @Post('open')
        open(@EncryptedBy('card') card: string | undefined, @EncryptedBy() all: object): object {
          seen.push([card, all]);
          return {};
        }
      }
      return { seen, controller: Shop };
    }

    it('tells which key a value was encrypted to', async () => {
      const { seen, controller } = asking();
      const { send } = await start(subject, { controllers: [controller] });
      const { kid } = bankKey;
      const items = [{ id: 1 }, { encrypted_note: await sealed('x') }];
      await send({ path: '/shop/pay?q=1', body: { encrypted_card: await sealed('x'), items } });
      await send({ path, body: {} });
      const headers = { 'content-type': 'application/jose' };
      await send({ path: '/shop/message', headers, body: await sealed({ a: 1 }) });
      await send({ path: '/shop/open', body: { encrypted_card: await sealed('x') } });
      expect(seen).toEqual([
        [kid, undefined, { card: kid, 'items.#.note': kid }, '1'],
        [undefined, undefined, {}, undefined],
        kid,
        [undefined, {}],
      ]);
    });

    it('tells plain values that are accepted from encrypted ones', async () => {
      const { seen, controller } = asking();
      const options = bankOptions({ plaintext: 'accept' });
      const { send } = await start(subject, { controllers: [controller], options });
      await send({ path, body: { card: 'plain', items: [{ encrypted_note: await sealed('x') }] } });
      expect(seen).toEqual([[undefined, undefined, { 'items.#.note': bankKey.kid }, undefined]]);
    });
  });
});
