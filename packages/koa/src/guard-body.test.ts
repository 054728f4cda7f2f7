import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import { afterAll, describe, expect, it } from 'vitest';
import { bank, CANARY, MASK, opened, partner, SESSION, type Setup } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';

const PLAIN = { id: 1, payee: CANARY };
const TEXT = JSON.stringify(PLAIN);
const MASKED = JSON.stringify({ id: 1, payee: MASK });

const folder = mkdtempSync(join(tmpdir(), 'e2ee-koa-'));
const file = join(folder, 'payee.json');
writeFileSync(file, TEXT);
afterAll(() => rmSync(folder, { recursive: true }));

type Way = (ctx: Context) => unknown;

function answers(body: unknown, type?: string): Way {
  return (ctx) => {
    ctx.body = body;
    if (type !== undefined) ctx.type = type;
  };
}

/** Ways of answering with JSON that can be read. */
const JSON_WAYS: Readonly<Record<string, Way>> = {
  'an object': answers(PLAIN),
  'JSON as text': answers(TEXT),
  'JSON as bytes': answers(Buffer.from(TEXT)),
  'an object with toJSON': answers({ toJSON: () => PLAIN }),
  'an object under another type of JSON': answers(PLAIN, 'application/vnd.api+json'),
  'an object, after a while': async (ctx) => {
    await setTimeout(5);
    ctx.body = PLAIN;
  },
  'an object, after flushHeaders': (ctx) => {
    ctx.status = 200;
    ctx.flushHeaders();
    ctx.body = PLAIN;
  },
  'res.end of JSON, past Koa': (ctx) => {
    ctx.respond = false;
    ctx.status = 200;
    ctx.res.end(TEXT);
  },
  'res.end of JSON, with Koa none the wiser': (ctx) => {
    ctx.status = 200;
    ctx.res.end(TEXT);
  },
  'res.end of JSON long after the middleware': (ctx) => {
    ctx.respond = false;
    ctx.status = 200;
    void setTimeout(10).then(() => ctx.res.end(TEXT));
  },
};

/** Ways of answering with what cannot be read as JSON, or is JSON of another shape. */
const OTHER_WAYS: Readonly<Record<string, Way>> = {
  text: answers(CANARY),
  HTML: answers(`<p>${CANARY}</p>`),
  bytes: answers(Buffer.from(CANARY)),
  'an array': answers([PLAIN]),
  'something cyclic': (ctx) => {
    const cyclic: Record<string, unknown> = { payee: CANARY };
    cyclic.self = cyclic;
    ctx.body = cyclic;
  },
  'a stream': (ctx) => answers(Readable.from([TEXT]))(ctx),
  'a stream under the type of JSON': (ctx) => answers(Readable.from([TEXT]), 'json')(ctx),
  'a stream that has all of its JSON already': (ctx) => answers(new PassThrough().end(TEXT))(ctx),
  'a stream that never ends': (ctx) => {
    ctx.body = new PassThrough().on('close', () => {});
    (ctx.body as PassThrough).write(CANARY); // it was set just now
  },
  'a file': (ctx) => answers(createReadStream(file))(ctx),
  'res.write and res.end': (ctx) => {
    ctx.respond = false;
    ctx.status = 200;
    ctx.res.write(TEXT.slice(0, 9));
    ctx.res.end(TEXT.slice(9));
  },
  'a stream piped to res': (ctx) => {
    ctx.respond = false;
    ctx.status = 200;
    Readable.from([TEXT]).pipe(ctx.res);
  },
};

/** Bodies that Koa 3 knows as well. */
const WEB_WAYS: Readonly<Record<string, Way>> = {
  'a Blob': answers(new Blob([TEXT], { type: 'application/json' })),
  'a ReadableStream': (ctx) => answers(new Blob([TEXT]).stream())(ctx),
  'a Response': (ctx) =>
    answers(new Response(TEXT, { headers: { 'content-type': 'application/json' } }))(ctx),
};

interface Bench {
  readonly send: (request?: Call) => Promise<Answer>;
  readonly events: unknown[];
}

async function bench(version: Version, way: Way, setup: Setup = {}): Promise<Bench> {
  const handler: Middleware = async (ctx) => void (await way(ctx));
  const { app, events } = bank(version, { ...setup, inside: [...(setup.inside ?? []), handler] });
  const port = await listen(app);
  return { events, send: (request) => call(port, { path: SESSION, ...request }) };
}

describe.each(versions)('the answer of a handler on $name', (version) => {
  it.each(Object.entries(JSON_WAYS))('is protected as %s', async (_, way) => {
    const { send } = await bench(version, way);
    const { status, text, headers, bytes } = await send();
    expect([status, text]).toEqual([200, MASKED]);
    expect(headers['content-length']).toBe(String(bytes.length));
  });

  it.each(Object.entries(OTHER_WAYS))('is refused as %s, which names the operation', async (_, way) => {
    const { send, events } = await bench(version, way);
    const answer = await send();
    expect([answer.status, answer.reason]).toEqual([500, 'Internal Server Error']);
    expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.text).not.toContain(CANARY);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'response_refused', operation: 'GET /v2/payment_sessions/:id' }),
    );
  });

  it.each(Object.entries(WEB_WAYS))('never shows anything of %s', async (_, way) => {
    const { send } = await bench(version, way);
    const { status, text } = await send();
    if (version.name === 'Koa 3') expect(status).toBe(500);
    expect(text).not.toContain(CANARY);
  });

  it.each(Object.entries({ ...OTHER_WAYS, ...WEB_WAYS }).filter(([name]) => !/\bres\b/.test(name)))(
    'keeps the status of an error and its headers, for %s',
    async (name, way) => {
      const { send } = await bench(version, async (ctx) => {
        await way(ctx);
        ctx.status = 409;
        ctx.set('retry-after', '7');
      });
      const answer = await send();
      expect([answer.status, answer.headers['retry-after']]).toEqual([409, '7']);
      if (version.name === 'Koa 3' || name in OTHER_WAYS)
        expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
      expect(answer.text).not.toContain(CANARY);
    },
  );

  it('keeps the type that the handler gave it', async () => {
    const vendor = await bench(version, JSON_WAYS['an object under another type of JSON'] as Way);
    expect((await vendor.send()).headers['content-type']).toMatch(/^application\/vnd\.api\+json/);
    const text = await bench(version, JSON_WAYS['an object'] as Way);
    expect((await text.send()).headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('may be null, or what is no object', async () => {
    const mask = { policy: { 'GET /v2/payment_sessions/:id': { $: { response: 'redact' } } } } as const;
    for (const [body, masked] of [
      [{ a: [CANARY] }, { a: [MASK] }],
      [5, MASK],
      [`"${CANARY}"`, MASK],
      [{ toJSON: () => CANARY }, MASK],
    ]) {
      const { send } = await bench(version, answers(body, 'json'), mask);
      expect(await send()).toMatchObject({ status: 200, json: masked });
    }
    const { send } = await bench(version, answers(null), mask);
    expect(await send()).toMatchObject({ status: 204, text: '' });
  });

  it.each([204, 205, 304])('has no body with %d, whatever the handler gave it', async (status) => {
    for (const way of [
      (ctx) => {
        ctx.body = PLAIN;
        ctx.status = status;
      },
      (ctx) => {
        ctx.status = status;
        ctx.body = PLAIN;
      },
      (ctx) => {
        ctx.body = PLAIN;
        ctx.res.statusCode = status;
      },
      (ctx) => {
        ctx.status = status;
        ctx.body = Readable.from([TEXT]);
      },
    ] satisfies Way[]) {
      const { send } = await bench(version, way);
      expect(await send()).toMatchObject({ status, text: '' });
    }
  });

  it('that is empty stays so', async () => {
    for (const body of ['', Buffer.alloc(0)]) {
      const { send, events } = await bench(version, answers(body));
      expect(await send()).toMatchObject({ status: 200, text: '' });
      expect(events).toEqual([]);
    }
    for (const options of [{}, { recipient: () => partner('message') }]) {
      const { send } = await bench(
        version,
        (ctx) => {
          ctx.body = null;
          ctx.status = 402;
        },
        options,
      );
      expect(await send()).toMatchObject({ status: 402, text: '' });
    }
  });

  it.each([301, 302, 308])('keeps a redirection of %d and drops its text', async (status) => {
    const { send } = await bench(version, (ctx) => {
      ctx.status = status;
      ctx.redirect('/elsewhere');
    });
    const answer = await send();
    expect(answer).toMatchObject({ status, text: '', headers: { location: '/elsewhere' } });
  });

  it('answers HEAD with the length of the protected body', async () => {
    for (const way of ['an object', 'JSON as text', 'JSON as bytes']) {
      const { send } = await bench(version, JSON_WAYS[way] as Way);
      const answer = await send({ method: 'HEAD' });
      expect(answer).toMatchObject({
        status: 200,
        text: '',
        headers: { 'content-length': String(MASKED.length) },
      });
    }
    for (const way of ['text', 'a stream']) {
      const { send } = await bench(version, OTHER_WAYS[way] as Way);
      expect(await send({ method: 'HEAD' })).toMatchObject({ status: 500, text: '' });
    }
  });

  it('that there is none becomes the 404 in the form of the profile', async () => {
    const { send } = await bench(version, () => {});
    expect(await send()).toMatchObject({
      status: 404,
      reason: 'Not Found',
      json: { errors: [{ code: 'response_refused' }] },
    });
  });

  it('is encrypted, or a message, for a recipient who wants that', async () => {
    for (const way of ['an object', 'JSON as text', 'JSON as bytes']) {
      const fields = await bench(version, JSON_WAYS[way] as Way, { recipient: () => partner('encrypt') });
      const { json } = await fields.send();
      expect(await opened((json as Record<string, unknown>).encrypted_payee)).toBe(CANARY);
      const whole = await bench(version, JSON_WAYS[way] as Way, { recipient: () => partner('message') });
      const { headers, text } = await whole.send();
      expect(headers['content-type']).toBe('application/jose');
      expect(await opened(text)).toEqual(PLAIN);
    }
  });

  it('is never changed in place', async () => {
    const body = Object.freeze({ ...PLAIN });
    const { send } = await bench(version, answers(body));
    expect((await send()).text).toBe(MASKED);
    expect(body).toEqual(PLAIN);
  });

  it('is a message already where the handler passes one on', async () => {
    const { send } = await bench(version, JSON_WAYS['an object'] as Way, {
      recipient: () => partner('message'),
    });
    const { text } = await send();
    const forward = await bench(
      version,
      (ctx) => {
        ctx.body = text;
        ctx.type = 'application/jose';
      },
      { recipient: () => partner('message') },
    );
    expect((await forward.send()).text).toBe(text);
  });

  it('passes where the policy says nothing of it, streams included', async () => {
    const policy = { 'GET /v2/payment_sessions/:id': { other: { request: 'encrypt' } } } as const;
    for (const way of [...Object.values(JSON_WAYS), ...Object.values(OTHER_WAYS)].slice(0, -4)) {
      if (way === OTHER_WAYS['a stream that never ends'] || way === OTHER_WAYS['something cyclic']) continue;
      const { send } = await bench(version, way, { policy, recipient: () => partner('encrypt') });
      const answer = await send();
      expect([answer.status, answer.text.includes(CANARY)]).toEqual([200, true]);
    }
  });
});

describe.each(versions)('an error after decryption on $name', (version) => {
  const errors: [string, number, Way][] = [
    [
      'a plain error',
      500,
      () => {
        throw new Error(CANARY);
      },
    ],
    ['ctx.throw', 409, (ctx) => ctx.throw(409, `no account ${CANARY}`)],
    ['ctx.throw with details', 422, (ctx) => ctx.throw(422, { payee: CANARY })],
    ['ctx.assert', 401, (ctx) => ctx.assert(false, 401, CANARY)],
    [
      'an error that shows its message',
      400,
      () => {
        throw Object.assign(new Error(CANARY), {
          status: 400,
          expose: true,
          headers: { 'retry-after': '7' },
        });
      },
    ],
    [
      'a text',
      500,
      () => {
        throw CANARY;
      },
    ],
    [
      'an error behind a body',
      500,
      async (ctx) => {
        ctx.body = PLAIN;
        await setTimeout(2);
        throw new Error(CANARY);
      },
    ],
  ];

  it.each(errors)('shows nothing of %s and keeps its status', async (_, status, way) => {
    const { send } = await bench(version, way);
    const answer = await send();
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([status, false]);
    expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('keeps the headers that it brings', async () => {
    const { send } = await bench(version, errors[4]?.[2] as Way);
    expect((await send()).headers['retry-after']).toBe('7');
  });

  const echo: Middleware = async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, message } = Object(error);
      ctx.status = status ?? 500;
      ctx.body = { code: 7, payee: message };
    }
  };
  const careless: Middleware = async (ctx, next) => {
    try {
      await next();
    } catch {
      ctx.status = 500; // and a body that stands there already
    }
  };

  it.each(errors)(
    'is protected where middleware outside answers with the JSON of %s',
    async (_, status, way) => {
      const { send } = await bench(version, way, { outside: [echo] });
      const answer = await send();
      expect(answer.status).toBe(status);
      expect(answer.json).toMatchObject({ code: 7 });
      expect(answer.text).not.toContain(CANARY);
    },
  );

  it.each(errors)(
    'is protected where middleware inside answers with the JSON of %s',
    async (_, status, way) => {
      const { send } = await bench(version, way, { inside: [echo] });
      const answer = await send();
      expect([answer.status, answer.text.includes(CANARY)]).toEqual([status, false]);
    },
  );

  it('does not let the body through that was there before', async () => {
    const { send } = await bench(version, errors[6]?.[2] as Way, { outside: [careless] });
    expect(await send()).toMatchObject({ status: 500, text: MASKED });
  });
});
