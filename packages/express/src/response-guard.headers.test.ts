import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import compression from 'compression';
import type { RequestHandler, Response } from 'express';
import { describe, expect, it } from 'vitest';
import { bankOptions, CANARY, MASK, opened, partner, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf, settle, watch } from '../test/watch.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

type Way = (res: Response) => unknown;
type Send = (request?: Call) => Promise<Answer>;

interface Setup {
  readonly recipient?: E2eeExpressOptions['recipient'];
  readonly outside?: RequestHandler;
  readonly inside?: RequestHandler;
}

const through: RequestHandler = (_req, _res, next) => next();

async function serve(
  { express, e2ee }: Version,
  way: Way,
  { recipient, outside = through, inside = through }: Setup = {},
): Promise<Send> {
  const app = express();
  app.use(outside, express.json(), e2ee(bankOptions(recipient && { recipient })), inside);
  app.all(['/v2/payment_sessions/:id', '/v2/notes'], (_, res) => void way(res));
  const port = await listen(app);
  return (request) => call(port, { path: '/v2/payment_sessions/1', ...request });
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

const TEXT = JSON.stringify({ payee: CANARY });

describe.each(versions)('the headers of a protected response on $name', (version) => {
  it('keep cookies, their order, and whatever else the handler set', async () => {
    const send = await serve(version, (res) => {
      res.cookie('a', '1').cookie('b', '2', { httpOnly: true });
      res.set({
        'x-own': 'yes',
        'cache-control': 'private',
        'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      });
      res.set('x-list', ['1', '2']).vary('origin').links({ next: '/2' });
      res.status(202).json({ payee: CANARY });
    });
    const { status, headers, headerNames } = await send();
    expect(status).toBe(202);
    expect(headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/; HttpOnly']);
    expect(headers).toMatchObject({
      'x-own': 'yes',
      'x-list': '1, 2',
      'cache-control': 'private',
      vary: 'origin',
      link: '</2>; rel="next"',
      'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(headerNames.filter((name) => name.toLowerCase() === 'x-list')).toHaveLength(2);
  });

  it('lose what described the body of the handler', async () => {
    const send = await serve(version, (res) => {
      res.set({
        etag: `"${sha(TEXT)}"`,
        'content-length': String(TEXT.length),
        'content-md5': sha(TEXT),
        'content-digest': `sha-256=:${sha(TEXT)}:`,
        digest: `sha-256=${sha(TEXT)}`,
      });
      res.type('json').send(TEXT);
    });
    const answer = await send();
    expect(answer).toMatchObject({ status: 200, json: { payee: MASK } });
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(everythingOf(answer.headers)).not.toContain(sha(TEXT));
    for (const name of ['content-md5', 'content-digest', 'digest'])
      expect(answer.headers).not.toHaveProperty(name);
  });

  it('lose it as well where the answer is ours', async () => {
    const send = await serve(version, (res) => {
      res.attachment(`${CANARY}.csv`).set({
        'content-language': 'de',
        'content-location': `/${CANARY}`,
        'content-range': 'bytes 0-9/10',
        'content-encoding': 'identity',
        'transfer-encoding': 'chunked',
        trailer: 'x-sum',
        etag: '"own"',
        'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
        'x-own': 'yes',
      });
      res.cookie('a', '1');
      res.end('id,payee');
    });
    const answer = await send();
    expect(answer).toMatchObject({ status: 500, json: { errors: [{}] } });
    expect(Object.keys(answer.headers).sort()).toEqual([
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'set-cookie',
      'x-own',
      'x-powered-by',
    ]);
    expect(everythingOf(answer)).not.toContain(CANARY);
  });

  it.each(['ünï\u{1f511}', '\u2028', '\\u0000'])('count bytes, not characters, of %s', async (value) => {
    const send = await serve(version, (res) => res.json({ note: value, payee: CANARY }));
    const answer = await send();
    expect(answer.json).toEqual({ note: value, payee: MASK });
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
  });

  it('have an ETag of the protected body, so that a mask of another value is the same', async () => {
    let payee = CANARY;
    const send = await serve(version, (res) => res.json({ payee }));
    const first = await send();
    payee = 'another';
    const second = await send({ headers: { 'if-none-match': String(first.headers.etag) } });
    expect(second).toMatchObject({ status: 304, text: '', headers: { etag: first.headers.etag } });
  });

  it('never make a client keep an encrypted body', async () => {
    const send = await serve(version, (res) => res.json({ payee: CANARY }), {
      recipient: () => partner('encrypt'),
    });
    const first = await send();
    const second = await send({ headers: { 'if-none-match': String(first.headers.etag) } });
    expect([second.status, second.headers.etag === first.headers.etag]).toEqual([200, false]);
  });

  it('say nothing of a status that was replaced', async () => {
    const send = await serve(version, (res) => {
      res.statusMessage = 'All Fine';
      res.end(CANARY);
    });
    expect(await send()).toMatchObject({ status: 500, reason: 'Internal Server Error' });
  });

  it('keep the reason that the handler gave', async () => {
    const send = await serve(version, (res) => {
      res.statusMessage = 'All Fine';
      res.json({ payee: CANARY });
    });
    expect(await send()).toMatchObject({ status: 200, reason: 'All Fine', json: { payee: MASK } });
  });

  it('keep both cookies of a list for writeHead', async () => {
    const send = await serve(version, (res) =>
      res.set('x-own', 'no').writeHead(200, ['x-own', 'yes', 'set-cookie', 'a=1', 'set-cookie', 'b=2']).end(),
    );
    const { headers } = await send();
    expect(headers).toMatchObject({ 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] });
  });

  it('are those of the answer, whatever a handler does to them while it is being protected', async () => {
    const send = await serve(version, (res) => {
      res.cookie('a', '1').cookie('b', '2').json({ payee: CANARY });
      res.cookie('c', '3').status(500).type('html').set('content-length', '1').statusMessage = 'Late';
    });
    const answer = await send();
    expect(answer).toMatchObject({ status: 200, reason: 'OK', json: { payee: MASK } });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/', 'c=3; Path=/']);
  });
});

const compress = compression({ threshold: 0, filter: () => true }) as unknown as RequestHandler; // its types are of Express 5 only

/** Ends a response some time after it is told to, as a session does that has to be saved. */
const saveFirst: RequestHandler = (_, res, next) => {
  const { end } = res;
  res.end = (...args: unknown[]) => {
    setTimeout(() => Reflect.apply(end, res, args), 5);
    return res;
  };
  next();
};

describe.each(versions)('middleware that changes responses, on $name', (version) => {
  const gzip = { headers: { 'accept-encoding': 'gzip' } };

  function inflated({ headers, bytes }: Answer): string {
    const isGzip = headers['content-encoding'] === 'gzip' && bytes.length > 0;
    return isGzip ? gunzipSync(bytes).toString() : bytes.toString();
  }

  describe.each(['outside', 'inside'] as const)('compressing %s', (place) => {
    const ways: [string, Way, number][] = [
      ['res.json', (res) => res.json({ payee: CANARY, more: 'x'.repeat(5000) }), 200],
      ['res.send of text', (res) => res.send(CANARY.repeat(99)), 500],
      ['res.end of text', (res) => res.end(CANARY.repeat(99)), 500],
      // Inside, what is to be protected is compressed already.
      ['res.end of JSON', (res) => res.end(TEXT + ' '.repeat(5000)), place === 'inside' ? 500 : 200],
      [
        'res.write in parts',
        (res) => {
          for (let i = 0; i < 99; i += 1) res.write(CANARY.repeat(99));
          res.end();
        },
        500,
      ],
      ['text with a status', (res) => res.status(404).send(CANARY.repeat(99)), 404],
      ['a redirection', (res) => res.redirect('/x'), 302],
      ['nothing', (res) => res.status(204).end(), 204],
    ];

    it.each(ways)('leaves a body that fits its headers for %s', async (_, way, status) => {
      const { uncaught } = watch();
      const send = await serve(version, way, { [place]: compress });
      const answer = await send(gzip);
      expect(answer.status).toBe(status);
      expect(inflated(answer)).not.toContain(CANARY);
      if (status === 200) {
        expect(answer.headers['content-encoding']).toBe('gzip');
        expect(JSON.parse(inflated(answer))).toMatchObject({ payee: MASK });
      } else if (status >= 400) {
        expect(JSON.parse(inflated(answer))).toMatchObject({ errors: [{ code: 'response_refused' }] });
      } else {
        expect(inflated(answer)).toBe('');
      }
      await settle();
      expect(uncaught).toEqual([]);
    });

    it('works with a recipient of a message', async () => {
      const send = await serve(version, (res) => res.json({ payee: CANARY }), {
        [place]: compress,
        recipient: () => partner('message'),
      });
      const answer = await send(gzip);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/jose',
        'content-encoding': 'gzip',
      });
      expect(await opened(inflated(answer))).toEqual({ payee: CANARY });
    });

    it('lets a stream of many chunks through where the policy says nothing of the response', async () => {
      const parts = Array.from({ length: 300 }, (_, i) => `${i},`.repeat(99));
      const send = await serve(
        version,
        async (res) => {
          for (const part of parts) res.write(part);
          await settle();
          res.end('end');
        },
        { [place]: compress, recipient: () => partner('redact') },
      );
      const answer = await send({ path: '/v2/notes', ...gzip, body: { encrypted_note: await sealed('x') } });
      expect([answer.status, answer.headers['content-encoding']]).toEqual([200, 'gzip']);
      expect(inflated(answer)).toBe(`${parts.join('')}end`);
    });
  });

  it.each(['outside', 'inside'] as const)('waiting before the end, %s, changes nothing', async (place) => {
    const { uncaught } = watch();
    const cases: [Way, number, string][] = [
      [(res) => res.json({ payee: CANARY }), 200, JSON.stringify({ payee: MASK })],
      [(res) => res.status(204).end(), 204, ''],
      [(res) => res.end(CANARY), 500, 'response_refused'],
      [
        (res) => {
          res.write(CANARY);
          res.end(CANARY);
        },
        500,
        'response_refused',
      ],
    ];
    for (const [way, status, text] of cases) {
      const send = await serve(version, way, { [place]: saveFirst });
      const answer = await send();
      expect(answer.status).toBe(status);
      expect(answer.text).toContain(text);
      expect(answer.text).not.toContain(CANARY);
    }
    expect(uncaught).toEqual([]);
  });

  it('waiting before the end outside leaves no gap for what a handler writes after its answer', async () => {
    const { uncaught } = watch();
    const late: ((res: Response) => unknown)[] = [
      (res) => res.write(CANARY),
      (res) => res.end(CANARY),
      (res) => res.send(CANARY),
      (res) => res.json({ payee: CANARY }),
    ];
    for (const more of late) {
      const send = await serve(
        version,
        async (res) => {
          res.json({ payee: CANARY });
          await new Promise(setImmediate);
          more(res);
        },
        { outside: saveFirst },
      );
      expect(await send()).toMatchObject({ status: 200, text: JSON.stringify({ payee: MASK }) });
    }
    await settle();
    expect(uncaught).toEqual([]);
  });

  it('that adds a header at the last moment is heard', async () => {
    const outside: RequestHandler = (_, res, next) => {
      const { writeHead } = res;
      res.writeHead = (...args: unknown[]) => {
        res.setHeader('x-late', 'yes');
        return Reflect.apply(writeHead, res, args);
      };
      next();
    };
    for (const way of [
      (res) => res.json({ payee: CANARY }),
      (res) => res.end(CANARY),
      (res) => res.end(),
      (res) => res.writeHead(200).end(),
    ] satisfies Way[]) {
      const send = await serve(version, way, { outside });
      expect((await send()).headers['x-late']).toBe('yes');
    }
  });

  it('behind the adapter may change the JSON of a handler, and is protected', async () => {
    const inside: RequestHandler = (_, res, next) => {
      const { json } = res;
      res.json = (body: object) => Reflect.apply(json, res, [{ ...body, payee: CANARY }]);
      next();
    };
    const send = await serve(version, (res) => res.json({ id: 1 }), { inside });
    expect(await send()).toMatchObject({ status: 200, json: { id: 1, payee: MASK } });
  });
});
