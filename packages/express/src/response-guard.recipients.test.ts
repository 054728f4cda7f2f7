import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { E2eeError, type Recipient } from '@e2ee/core';
import type { ErrorRequestHandler, Express, NextFunction, Request, Response } from 'express';
import { afterAll, describe, expect, it } from 'vitest';
import { bank, bankOptions, CANARY, MASK, opened, partner, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf, settle, watch } from '../test/watch.js';
import { type Answer, call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

type Way = (res: Response, req: Request) => unknown;
type FindRecipient = NonNullable<E2eeExpressOptions['recipient']>;

const SESSION = '/v2/payment_sessions/1';

async function session(
  version: Version,
  way: Way,
  recipient: FindRecipient,
): Promise<{ answer: Answer; events: unknown[] }> {
  const { app, events } = bank(version, { recipient });
  app.get(SESSION, (req, res, next) => {
    Promise.resolve()
      .then(() => way(res, req))
      .catch(next);
  });
  return { answer: await call(await listen(app), { path: SESSION }), events };
}

describe.each(versions)('a recipient on $name', (version) => {
  const answerWith =
    (status: number): Way =>
    (res) =>
      res.status(status).json({ id: 1, payee: { name: CANARY } });

  describe.each([200, 201, 404, 422, 500])('of an answer of %d', (status) => {
    it('gets its fields encrypted', async () => {
      const { answer } = await session(version, answerWith(status), () => partner('encrypt'));
      expect(answer.status).toBe(status);
      const { encrypted_payee: token, ...others } = answer.json as Record<string, unknown>;
      expect(others).toEqual({ id: 1 });
      expect(await opened(token)).toEqual({ name: CANARY });
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it('gets its fields masked', async () => {
      const { answer, events } = await session(version, answerWith(status), () => partner('redact'));
      expect(answer).toMatchObject({ status, json: { id: 1, payee: { name: MASK } } });
      expect(events).toEqual([]);
    });

    it('gets one message of exactly `application/jose`', async () => {
      const { answer } = await session(version, answerWith(status), () => partner('message'));
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toBe('application/jose');
      expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
      expect(answer.text).toMatch(/^[\w-]+(?:\.[\w-]+){4}$/);
      expect(await opened(answer.text)).toEqual({ id: 1, payee: { name: CANARY } });
    });
  });

  it('gets a message from JSON that was sent as text as well', async () => {
    const way: Way = (res) => res.type('html').send(JSON.stringify({ payee: CANARY }));
    const { answer } = await session(version, way, () => partner('message'));
    expect(answer.headers['content-type']).toBe('application/jose');
    expect(await opened(answer.text)).toEqual({ payee: CANARY });
  });

  it('gets a token that the handler made itself as it is', async () => {
    const own = await sealed({ payee: 1 });
    const { answer } = await session(
      version,
      (res) => res.type('application/jose').send(own),
      () => partner('message'),
    );
    expect([answer.status, answer.text]).toEqual([200, own]);
  });

  it('may be found later, and is asked for once', async () => {
    let lookups = 0;
    const { answer } = await session(
      version,
      (res) => {
        expect(lookups).toBe(0);
        res.json({ payee: CANARY });
        res.json({ payee: CANARY });
        res.end(CANARY);
      },
      async () => {
        lookups += 1;
        await settle();
        return partner('encrypt');
      },
    );
    expect(await opened((answer.json as { encrypted_payee: string }).encrypted_payee)).toBe(CANARY);
    expect(lookups).toBe(1);
  });

  it('without keys gets masks, and the event names it', async () => {
    const { answer, events } = await session(version, answerWith(200), () => ({
      id: 'acme',
      response: 'encrypt',
    }));
    expect(answer).toMatchObject({ status: 200, json: { payee: { name: MASK } } });
    expect(events).toMatchObject([{ type: 'redacted_without_key', recipient: 'acme' }]);
  });

  const unavailable = new E2eeError('keys_unavailable', 'The JWKS of acme is out of reach');
  const failures: [string, FindRecipient, number][] = [
    [
      'whose lookup throws',
      () => {
        throw new Error('database down');
      },
      500,
    ],
    ['whose lookup throws nothing', () => Promise.reject(), 500],
    [
      'whose lookup rejects',
      async () => {
        await settle();
        throw new Error('database down');
      },
      500,
    ],
    [
      'whose keys are down',
      () =>
        withKeys(async () => {
          throw unavailable;
        }),
      503,
    ],
    ['whose keys are broken', () => withKeys(async () => ({}) as never), 500],
    ['who chose nothing', () => ({ ...partner('encrypt'), response: undefined as never }), 500],
  ];

  const notFound: Way = (res) => res.status(404).json({ payee: CANARY });

  it.each(failures)('%s stops the answer', async (what, recipient, status) => {
    const { uncaught, printed } = watch();
    for (const way of [
      (res) => res.json({ payee: CANARY }),
      (res) => res.send(JSON.stringify({ payee: CANARY })),
      notFound,
    ] satisfies Way[]) {
      const { answer, events } = await session(version, way, recipient);
      // Without a recipient, an error can still keep its status, though not its body.
      const keepsStatus = what.startsWith('whose lookup') && way === notFound;
      expect(answer.status).toBe(keepsStatus ? 404 : status);
      expect(answer.json).toMatchObject({ errors: [{ title: 'The request could not be processed' }] });
      expect(answer.headers['retry-after']).toBe(status === 503 ? '30' : undefined);
      expect(answer.text).not.toMatch(/database|acme/);
      expect(events).toMatchObject([{ type: 'response_refused', operation: 'GET /v2/payment_sessions/:id' }]);
      expect(everythingOf([answer, events]) + printed()).not.toContain(CANARY);
    }
    expect(uncaught).toEqual([]);
  });

  it('whose lookup blames the client is still a failure of ours', async () => {
    const { answer } = await session(version, answerWith(200), async () => {
      throw new E2eeError('token_invalid', 'no');
    });
    expect(answer).toMatchObject({ status: 500, json: { errors: [{ code: 'response_refused' }] } });
    expect(answer.text).not.toContain(CANARY);
  });

  it.each(failures)('%s stops raw bytes as well', async (_, recipient) => {
    const { uncaught } = watch();
    for (const way of RAW_WAYS) {
      const { answer } = await session(version, way, recipient);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.text).not.toContain(CANARY);
    }
    expect(uncaught).toEqual([]);
  });

  it.each(['encrypt', 'redact', 'message'] as const)(
    'of %s gets no raw bytes of a covered answer',
    async (response) => {
      for (const way of RAW_WAYS) {
        const { answer } = await session(version, way, () => partner(response));
        expect(answer.status).toBe(500);
        expect(answer.text).not.toContain(CANARY);
      }
    },
  );
});

const RAW_WAYS: readonly Way[] = [
  (res) => res.send(CANARY),
  (res) => res.end(CANARY),
  (res) => Readable.from([CANARY, CANARY]).pipe(res),
];

function withKeys(current: NonNullable<Recipient['encryptionKeys']>['current']): Recipient {
  return { id: 'acme', response: 'encrypt', encryptionKeys: { current, refresh: async () => {} } };
}

/** Headers without the date, and without how the bytes are framed where the handler does not say how many there are. */
function comparable({ headers, headerNames }: Answer): Pick<Answer, 'headers' | 'headerNames'> {
  const left = Object.entries(headers).filter(
    ([name]) => !/^(?:date|transfer-encoding|content-length)$/.test(name),
  );
  const names = headerNames.filter((name) => !/^(?:transfer-encoding|content-length)$/i.test(name));
  return { headers: Object.fromEntries(left), headerNames: names.sort() };
}

const folder = mkdtempSync(join(tmpdir(), 'e2ee-express-'));
const file = join(folder, 'notes.csv');
writeFileSync(file, 'note\n'.repeat(20_000));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a handler may do where the policy says nothing of the response. */
const UNTOUCHED: Readonly<Record<string, Way>> = {
  'res.json': (res) => res.json({ note: 'x', list: [1, { a: null }] }),
  'res.json with a status': (res) => res.status(422).json({ error: 'x' }),
  'res.send of text': (res) => res.send('ünï\u{1f511}'),
  'res.send of HTML': (res) => res.status(202).type('html').send('<p>x</p>'),
  'res.send of bytes': (res) => res.send(Buffer.from([0, 255, 128])),
  'res.send of true': (res) => res.send(true),
  'res.send of null': (res) => res.send(null),
  'res.end of text': (res) => res.end('text'),
  'res.end with an encoding': (res) => res.end('ff00', 'hex'),
  'res.end': (res) => res.status(404).end(),
  'res.sendStatus': (res) => res.sendStatus(200),
  'res.sendFile': (res) => res.sendFile(file),
  'res.download': (res) => res.download(file, 'n.csv'),
  'res.redirect': (res) => res.redirect('/x'),
  'res.cookie': (res) => res.cookie('a', '1').cookie('b', '2').set('x-own', ['1', '2']).json({}),
  'an own ETag': (res) =>
    res.set({ etag: '"own"', 'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT' }).send('x'),
  'a stream of many chunks': (res) =>
    Readable.from(Array.from({ length: 500 }, (_, i) => `${i},`.repeat(99))).pipe(res),
  'a pipeline': (res) => pipeline(Readable.from(Array.from({ length: 500 }, (_, i) => `${i},`)), res),
  'writes over some time': async (res) => {
    res.write('1');
    await settle();
    res.write('2');
    res.write(Buffer.from('3'));
    res.write('34', 'hex');
    await settle();
    res.end('5');
  },
  'writes that wait for each other': async (res) => {
    for (const part of 'abc') await new Promise((done) => res.write(part, done));
    await new Promise<void>((done) => res.end('d', done));
  },
  'back-pressure': async (res) => {
    for (let i = 0; i < 20; i += 1) if (!res.write(`${i}`.repeat(9000))) await once(res, 'drain');
    res.end();
  },
  'writeHead with an object': (res) =>
    res.writeHead(203, { 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('x'),
  'writeHead with a reason': (res) => res.writeHead(203, 'Fine', { 'content-type': 'text/csv' }).end('x'),
  'writeHead with a list': (res) =>
    res.set('x-own', 'no').writeHead(203, ['x-own', 'yes', 'set-cookie', 'b=2']).end('x'),
  'writeHead without headers': (res) => res.writeHead(206).end('x'),
  'a reason of its own': (res) => {
    res.statusMessage = 'Fine';
    res.send('x');
  },
  trailers: (res) => {
    res.set('trailer', 'x-sum');
    res.write('x');
    res.addTrailers({ 'x-sum': '1' });
    res.end();
  },
  'flushHeaders and a write': (res) => {
    res.set('x-own', '1').flushHeaders();
    res.write('data: 1\n\n');
    res.end();
  },
  'an error': () => {
    throw Object.assign(new Error('teapot'), { status: 418, stack: 'Error: teapot' });
  },
};

describe.each(versions)('an operation without response rows on $name', (version) => {
  async function notes(
    way: Way,
    protect?: (app: Express) => void,
  ): Promise<Omit<Answer, 'bytes'> & { base64: string }> {
    const app = version.express();
    app.use(version.express.json());
    protect?.(app);
    app.post('/v2/notes', (req, res, next) => {
      Promise.resolve()
        .then(() => way(res, req))
        .catch(next);
    });
    const answer = await call(await listen(app), {
      path: '/v2/notes',
      body: { encrypted_note: await sealed('x') },
    });
    const { status, reason, bytes, text, json } = answer;
    return { status, reason, json, text, base64: bytes.toString('base64'), ...comparable(answer) };
  }

  describe.each(['redact', 'encrypt'] as const)('answers a recipient of %s', (choice) => {
    it.each(Object.entries(UNTOUCHED))('with %s as if the adapter were not there', async (_, way) => {
      const { uncaught } = watch();
      const recipient: FindRecipient = async () => {
        await settle();
        return partner(choice);
      };
      const guarded = await notes(way, (app) => app.use(version.e2ee(bankOptions({ recipient }))));
      expect(guarded).toEqual(await notes(way));
      expect(uncaught).toEqual([]);
    });
  });

  it.each(Object.entries(UNTOUCHED))(
    'answers a recipient of a message with %s sealed or not at all',
    async (_, way) => {
      const { uncaught } = watch();
      const bare = await notes(way);
      const answer = await notes(way, (app) =>
        app.use(version.e2ee(bankOptions({ recipient: () => partner('message') }))),
      );
      const { 'content-type': type } = answer.headers;
      if (bare.text === '') expect(answer.text).toBe('');
      else if (bare.headers['content-type']?.startsWith('application/json')) {
        expect([answer.status, type]).toEqual([bare.status, 'application/jose']);
        expect(await opened(answer.text)).toEqual(bare.json);
      } else if (bare.status >= 300 && bare.status < 400) {
        expect(answer).toMatchObject({ status: bare.status, text: '' });
      } else {
        expect(answer.status).toBe(bare.status < 400 ? 500 : bare.status);
        expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
      }
      expect(uncaught).toEqual([]);
    },
  );

  it.each(Object.entries(UNTOUCHED))('answers with %s where there are no recipients', async (_, way) => {
    expect(await notes(way, (app) => app.use(version.e2ee(bankOptions())))).toEqual(await notes(way));
  });

  it('repeats no protected value of the request in an error, however it is made', async () => {
    const secret = `O'Neil & "Söhne" ${CANARY}`;
    const ways: readonly ((res: Response, next: NextFunction, note: string) => void)[] = [
      (_, next, note) => next(new Error(`bad note ${note}`)),
      (_, next, note) => next(Object.assign(new Error(note), { status: 400 })),
      (res, _, note) => void res.status(400).json({ message: `bad: ${note}` }),
      (res, _, note) => void res.status(422).json({ errors: { [note]: 'too long' } }),
      (res, _, note) => void res.status(400).type('text').send(`bad: ${note}`),
      (res, _, note) => void res.writeHead(500).end(note),
      (res, _, note) => {
        res.statusMessage = `bad ${note.replace(/[^\w ]/g, '')}`;
        res.status(400).json({ message: note });
      },
    ];
    for (const way of ways) {
      const app = version.express();
      app.use(version.express.json(), version.e2ee(bankOptions()));
      app.post('/v2/notes', (req, res, next) => way(res, next, req.body.note));
      app.use(((error, _req, res, next) => {
        if (error.status === 400) next(error);
        else res.status(500).json({ message: error.message, stack: error.stack });
      }) satisfies ErrorRequestHandler);
      const body = { encrypted_note: await sealed(secret) };
      const { status, reason, text } = await call(await listen(app), { path: '/v2/notes', body });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(reason + text).not.toContain(CANARY);
      expect(JSON.parse(text)).toMatchObject({ errors: [{ code: 'response_refused' }] });
    }
  });
});
