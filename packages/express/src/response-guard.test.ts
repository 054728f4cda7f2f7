import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Express, Request, Response } from 'express';
import { afterAll, describe, expect, it } from 'vitest';
import { bank, CANARY, MASK, partner } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf, settle, watch } from '../test/watch.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

type Way = (res: Response, req: Request) => unknown;

const PLAIN = { id: 1, payee: CANARY };
const TEXT = JSON.stringify(PLAIN);

const folder = mkdtempSync(join(tmpdir(), 'e2ee-express-'));
const file = join(folder, 'payee.json');
writeFileSync(file, TEXT);
afterAll(() => rmSync(folder, { recursive: true }));

/** A stream of many chunks, each with something to hide. */
function chunks(): Readable {
  return Readable.from(Array.from({ length: 300 }, (_, i) => `${i}:${CANARY}`.repeat(50)));
}

/** Ways of sending JSON that can be read back. */
const JSON_WAYS: Readonly<Record<string, Way>> = {
  'res.json': (res) => res.json(PLAIN),
  'res.send of an object': (res) => res.send(PLAIN),
  'res.send of JSON as text': (res) => res.send(TEXT),
  'res.send of JSON with white space around': (res) => res.send(` ${TEXT}\n`),
  'res.jsonp without a callback': (res) => res.jsonp(PLAIN),
  'res.format': (res) => res.format({ json: () => res.json(PLAIN) }),
  'another type of JSON': (res) => res.type('application/vnd.api+json').send(TEXT),
  'JSON under a type of text': (res) => res.type('text').send(TEXT),
  'res.send of JSON as bytes': (res) => res.type('json').send(Buffer.from(TEXT)),
  'res.json of bytes': (res) => res.json(Buffer.from(TEXT)),
  'res.end of JSON as text': (res) => res.type('json').end(TEXT),
  'res.end of JSON without a type': (res) => res.end(TEXT),
  'res.end of JSON as bytes': (res) => res.end(Buffer.from(TEXT)),
  'res.end of JSON in another encoding': (res) => res.end(Buffer.from(TEXT).toString('base64'), 'base64'),
  'writeHead with the length and res.end of JSON': (res) =>
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': TEXT.length }).end(TEXT),
  'an object with toJSON': (res) => res.json({ toJSON: () => PLAIN }),
  'members with toJSON': (res) => res.json({ id: 1, payee: { toJSON: () => CANARY } }),
  'res.json after some time': async (res) => {
    await settle();
    res.json(PLAIN);
  },
  'res.json after flushHeaders': (res) => {
    res.flushHeaders();
    res.json(PLAIN);
  },
  'res.json after writeHead': (res) => {
    res.writeHead(200, { 'x-own': '1' });
    res.json(PLAIN);
  },
};

/** Ways of sending what cannot be read as JSON, or only as JSON of another shape. */
const OTHER_WAYS: Readonly<Record<string, Way>> = {
  'res.send of text': (res) => res.send(CANARY),
  'res.send of HTML': (res) => res.type('html').send(`<p>${CANARY}</p>`),
  'res.send of two JSON texts': (res) => res.send(TEXT + TEXT),
  'res.send of bytes': (res) => res.send(Buffer.from(CANARY)),
  'res.send of a typed array': (res) => res.send(new Uint8Array(Buffer.from(CANARY))),
  'res.send of true': (res) => res.send(true),
  'res.json of a text': (res) => res.json(CANARY),
  'res.json of a number': (res) => res.json(42),
  'res.json of an array': (res) => res.json([PLAIN]),
  'res.json of something cyclic': (res) => {
    const cyclic: Record<string, unknown> = { payee: CANARY };
    cyclic.self = cyclic;
    res.json(cyclic);
  },
  'res.json of a BigInt': (res) => res.json({ payee: CANARY, amount: 1n }),
  'res.json of a getter that throws': (res) =>
    res.json({
      payee: CANARY,
      get bad() {
        throw new Error(CANARY);
      },
    }),
  'res.json nested too deep': (res) =>
    res.json(JSON.parse(`${'{"a":'.repeat(90)}"${CANARY}"${'}'.repeat(90)}`)),
  'res.jsonp with a callback': (res) => res.jsonp(PLAIN),
  'res.sendFile': (res) => res.sendFile(file),
  'res.download': (res) => res.download(file, 'payee.json'),
  'res.render': (res) => res.render('payee'),
  'res.sendStatus(200)': (res) => res.sendStatus(200),
  'res.attachment': (res) => res.attachment('payee.csv').send(`payee\n${CANARY}`),
  'res.end of text': (res) => res.end(CANARY),
  'res.end of two JSON texts': (res) => res.type('json').end(TEXT + TEXT),
  'res.end of bytes that are not UTF-8': (res) => res.end(Buffer.from(`{"payee":"${CANARY}é"}`, 'latin1')),
  'res.write of JSON and res.end of the rest': (res) => res.write(TEXT) && res.end(' '),
  'res.end of bytes': (res) => res.end(Buffer.from(CANARY)),
  'res.end with an encoding': (res) => res.end(Buffer.from(CANARY).toString('hex'), 'hex'),
  'res.write in parts': (res) => {
    for (const part of CANARY) res.write(part);
    res.end();
  },
  'res.write over some time': async (res) => {
    res.write('{"payee":');
    await settle();
    res.write(`"${CANARY}"`);
    await settle();
    res.end('}');
  },
  'res.write in a cork': (res) => {
    res.cork();
    res.write(CANARY);
    res.uncork();
    res.end();
  },
  'a stream of one chunk of JSON': (res) => Readable.from([TEXT]).pipe(res),
  'a stream that has all of its JSON already': (res) => new PassThrough().end(TEXT).pipe(res),
  'a pipeline of one chunk of JSON': (res) => pipeline(Readable.from([TEXT]), res),
  'an awaited write of JSON': async (res) => {
    await res.write(TEXT);
    res.end();
  },
  'a stream of many chunks': (res) => chunks().pipe(res),
  'a pipeline': (res) => pipeline(chunks(), res),
  'a stream that honours back-pressure': async (res) => {
    for await (const chunk of chunks()) if (!res.write(chunk)) await once(res, 'drain');
    res.end();
  },
  'writeHead with an object': (res) => res.writeHead(200, { 'content-type': 'text/plain' }).end(CANARY),
  'writeHead with a list': (res) => res.writeHead(200, 'OK', ['content-type', 'text/plain']).end(CANARY),
  'writeHead with the length': (res) => res.writeHead(200, { 'content-length': CANARY.length }).end(CANARY),
  flushHeaders: (res) => {
    res.flushHeaders();
    res.end(CANARY);
  },
  'server-sent events': (res) => {
    res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    res.flushHeaders();
    res.write(`data: ${CANARY}\n\n`);
    res.end();
  },
};

/** Ways of sending no body at all. */
const EMPTY_WAYS: Readonly<Record<string, Way>> = {
  'res.end': (res) => res.end(),
  'res.end with a callback': (res) => res.end(() => {}),
  'res.end of nothing': (res) => res.end(null),
  'res.end of an empty text': (res) => res.end(''),
  'res.end of no bytes': (res) => res.end(Buffer.alloc(0)),
  'res.send': (res) => res.send(),
  'res.send of undefined': (res) => res.send(undefined),
  'res.send of null': (res) => res.send(null),
  'res.send of an empty text': (res) => res.send(''),
  'res.send of no bytes': (res) => res.send(Buffer.alloc(0)),
  'res.json of undefined': (res) => res.json(undefined),
  'writeHead and res.end': (res) => res.writeHead(200, { 'x-own': '1' }).end(),
};

interface Bench {
  readonly send: (request?: Call) => Promise<Answer>;
  readonly events: unknown[];
  readonly app: Express;
}

async function bench(version: Version, way: Way, options: Partial<E2eeExpressOptions> = {}): Promise<Bench> {
  const { app, events } = bank(version, options);
  app.engine('txt', (_path, _options, done) => done(null, `payee: ${CANARY}`));
  app.set('view engine', 'txt').set('views', folder);
  writeFileSync(join(folder, 'payee.txt'), '');
  app.get('/v2/payment_sessions/:id', (req, res, next) => {
    // As Express 5 does it for both: what a handler rejects with goes to the error handlers.
    Promise.resolve()
      .then(() => way(res, req))
      .catch(next);
  });
  const port = await listen(app);
  return {
    app,
    events,
    send: (request) => call(port, { path: '/v2/payment_sessions/1?callback=show', ...request }),
  };
}

function lengthFits({ headers, bytes }: Answer): boolean {
  return headers['content-length'] === undefined || Number(headers['content-length']) === bytes.length;
}

describe.each(versions)('the response guard on $name', (version) => {
  it.each(Object.entries(JSON_WAYS).filter(([name]) => name !== 'res.jsonp without a callback'))(
    'protects %s',
    async (_, way) => {
      const { send } = await bench(version, way);
      const answer = await send();
      expect(answer).toMatchObject({ status: 200, json: { id: 1, payee: MASK } });
      expect(everythingOf(answer)).not.toContain(CANARY);
      expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    },
  );

  it('protects res.jsonp without a callback', async () => {
    const { send } = await bench(version, (res) => res.jsonp(PLAIN));
    const answer = await send({ path: '/v2/payment_sessions/1' });
    expect(answer).toMatchObject({ status: 200, json: { id: 1, payee: MASK } });
  });

  it.each(Object.entries(OTHER_WAYS))('refuses %s and names the operation', async (_, way) => {
    const { uncaught, printed } = watch();
    const { send, events } = await bench(version, way);
    const answer = await send();
    expect(answer.status).toBe(500);
    expect(answer.reason).toBe('Internal Server Error');
    expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(lengthFits(answer)).toBe(true);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'response_refused', operation: 'GET /v2/payment_sessions/:id' }),
    );
    await settle();
    expect(everythingOf([answer, events]) + printed()).not.toContain(CANARY);
    expect(uncaught).toEqual([]);
  });

  it.each(Object.entries(EMPTY_WAYS))('lets %s through, which shows nothing', async (_, way) => {
    const { send, events } = await bench(version, way);
    expect(await send()).toMatchObject({ status: 200, text: '' });
    expect(events).toEqual([]);
  });

  it.each([400, 401, 404, 409, 422, 500, 503])('protects JSON in an answer of %d', async (status) => {
    const { send } = await bench(version, (res) =>
      res.status(status).json({ error: 'x', payee: { name: CANARY } }),
    );
    expect(await send()).toMatchObject({ status, json: { error: 'x', payee: { name: MASK } } });
  });

  it.each([400, 404, 418, 500, 503])(
    'keeps the status of an answer of %d whose body cannot be read',
    async (status) => {
      for (const way of ['send', 'end', 'write'] as const) {
        const { send, events } = await bench(version, (res) => {
          res.status(status).set({ 'retry-after': '7', 'content-disposition': 'inline' });
          if (way === 'send') res.send(`sorry ${CANARY}`);
          else if (way === 'end') res.end(`sorry ${CANARY}`);
          else chunks().pipe(res);
        });
        const answer = await send();
        expect(answer).toMatchObject({ status, json: { errors: [{ code: 'response_refused' }] } });
        expect(answer.headers).toMatchObject({
          'retry-after': '7',
          'content-type': expect.stringMatching(/^application\/json/),
        });
        expect(lengthFits(answer)).toBe(true);
        expect(everythingOf([answer, events])).not.toContain(CANARY);
      }
    },
  );

  it('keeps a status of its own message', async () => {
    const { send } = await bench(version, (res) => res.sendStatus(404));
    expect(await send()).toMatchObject({ status: 404, reason: 'Not Found', json: { errors: [{}] } });
  });

  it.each([301, 302, 303, 307, 308])('keeps a redirection of %d and drops its text', async (status) => {
    const { send } = await bench(version, (res) => res.redirect(status, '/elsewhere'));
    const answer = await send();
    expect(answer).toMatchObject({ status, text: '', headers: { location: '/elsewhere' } });
  });

  it.each([204, 304])('sends no body with %d, whatever the handler gave it', async (status) => {
    const ways: Way[] = [
      (res) => res.status(status).json(PLAIN),
      (res) => res.status(status).send(CANARY),
      (res) => res.status(status).end(CANARY),
      (res) => chunks().pipe(res.status(status)),
      (res) => res.sendStatus(status),
      (res) => res.writeHead(status).end(),
    ];
    for (const way of ways) {
      const { send } = await bench(version, way);
      const answer = await send();
      expect(answer).toMatchObject({ status, text: '' });
      expect(answer.headers).not.toHaveProperty('content-length');
    }
  });

  it('sends no body with 205, whatever the handler gave it', async () => {
    for (const way of [
      (res) => res.status(205).json(PLAIN),
      (res) => res.status(205).send(CANARY),
      (res) => res.status(205).end(CANARY),
    ] satisfies Way[]) {
      const { send } = await bench(version, way);
      expect(await send()).toMatchObject({ status: 205, text: '' });
    }
  });

  it('answers HEAD with the length of the protected body', async () => {
    const { send } = await bench(version, (res) => res.json(PLAIN));
    const { headers } = await send();
    const answer = await send({ method: 'HEAD' });
    expect(answer).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-length': headers['content-length'] },
    });
  });

  it('answers HEAD for what cannot be read without a body as well', async () => {
    for (const way of [
      OTHER_WAYS['res.end of text'],
      OTHER_WAYS['res.send of text'],
      OTHER_WAYS['a pipeline'],
    ]) {
      const { send } = await bench(version, way ?? (() => expect.unreachable()));
      expect(await send({ method: 'HEAD' })).toMatchObject({ status: 500, text: '' });
    }
  });

  it('looks at a body as the settings of the application make it', async () => {
    const { app, send } = await bench(version, (res) =>
      res.json({ id: 1, other: { payee: 'open' }, secret: CANARY }),
    );
    app.set('json spaces', 2);
    app.set('json replacer', (key: string, value: unknown) => {
      return key === '' ? { id: 2, payee: (value as { secret: string }).secret } : value;
    });
    expect((await send()).json).toEqual({ id: 2, payee: MASK });
  });

  it('shows dates and the like as JSON would', async () => {
    const { send } = await bench(version, (res) =>
      res.json({
        at: new Date(0),
        none: undefined,
        map: new Map([[1, 2]]),
        nan: Number.NaN,
        payee: new Date(0),
      }),
    );
    expect((await send()).json).toEqual({ at: '1970-01-01T00:00:00.000Z', map: {}, nan: null, payee: MASK });
  });

  it('never changes what the handler gave it', async () => {
    const body = Object.freeze({ id: 1, payee: Object.freeze({ name: CANARY }) });
    const { send } = await bench(version, (res) => res.json(body), { recipient: () => partner('encrypt') });
    expect(await send()).toMatchObject({ status: 200 });
    expect(body).toEqual({ id: 1, payee: { name: CANARY } });
  });

  it('returns what Express returns, so that calls can be chained', async () => {
    const { send } = await bench(version, (res) => {
      expect(res.status(200).json(PLAIN)).toBe(res);
      expect(res.send('x')).toBe(res);
      expect(res.end()).toBe(res);
      expect(res.writeHead(200)).toBe(res);
    });
    expect(await send()).toMatchObject({ status: 200, json: { payee: MASK } });
  });
});

describe('the response guard on Express 4', () => {
  const version = versions[1] as Version; // there are two

  /** The forms with a status, which Express 5 has given up. */
  function legacy(res: Response): { send: (...args: unknown[]) => void; json: (...args: unknown[]) => void } {
    return res as never;
  }

  it('knows the forms that take a status', async () => {
    watch(); // Express says that they are deprecated
    for (const way of [
      (res) => legacy(res).send(201, PLAIN),
      (res) => legacy(res).json(201, PLAIN),
      (res) => legacy(res).send(TEXT, 201),
    ] satisfies Way[]) {
      const { send } = await bench(version, way);
      expect(await send()).toMatchObject({ status: 201, json: { id: 1, payee: MASK } });
    }
    for (const way of [
      (res) => legacy(res).send(200),
      (res) => legacy(res).send(200, CANARY),
      (res) => legacy(res).send(CANARY, 200),
    ] satisfies Way[]) {
      const { send } = await bench(version, way);
      const answer = await send();
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain(CANARY);
    }
  });
});
