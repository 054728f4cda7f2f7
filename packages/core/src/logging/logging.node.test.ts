import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { format, inspect } from 'node:util';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { banked } from '../profiles/banked.js';
import { concealFromInspect } from './conceal-from-inspect.js';
import { logOptions } from './log-options.js';
import { logSerializers } from './log-serializers.js';

const CANARY = 'canary-93641';
const PATH = '/v2/payment_sessions';
const BODY = { amount: 1, payee: { name: CANARY }, mandate_id: CANARY };
const SHOWN = { amount: 1, payee: '[REDACTED]', mandate_id: '[REDACTED]' };

/** What an application has in its hands, as Express leaves it. */
interface Exchange {
  readonly req: IncomingMessage & { body: typeof BODY; originalUrl: string; baseUrl: string };
  readonly res: ServerResponse;
}

let handler: (exchange: Exchange) => void;
const server = createServer(async (incoming, res) => {
  const body = JSON.parse(await text(incoming));
  const url = incoming.url?.slice('/v2'.length); // a router takes its prefix away
  const req = Object.assign(incoming, { body, originalUrl: incoming.url ?? '', baseUrl: '/v2', url, res });
  Object.assign(res, { req });
  res.setHeader('content-type', 'application/json').setHeader('set-cookie', CANARY);
  try {
    handler({ req, res });
  } finally {
    res.end('{}');
  }
});

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => new Promise((done) => server.close(done)));

/** What `look` makes of a real request, while it is there. */
async function during<Result>(look: (exchange: Exchange) => Result): Promise<Result> {
  let outcome: { readonly result: Result } | { readonly error: unknown } | undefined;
  handler = (exchange) => {
    try {
      outcome = { result: look(exchange) };
    } catch (error) {
      outcome = { error };
    }
  };
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  const headers = {
    authorization: CANARY,
    cookie: CANARY,
    'content-type': 'application/json',
    'user-agent': 'test',
  };
  const call = send({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: `${PATH}?q=${CANARY}`,
    headers,
    agent: false,
  });
  call.end(JSON.stringify(BODY));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  await text(answer);
  if (!outcome) throw new Error('The handler was not called');
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}

describe('Pino', () => {
  const logging = (write: (log: pino.Logger, exchange: Exchange) => void) => (exchange: Exchange) => {
    const lines: string[] = [];
    const log = pino({ serializers: logSerializers(banked) }, { write: (line) => void lines.push(line) });
    write(log, exchange);
    return lines.join('');
  };
  const req = {
    method: 'POST',
    path: PATH,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'test',
      'content-length': String(JSON.stringify(BODY).length),
    },
    body: SHOWN,
  };

  it.each<[how: string, (log: pino.Logger, exchange: Exchange) => void]>([
    ['as `req`', (log, exchange) => log.info({ req: exchange.req }, 'payment')],
    ['as it is', (log, exchange) => log.info(exchange.req)],
    ['bound to a child', (log, exchange) => log.child({ req: exchange.req }).info('payment')],
  ])('logs a request %s without what is protected', async (_, write) => {
    const line = await during(logging(write));
    expect(line).not.toContain(CANARY);
    expect(JSON.parse(line).req).toEqual(req);
  });

  it('logs them also when its standard serializers come first, as they do in pino-http', async () => {
    const { wrapErrorSerializer, wrapRequestSerializer, wrapResponseSerializer } = pino.stdSerializers;
    const serializers = logSerializers(banked);
    const error = Object.assign(new TypeError('out of stock'), { body: CANARY });
    expect(wrapErrorSerializer(serializers.err)(error)).toEqual(serializers.err(error));
    await during((exchange) => {
      expect(wrapRequestSerializer(serializers.req)(exchange.req)).toEqual(req);
      expect(wrapResponseSerializer(serializers.res)(exchange.res)).toEqual({
        status: 200,
        headers: { 'content-type': 'application/json' },
      });
    });
  });

  it('logs a response and an error without what is protected', async () => {
    const error = Object.assign(new SyntaxError(`Unexpected token in ${CANARY}`), {
      body: CANARY,
      status: 400,
    });
    const line = await during(
      logging((log, { res }) => {
        log.info({ res }, 'answered');
        log.info(res);
        log.error({ err: error }, 'refused');
      }),
    );
    expect(line).not.toContain(CANARY);
    const [named, alone, failed] = line
      .trim()
      .split('\n')
      .map((it) => JSON.parse(it));
    expect(named.res).toEqual({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(alone.res).toEqual(named.res);
    expect(failed.err).toMatchObject({ type: 'SyntaxError', message: '[REDACTED]', status: 400 });
  });
});

describe("Pino's message of an error", () => {
  const failure = (): unknown => {
    try {
      return JSON.parse(CANARY);
    } catch (error) {
      return error;
    }
  };
  const linesOf = (write: (log: pino.Logger) => void, options: pino.LoggerOptions = {}): object[] => {
    const lines: string[] = [];
    write(pino({ ...logOptions(banked), ...options }, { write: (line) => void lines.push(line) }));
    return lines.map((line) => JSON.parse(line));
  };

  it('quotes what could not be parsed, where there are serializers alone', () => {
    const { serializers } = logOptions(banked);
    const [line] = linesOf((log) => log.error(failure()), { serializers, hooks: {} });
    expect(line).toMatchObject({ err: { message: '[REDACTED]' }, msg: expect.stringContaining('canary') });
  });

  it.each<[how: string, write: (log: pino.Logger) => void, options?: pino.LoggerOptions]>([
    ['alone', (log) => log.error(failure())],
    ['as `err`', (log) => log.error({ err: failure() })],
    ['under another `errorKey`', (log) => log.error({ error: failure() }), { errorKey: 'error' }],
    ['alone, under another `errorKey`', (log) => log.error(failure()), { errorKey: 'error' }],
    ['by a child', (log) => log.child({ id: 1 }, { level: 'warn' }).warn({ err: failure() })],
    ['under another `messageKey`', (log) => log.fatal(failure()), { messageKey: 'message' }],
  ])('shows what the serializer shows of an error %s', (_, write, options) => {
    const [line] = linesOf(write, options);
    const { errorKey = 'err', messageKey = 'msg' } = options ?? {};
    expect(line).toMatchObject({
      [errorKey]: { type: 'SyntaxError', message: '[REDACTED]' },
      [messageKey]: '[REDACTED]',
    });
    expect(JSON.stringify(line)).not.toContain('canary');
  });

  it('is the one that comes with the error, and of other errors their own', () => {
    const lines = linesOf((log) => {
      log.error(failure(), 'refused');
      log.error({ err: failure(), msg: 'refused' });
      log.error(new Error('out of stock'));
    });
    expect(lines).toMatchObject([{ msg: 'refused' }, { msg: 'refused' }, { msg: 'out of stock' }]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('goes through the `logMethod` of the application as well', () => {
    const { serializers, hooks } = logOptions(banked);
    const [line] = linesOf((log) => log.error(failure()), {
      serializers,
      hooks: {
        logMethod(args, method) {
          hooks.logMethod.call(this, [{ err: args[0], source: 'bank' }], method);
        },
      },
    });
    expect(line).toMatchObject({ source: 'bank', msg: '[REDACTED]' });
    expect(JSON.stringify(line)).not.toContain('canary');
  });
});

describe('util.inspect', () => {
  const everyWay = (value: unknown): string =>
    [
      inspect(value, { depth: 20 }),
      inspect(value, { depth: 20, showHidden: true }),
      inspect({ nested: [value] }, { depth: 20 }),
      format('%o %O', value, value),
    ].join('\n');

  it('shows plain data of what the serializers return', async () => {
    const { req } = logSerializers(banked);
    const shown = await during((exchange) => everyWay(req(exchange.req)));
    expect(shown).toContain("payee: '[REDACTED]'");
    expect(shown).not.toContain(CANARY);
  });

  it('shows a request, its response and its body without what is protected, once they are concealed', async () => {
    const [shown, request, response] = await during(({ req, res }) => {
      expect(everyWay(req)).toContain(CANARY);
      concealFromInspect(banked, req);
      return [everyWay([req.body, req.body.payee]), everyWay(req), inspect(res.req, { depth: 20 })];
    });
    for (const text of [shown, request, response]) {
      expect(text).toContain('[REDACTED]');
      expect(text).not.toContain(CANARY);
    }
  });
});
