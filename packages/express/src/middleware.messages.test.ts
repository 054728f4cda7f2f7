import { gzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { bankOptions, CANARY, opened, partner, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

const JOSE = { 'content-type': 'application/jose' };

const token = await sealed(1);

interface Bench {
  readonly send: (request: Call) => Promise<Answer>;
  readonly got: { body: unknown; type: unknown }[];
}

async function bench(
  { e2ee, express }: Version,
  {
    before = [],
    after = [],
    ...options
  }: Partial<E2eeExpressOptions> & {
    before?: readonly RequestHandler[];
    after?: readonly RequestHandler[];
  } = {},
): Promise<Bench> {
  const app = express();
  const got: Bench['got'] = [];
  app.use(...before, e2ee(bankOptions(options)), ...after);
  app.post('/v2/messages', (req, res) => {
    got.push({ body: req.body, type: req.get('content-type') });
    res.json({ said: CANARY });
  });
  const port = await listen(app);
  return {
    got,
    send: (request) => call(port, { method: 'POST', path: '/v2/messages', headers: JOSE, ...request }),
  };
}

/** Reads a body without a trace for other parsers. */
const ownReader: RequestHandler = (req, _, next) => {
  let text = '';
  req.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  req.on('end', () => {
    req.body = text;
    next();
  });
};

describe.each(versions)('a whole message on $name', (version) => {
  const { express } = version;
  const parsers: [string, Parameters<typeof bench>[1]][] = [
    ['no parser', {}],
    ['express.json() before', { before: [express.json()] }],
    ['express.json() behind', { after: [express.json()] }],
    [
      'express.json() and a form parser on both sides',
      {
        before: [express.json(), express.urlencoded({ extended: true })],
        after: [express.json(), express.urlencoded({ extended: true })],
      },
    ],
    ['express.text() before, for every type', { before: [express.text({ type: () => true })] }],
    [
      'a reader of its own before and express.json() behind',
      { before: [ownReader], after: [express.json()] },
    ],
    ['a JSON parser for every type behind', { after: [express.json({ type: () => true })] }],
  ];

  it.each(parsers)('reaches the handler as the JSON it holds, with %s', async (_, setup) => {
    const { send, got } = await bench(version, setup);
    for (const value of [{ a: [1] }, [], 'text', 0, null, false]) {
      const body = await sealed(value);
      expect(await send({ body })).toMatchObject({ status: 200 });
      expect(await send({ body: [body.slice(0, 9), body.slice(9)] })).toMatchObject({ status: 200 });
      expect(got.splice(0)).toEqual(Array(2).fill({ body: value, type: 'application/json' }));
    }
  });

  it.each(['application/jose; charset=utf-8', 'Application/JOSE'])('is recognised as %s', async (type) => {
    const { send, got } = await bench(version, { before: [express.json()] });
    expect(await send({ headers: { 'content-type': type }, body: await sealed(1) })).toMatchObject({
      status: 200,
    });
    expect(got).toMatchObject([{ body: 1 }]);
  });

  it('may be compressed on the way', async () => {
    const { send, got } = await bench(version);
    const body = gzipSync(await sealed({ a: 1 }));
    expect(await send({ headers: { ...JOSE, 'content-encoding': 'gzip' }, body })).toMatchObject({
      status: 200,
    });
    expect(got).toMatchObject([{ body: { a: 1 } }]);
  });

  it.each([
    ['a token that is none', 'hello', 400, 'token_invalid'],
    ['plain JSON under the type of a token', `{"said":"${CANARY}"}`, 400, 'token_invalid'],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x2e]), 400, 'token_invalid'],
    ['a token with a line break behind', `${token}\n`, 400, 'token_invalid'],
  ])('is refused for %s', async (_, body, status, code) => {
    const { send, got } = await bench(version, { before: [express.json()] });
    const answer = await send({ body });
    expect(answer).toMatchObject({ status, json: { errors: [{ code }] } });
    expect(answer.text).not.toContain(CANARY);
    expect(got).toEqual([]);
  });

  it('is refused as bytes that somebody else has read', async () => {
    const { send, got } = await bench(version, { before: [express.raw({ type: () => true })] });
    expect(await send({ body: await sealed(1) })).toMatchObject({ status: 400 });
    expect(got).toEqual([]);
  });

  it.each([
    ['too long', { body: 'A'.repeat(3001) }, 413, 'body_too_large'],
    ['too long, in chunks', { body: ['A'.repeat(1500), 'A'.repeat(1501)] }, 413, 'body_too_large'],
    [
      'too long once inflated',
      { headers: { ...JOSE, 'content-encoding': 'gzip' }, body: gzipSync('A'.repeat(900_000)) },
      413,
      'body_too_large',
    ],
    [
      'badly compressed',
      { headers: { ...JOSE, 'content-encoding': 'gzip' }, body: 'no gzip' },
      400,
      'body_unreadable',
    ],
    [
      'in an unknown encoding',
      { headers: { ...JOSE, 'content-encoding': 'x-own' }, body: 'AAAA' },
      415,
      'media_type_unsupported',
    ],
    [
      'in an unknown charset',
      { headers: { 'content-type': 'application/jose; charset=x-own' }, body: 'AAAA' },
      415,
      'media_type_unsupported',
    ],
    ['exactly as long as it may be', { body: 'A'.repeat(3000) }, 400, 'token_invalid'],
  ] satisfies [string, Call, number, string][])(
    "is refused in the profile's form when it is %s",
    async (_, request, status, code) => {
      const { send, got } = await bench(version, {
        before: [express.json()],
        limits: { messageLength: 3000 },
      });
      const answer = await send(request);
      expect(answer).toMatchObject({ status, json: { errors: [{ code }] } });
      expect(answer.headers['content-type']).toBe('application/json');
      expect(got).toEqual([]);
    },
  );

  it('is refused in plain, as every type of body', async () => {
    const { send, got } = await bench(version, { before: [express.json({ strict: false }), express.text()] });
    for (const [type, body, status] of [
      ['application/json', `{"said":"${CANARY}"}`, 400],
      ['application/json', `"${CANARY}"`, 400],
      ['application/json', 'null', 400],
      ['application/json', '[]', 400],
      ['text/plain', CANARY, 400],
      ['text/plain', `{"said":"${CANARY}"}`, 415],
      ['multipart/form-data; boundary=x', CANARY, 400],
    ] as const) {
      const answer = await send({ headers: { 'content-type': type }, body });
      expect([type, body, answer.status]).toEqual([type, body, status]);
      expect(answer.text).not.toContain(CANARY);
    }
    expect(got).toEqual([]);
  });

  it('goes out as exactly `application/jose`, with the right length', async () => {
    const { send } = await bench(version, { before: [express.json()], recipient: () => partner('encrypt') });
    const answer = await send({ body: await sealed(1) });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/jose');
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(await opened(answer.text)).toEqual({ said: CANARY });
  });

  it('goes out masked to somebody without a key', async () => {
    const { send } = await bench(version, { before: [express.json()] });
    expect(await send({ body: await sealed(1) })).toMatchObject({
      status: 200,
      json: { said: '[REDACTED]' },
    });
  });

  it('lives in a member of a JSON body where the profile says so', async () => {
    const { profile } = bankOptions();
    const enveloped = { ...profile, message: { contentType: 'application/json', member: 'payload' } };
    const { send, got } = await bench(version, {
      profile: enveloped,
      before: [express.json()],
      recipient: () => partner('encrypt'),
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await send({ headers, body: JSON.stringify({ payload: await sealed({ a: 1 }) }) });
    expect(got).toMatchObject([{ body: { a: 1 } }]);
    expect(Object.keys(answer.json as object)).toEqual(['payload']);
    expect(await opened((answer.json as { payload: string }).payload)).toEqual({ said: CANARY });
    expect(await send({ headers, body: JSON.stringify({ payload: 'plain' }) })).toMatchObject({
      status: 400,
    });
    expect(got).toHaveLength(1);
  });
});
