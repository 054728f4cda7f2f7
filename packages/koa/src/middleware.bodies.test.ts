import { bodyParser } from '@koa/bodyparser';
import type { Middleware } from 'koa';
import { describe, expect, it } from 'vitest';
import { keyRing, profile, SESSION, SESSIONS, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';
import { e2ee } from './index.js';

interface Bench {
  readonly send: (request: Call) => Promise<Answer>;
  /** What each call of the handler found in `ctx.request`, beside what Koa puts there. */
  readonly got: { body: unknown; rawBody: unknown; type: string }[];
}

async function bench(
  { Koa: Application }: Version,
  before: readonly Middleware[],
  after: readonly Middleware[] = [],
): Promise<Bench> {
  const got: Bench['got'] = [];
  const app = new Application();
  app.silent = true;
  const handler: Middleware = (ctx) => {
    const { body, rawBody } = Object(ctx.request);
    got.push({ body, rawBody, type: ctx.request.type });
    ctx.body = {};
  };
  for (const one of [...before, e2ee({ profile, keyRing, onEvent: () => {} }), ...after, handler])
    app.use(one);
  const port = await listen(app);
  return { got, send: (request) => call(port, { path: SESSIONS, ...request }) };
}

function code({ json }: Answer): unknown {
  return (json as { errors?: { code?: string }[] } | undefined)?.errors?.[0]?.code;
}

const MESSAGES = '/v2/messages';
const JOSE = { 'content-type': 'application/jose' };
const PLAIN = '{"payee":"plain-text-value"}';

describe.each(versions)('a request body on $name', (version) => {
  it('is decrypted where a parser stands before, whose raw text stays as it was sent', async () => {
    const { send, got } = await bench(version, [bodyParser()]);
    const body = JSON.stringify({ id: 7, encrypted_payee: await sealed({ a: 1 }) });
    expect(await send({ body })).toMatchObject({ status: 200 });
    expect(got).toEqual([{ body: { id: 7, payee: { a: 1 } }, rawBody: body, type: 'application/json' }]);
  });

  it.each([
    ['no parser', []],
    [
      'a parser behind',
      [bodyParser({ enableTypes: ['json', 'form', 'text'], extendTypes: { text: ['*/*'] } })],
    ],
    [
      'a parser behind that looks for another one',
      [bodyParser({ enableRawChecking: true, patchNode: true })],
    ],
  ])('is refused as fields with %s before, in plain as well as encrypted', async (_, after) => {
    const { send, got } = await bench(version, [], after);
    for (const body of [PLAIN, JSON.stringify({ encrypted_payee: await sealed(1) })]) {
      const answer = await send({ body });
      expect([answer.status, code(answer)]).toEqual([400, 'body_unreadable']);
      expect(answer.text).not.toContain('plain-text-value');
    }
    expect(got).toEqual([]);
  });

  it.each([
    ['text/plain', PLAIN, 400],
    ['application/xml', '<payee>plain-text-value</payee>', 400],
    ['application/octet-stream', PLAIN, 400],
    ['application/merge-patch+json', PLAIN, 400],
    ['application/x-www-form-urlencoded', 'payee=plain-text-value', 415],
    ['multipart/form-data; boundary=x', '--x\r\n\r\nplain-text-value\r\n--x--', 400],
    ['application/json; charset=utf-16le', PLAIN, 415],
    ['application/jose', 'a.b.c.d.e', 400],
  ])('is refused as %s, which the parser reads in its own way or leaves', async (type, body, status) => {
    const { send, got } = await bench(version, [bodyParser()]);
    const answer = await send({ headers: { 'content-type': type }, body });
    expect([status, 400, 415]).toContain(answer.status);
    expect(answer.text).not.toContain('plain-text-value');
    const texts = await bench(version, [bodyParser({ enableTypes: ['json', 'form', 'text', 'xml'] })]);
    expect([400, 415]).toContain((await texts.send({ headers: { 'content-type': type }, body })).status);
    expect([...got, ...texts.got]).toEqual([]);
  });

  it('of DELETE is refused where the parser skips it, and decrypted where it does not', async () => {
    const request = { method: 'DELETE', path: SESSION };
    const skipped = await bench(version, [bodyParser()]);
    for (const body of [{ reason: 'plain' }, { encrypted_reason: await sealed('fraud') }])
      expect(code(await skipped.send({ ...request, body }))).toBe('body_unreadable');
    expect((await skipped.send(request)).status).toBe(200);
    const parsed = await bench(version, [bodyParser({ parsedMethods: ['DELETE'] })]);
    expect(
      (await parsed.send({ ...request, body: { encrypted_reason: await sealed('fraud') } })).status,
    ).toBe(200);
    expect((await parsed.send({ ...request, body: { reason: 'plain' } })).status).toBe(400);
    expect([...skipped.got, ...parsed.got].map(({ body }) => body)).toEqual([undefined, { reason: 'fraud' }]);
  });

  it('is refused when somebody has read it and left nothing', async () => {
    const reader: Middleware = async (ctx, next) => {
      for await (const _ of ctx.req);
      await next();
    };
    const { send, got } = await bench(version, [reader]);
    expect((await send({ body: PLAIN })).status).toBe(400);
    expect(got).toEqual([]);
  });

  it('that is not there reaches the handler as it would without the adapter', async () => {
    for (const before of [[], [bodyParser()]]) {
      const { send, got } = await bench(version, before);
      expect((await send({ method: 'POST' })).status).toBe(200);
      expect([undefined, {}]).toContainEqual(got[0]?.body);
    }
  });

  it.each([
    ['no parser', [], []],
    ['a parser before', [bodyParser()], []],
    ['a parser behind', [], [bodyParser()]],
    ['parsers on both sides', [bodyParser()], [bodyParser({ enableTypes: ['json', 'text'] })]],
    [
      'a parser before that takes it for text',
      [bodyParser({ enableTypes: ['text'], extendTypes: { text: ['application/jose'] } })],
      [],
    ],
    [
      'a parser behind that takes it for text',
      [],
      [bodyParser({ enableTypes: ['text'], extendTypes: { text: ['*/*'] } })],
    ],
  ] satisfies [string, Middleware[], Middleware[]][])(
    'that is a whole message reaches the handler as the JSON it holds, with %s',
    async (_, before, after) => {
      const { send, got } = await bench(version, before, after);
      for (const value of [{ a: [1] }, [], 'text', 0, null, false]) {
        const body = await sealed(value);
        expect((await send({ path: MESSAGES, headers: JOSE, body })).status).toBe(200);
        expect(got.splice(0)).toMatchObject([{ body: value, type: 'application/json' }]);
      }
      expect(code(await send({ path: MESSAGES, headers: JOSE, body: 'plain' }))).toBe('token_invalid');
      expect(code(await send({ path: MESSAGES, headers: JOSE, body: 'A'.repeat(2_000_000) }))).toBeOneOf([
        'body_too_large',
        undefined, // the parser's own 413
      ]);
      expect(got).toEqual([]);
    },
  );
});
