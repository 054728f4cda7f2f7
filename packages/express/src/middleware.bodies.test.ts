import { gzipSync } from 'node:zlib';
import type { Request, RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { keyRing, profile, ringWith, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf } from '../test/watch.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';

const SESSIONS = '/v2/payment_sessions';
const ACCOUNTS = '/v2/bank_accounts';
const JSON_TYPE = { 'content-type': 'application/json' };

interface Bench {
  readonly send: (request: Call) => Promise<Answer>;
  /** What each call of a handler found in `req.body`. */
  readonly got: unknown[];
}

/** The adapter between `before` and the handler of every operation. */
async function bench(
  { express, e2ee }: Version,
  before: readonly RequestHandler[],
  after: readonly RequestHandler[] = [],
): Promise<Bench> {
  const got: unknown[] = [];
  const app = express();
  app.use(...before, e2ee({ profile, keyRing, onEvent: () => {} }), ...after);
  app.use((req: Request, res) => {
    got.push(req.body);
    res.json({});
  });
  const port = await listen(app);
  return { got, send: (request) => call(port, { method: 'POST', path: SESSIONS, ...request }) };
}

function code({ json }: Answer): unknown {
  return (json as { errors?: { code?: string }[] } | undefined)?.errors?.[0]?.code;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const PART = { 'content-type': 'multipart/form-data; boundary=x' };
const PLAIN = '{"payee":"plain-text-value"}';
const MULTIPART = '--x\r\nContent-Disposition: form-data; name="payee"\r\n\r\nplain-text-value\r\n--x--\r\n';

describe.each(versions)('a request body on $name', (version) => {
  const { express } = version;

  describe('where a parser has read it', () => {
    it.each([
      ['an object without protected fields', '{"id":7}', { id: 7 }],
      ['an empty object', '{}', {}],
      ['a text for a text parser', '{"id":[7]}', { id: [7] }, { type: 'application/json' }],
      ['white space around', ' \n{"id":7}\t ', { id: 7 }],
      [
        'members called __proto__ and constructor',
        '{"__proto__":{"payee":1},"constructor":2}',
        JSON.parse('{"__proto__":{"payee":1},"constructor":2}'),
      ],
    ])('lets %s through', async (_, body, expected, text?: object) => {
      const { send, got } = await bench(version, [text ? express.text(text) : express.json()]);
      expect(await send({ headers: JSON_TYPE, body })).toMatchObject({ status: 200 });
      expect(got).toEqual([expected]);
      expect(Object.keys(got[0] as object)).toEqual(Object.keys(expected));
    });

    it.each([
      ['null', 'null', 200],
      ['an array', '[{"payee":1}]', 400],
      ['an empty array', '[]', 400],
      ['a number', '42', 400],
      ['a text', '"payee"', 400],
      ['true', 'true', 400],
    ])(
      'treats %s as a body without the shape of the policy, in which nothing can hide',
      async (_, body, status) => {
        const { send, got } = await bench(version, [express.json({ strict: false })]);
        expect(await send({ headers: JSON_TYPE, body })).toMatchObject({ status });
        expect(got).toEqual(status === 200 ? [JSON.parse(body)] : []);
      },
    );

    it('decrypts fields of a chunked body', async () => {
      const { send, got } = await bench(version, [express.json()]);
      const text = JSON.stringify({ encrypted_payee: await sealed({ a: 1 }) });
      const chunks = [text.slice(0, 40), text.slice(40, 41), text.slice(41)];
      expect(await send({ headers: JSON_TYPE, body: chunks })).toMatchObject({ status: 200 });
      expect(got).toEqual([{ payee: { a: 1 } }]);
    });

    it('decrypts fields of a body that was compressed on the way', async () => {
      const { send, got } = await bench(version, [express.json()]);
      const body = gzipSync(JSON.stringify({ encrypted_payee: await sealed(1) }));
      expect(await send({ headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body })).toMatchObject({
        status: 200,
      });
      expect(got).toEqual([{ payee: 1 }]);
    });

    it.each(['application/merge-patch+json', 'APPLICATION/JSON', 'application/json; charset=UTF-8'])(
      'takes %s for JSON',
      async (type) => {
        const { send, got } = await bench(version, [express.json({ type: () => true })]);
        const body = JSON.stringify({ encrypted_payee: await sealed(1) });
        expect(await send({ headers: { 'content-type': type }, body })).toMatchObject({ status: 200 });
        expect(got).toEqual([{ payee: 1 }]);
      },
    );
  });

  describe('that no parser has read', () => {
    const plain: Call = { headers: JSON_TYPE, body: PLAIN };

    it.each([
      ['no parser at all', [], []],
      ['the parser behind', [], [express.json()]],
      ['another parser only', [express.urlencoded({ extended: false })], []],
      ['a parser for another type of JSON', [express.json({ type: 'application/vnd.other+json' })], []],
    ])('is refused with %s, in plain as well as encrypted', async (_, before, after) => {
      const { send, got } = await bench(version, before, after);
      const encrypted = { headers: JSON_TYPE, body: JSON.stringify({ encrypted_payee: await sealed(1) }) };
      for (const request of [plain, encrypted, { ...plain, body: [PLAIN] }]) {
        const answer = await send(request);
        expect([answer.status, code(answer)]).toEqual([400, 'body_unreadable']);
        expect(answer.text).not.toContain('plain-text-value');
      }
      expect(got).toEqual([]);
    });

    it.each([
      ['plain text', { headers: { 'content-type': 'text/plain' }, body: PLAIN }],
      ['a form', { headers: FORM, body: 'payee=plain-text-value' }],
      ['a multipart form', { headers: PART, body: MULTIPART }],
      ['XML', { headers: { 'content-type': 'application/xml' }, body: '<payee>plain-text-value</payee>' }],
      [
        'JSON in UTF-16',
        {
          headers: { 'content-type': 'application/json; charset=utf-16le' },
          body: Buffer.from(PLAIN, 'utf16le'),
        },
      ],
      [
        'JSON in Latin-1',
        { headers: { 'content-type': 'application/json;charset="iso-8859-1"' }, body: PLAIN },
      ],
      [
        'a token where fields are due',
        { headers: { 'content-type': 'application/jose' }, body: 'a.b.c.d.e' },
      ],
    ] satisfies [string, Call][])(
      'is refused as %s, whether or not something reads it',
      async (_, request) => {
        const readers: (readonly RequestHandler[])[] = [
          [express.json()],
          [express.json(), express.urlencoded({ extended: true })],
          [express.text({ type: () => true, defaultCharset: 'utf-8' })],
          [express.raw({ type: () => true })],
          [],
        ];
        for (const before of readers) {
          const { send, got } = await bench(version, before);
          for (const path of [SESSIONS, ACCOUNTS]) {
            const answer = await send({ ...request, path });
            expect([400, 415]).toContain(answer.status);
            expect(answer.text).not.toContain('plain-text-value');
          }
          expect(got).toEqual([]);
        }
      },
    );

    it('is refused without a content type', async () => {
      for (const before of [[], [express.json()], [express.text()]]) {
        const { send, got } = await bench(version, before);
        const answer = await send({ body: [PLAIN] });
        expect([answer.status, code(answer), got]).toEqual([400, 'body_unreadable', []]);
      }
    });

    it('is refused as the bytes or the text that another parser left', async () => {
      const bytes = await bench(version, [express.raw({ type: 'application/json' })]);
      const answer = await bytes.send(plain);
      expect([answer.status, code(answer)]).toEqual([400, 'body_unreadable']);
      const text = await bench(version, [express.text({ type: 'application/json' })]);
      for (const [body, expected] of [
        [PLAIN, 'plaintext_refused'],
        ['{"payee":', 'body_unreadable'],
        ['payee', 'body_unreadable'],
      ]) {
        const { status, json } = await text.send({ headers: JSON_TYPE, body });
        expect([status, code({ json } as Answer)]).toEqual([400, expected]);
      }
      expect([...bytes.got, ...text.got]).toEqual([]);
    });

    it('is refused when somebody else has read the stream', async () => {
      const reader: RequestHandler = (req, _, next) => {
        req.resume().on('end', () => next());
      };
      const { send, got } = await bench(version, [reader, express.json()]);
      const { status } = await send(plain);
      expect([400, 415, 500]).toContain(status);
      expect(got).toEqual([]);
    });
  });

  describe('that is not there', () => {
    const absent: [string, Call][] = [
      ['nothing', {}],
      ['no bytes', { headers: { ...JSON_TYPE, 'content-length': '0' } }],
      ['no bytes in chunks', { headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' } }],
      ['an empty object', { headers: JSON_TYPE, body: '{}' }],
    ];

    it.each(absent)('reaches the handler as %s where no field is required', async (_, request) => {
      const { send, got } = await bench(version, [express.json()]);
      expect(await send(request)).toMatchObject({ status: 200 });
      expect([undefined, {}]).toContainEqual(got[0]);
    });

    it.each(absent)(
      'is refused as %s where a field is required, which the answer names',
      async (_, request) => {
        const { send, got } = await bench(version, [express.json()]);
        const { status, json } = await send({ ...request, path: ACCOUNTS });
        expect(status).toBe(400);
        expect(json).toMatchObject({ errors: [{ code: 'field_required', source: 'account_number' }] });
        expect(got).toEqual([]);
      },
    );
  });

  describe('beyond all bounds', () => {
    it.each(['[', '{"payee":', '{"a":'])(
      'is refused when `%s` is nested 50,000 deep, and the process goes on',
      async (open) => {
        const { send, got } = await bench(version, [express.json({ limit: '1mb' })]);
        const close = open === '[' ? ']' : '}';
        const body = `${open.repeat(50_000)}${open === '[' ? '' : '1'}${close.repeat(50_000)}`;
        const answer = await send({ headers: JSON_TYPE, body });
        expect([answer.status, code(answer)]).toEqual([400, 'limit_exceeded']);
        expect(await send({ headers: JSON_TYPE, body: '{}' })).toMatchObject({ status: 200 });
        expect(got).toEqual([{}]);
      },
    );

    it('is refused with 1,700 tokens before the first of them is opened', async () => {
      const { express, e2ee } = version;
      const lookups: string[] = [];
      const counting = ringWith(keyRing, { find: (kid) => void lookups.push(kid) });
      const policy = { [`POST ${SESSIONS}`]: { 'payees.#.name': { request: 'encrypt' as const } } };
      const app = express();
      app.use(
        express.json({ limit: '2mb' }),
        e2ee({ profile, keyRing: counting, policy, onEvent: () => {} }),
      );
      app.use(() => expect.unreachable());
      const token = await sealed(1);
      const body = { payees: Array.from({ length: 1700 }, () => ({ encrypted_name: token })) };
      const answer = await call(await listen(app), { path: SESSIONS, body });
      expect([answer.status, code(answer), lookups]).toEqual([400, 'limit_exceeded', []]);
      expect(everythingOf(answer.json)).not.toContain(token);
    });
  });
});
