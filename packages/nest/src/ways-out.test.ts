import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import fastifyCompress from '@fastify/compress';
import type {
  ArgumentsHost,
  CallHandler,
  CanActivate,
  ExecutionContext,
  INestApplication,
  Type,
} from '@nestjs/common';
import compression from 'compression';
import { map, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  CANARY,
  codeOf,
  echoes,
  MASK,
  opened,
  partner,
  type Running,
  SESSION,
  SESSIONS,
  type Setup,
  sealed,
  start,
} from '../test/bank.js';
import { subjects } from '../test/subjects.js';

const PLAIN = { id: 1, payee: { name: CANARY } };
const TEXT = JSON.stringify(PLAIN);
const MASKED = { id: 1, payee: { name: MASK } };

/** What both platforms' responses have, and what Fastify's has more. */
interface Res {
  readonly raw?: Res;
  status(status: number): Res;
  header(name: string, value: string): Res;
  send(body: unknown): void;
  end(body?: string): void;
  write(chunk: string): void;
  hijack?(): void;
}

describe.each(subjects)('the way out, $name:', (subject) => {
  const { nest, platform } = subject;
  const { common, core } = nest;
  const { Controller, Get, Post, Res: Response, Sse, StreamableFile } = common;

  /** An application whose `GET /v2/payment_sessions/:id` is answered by `answer`. */
  function answering(
    answer: (res: Res) => unknown,
    setup: Partial<Setup> & { passthrough?: boolean } = {},
  ): Promise<Running> {
    const { passthrough = false, ...rest } = setup;
    @Controller(SESSIONS)
    class Answers {
      @Get(':id')
      show(@Response({ passthrough }) res: Res): unknown {
        return answer(res);
      }
    }
    return start(subject, { controllers: [Answers], ...rest });
  }

  const compress = async (app: INestApplication): Promise<void> => {
    if (platform === 'Express') app.use(compression({ threshold: 0 }));
    else await app.getHttpAdapter().getInstance().register(fastifyCompress, { threshold: 0 });
  };

  const raw = (res: Res): Res => {
    res.hijack?.();
    return res.raw ?? res;
  };

  describe('of a handler that has the response to itself', () => {
    it('is protected where the platform sends JSON', async () => {
      for (const way of [(res: Res) => res.send(PLAIN), (res: Res) => res.status(200).send(PLAIN)]) {
        const { send } = await answering(way);
        const answer = await send({ path: SESSION });
        expect(answer).toMatchObject({ status: 200, json: MASKED });
        expect(answer.headers['content-type']).toMatch(/^application\/json/);
        expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
      }
    });

    it.each<[string, (res: Res) => unknown]>([
      ['text', (res) => res.send(CANARY)],
      ['bytes', (res) => res.send(Buffer.from([0xff, 0x41]))],
      ['end', (res) => raw(res).end(CANARY)],
      [
        'writes',
        (res) => {
          raw(res).write(TEXT.slice(0, 9));
          raw(res).end(TEXT.slice(9));
        },
      ],
    ])('is a 500 in the form of the profile for %s', async (_, way) => {
      const { send, events } = await answering(way);
      const answer = await send({ path: SESSION });
      expect([answer.status, codeOf(answer)]).toEqual([500, 'response_refused']);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.text).not.toContain(CANARY);
      expect(events).toMatchObject([{ type: 'response_refused', operation: 'GET /v2/payment_sessions/:id' }]);
    });
  });

  it('is protected where Nest sends, whatever the handler has set before', async () => {
    const { send } = await answering(
      (res) => {
        res.status(202);
        return PLAIN;
      },
      { passthrough: true },
    );
    expect(await send({ path: SESSION })).toMatchObject({ status: 202, json: MASKED });
  });

  it.each<[string, () => unknown]>([
    ['a file of JSON', () => new StreamableFile(Buffer.from(TEXT), { type: 'application/json' })],
    ['a stream', () => new StreamableFile(Readable.from([TEXT.slice(0, 9), TEXT.slice(9)]))],
    ['a text', () => CANARY],
  ])('is a 500 for %s', async (_, answer) => {
    const { send } = await answering(answer, { passthrough: true });
    const { status, text } = await send({ path: SESSION });
    expect(status).toBe(500);
    expect(text).not.toContain(CANARY);
  });

  it('is a 500 for server-sent events, which are not started', async () => {
    @Controller(SESSIONS)
    class Events {
      @Sse(':id')
      show(): unknown {
        return of({ data: PLAIN });
      }
    }
    const { send } = await start(subject, { controllers: [Events as Type] });
    const answer = await send({ path: SESSION });
    expect([answer.status, codeOf(answer)]).toEqual([500, 'response_refused']);
    expect(answer.text).not.toContain(CANARY);
  });

  it('is the same body for HEAD, but for the body', async () => {
    const { send } = await answering(() => PLAIN, { passthrough: true });
    const { headers } = await send({ path: SESSION });
    const head = await send({ method: 'HEAD', path: SESSION });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      headers['content-length'],
    ]);
  });

  it('keeps headers and cookies', async () => {
    const { send } = await start(subject, {
      controllers: [echoes(subject)],
      middleware: (_req, res, next) => {
        res.setHeader('set-cookie', ['a=1', 'b=2']);
        res.setHeader('x-own', 'kept');
        next();
      },
    });
    const answer = await send({ path: SESSION });
    expect(answer.json).toMatchObject({ payee: { name: MASK } });
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-own': 'kept' });
  });

  it('goes through compression, protected or as it may pass', async () => {
    const items = Array.from({ length: 100 }, (_, i) => ({ i }));
    @Controller('v2')
    class Answers {
      @Get('payment_sessions/:id')
      show(): object {
        return { ...PLAIN, items };
      }

      @Post('notes')
      note(@Response({ passthrough: true }) res: Res): object {
        res.header('content-length', String(JSON.stringify({ items }).length));
        return { items };
      }
    }
    const { send } = await start(subject, { controllers: [Answers], main: (app) => compress(app) });
    const headers = { 'accept-encoding': 'gzip' };
    const shown = await send({ path: SESSION, headers });
    expect(shown.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(shown.bytes).toString())).toEqual({ ...MASKED, items });
    const passed = await send({ path: '/v2/notes', headers, body: {} });
    expect(passed.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(passed.bytes).toString())).toEqual({ items });
  });

  describe('of errors', () => {
    const { Catch, HttpException, Injectable } = common;
    const thrown = (): never => {
      throw new HttpException({ code: 7, payee: { name: CANARY } }, 409);
    };

    /** A filter as users write it, which answers with all it has. */
    @Catch()
    class AnswerAll {
      catch(error: { getStatus?: () => number; getResponse?: () => object }, host: ArgumentsHost): void {
        const body = { caught: true, ...error.getResponse?.() };
        host
          .switchToHttp()
          .getResponse<Res>()
          .status(error.getStatus?.() ?? 500)
          .send(body);
      }
    }
    const providers = [{ provide: core.APP_FILTER, useClass: AnswerAll }];

    it('is protected where Nest answers, and where a filter does', async () => {
      const { send } = await answering(thrown);
      expect(await send({ path: SESSION })).toMatchObject({
        status: 409,
        json: { code: 7, payee: { name: MASK } },
      });
      const filtered = await answering(thrown, { providers });
      expect(await filtered.send({ path: SESSION })).toMatchObject({
        status: 409,
        json: { caught: true, payee: { name: MASK } },
      });
    });

    it('repeats no protected value of the request in a message', async () => {
      @Controller(SESSIONS)
      class Fails {
        @Post()
        pay(@common.Body() { payee }: { payee: string }): never {
          throw new common.BadRequestException(`There is no ${payee}`);
        }
      }
      const { send } = await start(subject, { controllers: [Fails] });
      const answer = await send({ path: SESSIONS, body: { encrypted_payee: await sealed(CANARY) } });
      expect([answer.status, codeOf(answer)]).toEqual([400, 'response_refused']);
    });

    it('shows nothing of errors that Nest does not know', async () => {
      const { send } = await answering(() => {
        throw new Error(CANARY);
      });
      const answer = await send({ path: SESSION });
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain(CANARY);
    });

    it('is past filters where a request is refused: they may look on, and change nothing', async () => {
      let caught = 0;
      @Catch()
      class Look extends AnswerAll {
        override catch(error: object, host: ArgumentsHost): void {
          caught += 1;
          super.catch(error, host);
        }
      }
      const { send } = await start(subject, {
        controllers: [echoes(subject)],
        providers: [{ provide: core.APP_FILTER, useClass: Look }],
        main: (app) => compress(app),
      });
      for (const coding of ['identity', 'gzip']) {
        const headers = { 'accept-encoding': coding };
        const answer = await send({ path: SESSIONS, body: { payee: CANARY }, headers });
        const text = coding === 'gzip' ? gunzipSync(answer.bytes).toString() : answer.text;
        expect([answer.status, JSON.parse(text).errors[0].code]).toEqual([400, 'plaintext_refused']);
      }
      expect(caught).toBe(2);
    });

    it('is a message for a recipient who wants that, before any handler too', async () => {
      @Controller(SESSIONS)
      class Fails {
        @Post()
        pay(): never {
          return thrown();
        }
      }
      const { send } = await start(subject, {
        controllers: [Fails],
        options: { recipient: () => partner('message') },
      });
      const body = { encrypted_payee: await sealed('x') };
      const answers = [
        [await send({ path: SESSIONS, body }), 409],
        [await send({ path: SESSION }), 404],
        [await send({ path: SESSIONS, body: '{"a":' }), 400],
        [await send({ path: SESSIONS, body: { a: 'x'.repeat(2_000_000) } }), 413],
      ] as const;
      for (const [answer, status] of answers) {
        expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/jose']);
        expect(await opened(answer.text)).toBeTypeOf('object');
      }
    });

    it('is in the form of the profile for a type of body that cannot be', async () => {
      const { send } = await start(subject, { controllers: [echoes(subject)] });
      for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
        const answer = await send({ path: SESSIONS, body: CANARY, headers: { 'content-type': type } });
        expect([400, 415]).toContain(answer.status);
        expect(answer.text).not.toContain(CANARY);
      }
      const jose = { 'content-type': 'application/jose' };
      const answer = await send({ path: SESSIONS, body: await sealed(1), headers: jose });
      expect([answer.status, codeOf(answer)]).toEqual([415, 'media_type_unsupported']);
    });

    it('is protected for what a guard throws', async () => {
      @Injectable()
      class Refuse implements CanActivate {
        canActivate(_: ExecutionContext): boolean {
          throw new HttpException({ payee: CANARY }, 401);
        }
      }
      const { send } = await answering(() => PLAIN, {
        providers: [{ provide: core.APP_GUARD, useClass: Refuse }],
      });
      expect(await send({ path: SESSION })).toMatchObject({ status: 401, json: { payee: MASK } });
    });
  });

  describe('through interceptors of the application', () => {
    const { Injectable } = common;

    it('is what they make of it: a policy names paths of what is sent', async () => {
      @Injectable()
      class Wrap {
        intercept(_: unknown, next: CallHandler): unknown {
          return next.handle().pipe(map((data: unknown) => ({ data })));
        }
      }
      const { send } = await answering(() => PLAIN, {
        passthrough: true,
        providers: [{ provide: core.APP_INTERCEPTOR, useClass: Wrap }],
        options: { policy: { 'GET /v2/payment_sessions/:id': { 'data.payee': { response: 'redact' } } } },
      });
      expect((await send({ path: SESSION })).json).toEqual({ data: MASKED });
    });

    it('is protected when it comes from their cache, and no handler is called', async () => {
      @Injectable()
      class Cache {
        intercept(): unknown {
          return of(PLAIN);
        }
      }
      const { send } = await answering(() => expect.unreachable(), {
        passthrough: true,
        providers: [{ provide: core.APP_INTERCEPTOR, useClass: Cache }],
      });
      expect((await send({ path: SESSION })).json).toEqual(MASKED);
    });
  });

  it('is protected where middleware answers', async () => {
    const { send } = await answering(() => expect.unreachable(), {
      middleware: (_req, res) => void res.end(TEXT),
    });
    expect(await send({ path: SESSION })).toMatchObject({ status: 200, json: MASKED });
  });
});
