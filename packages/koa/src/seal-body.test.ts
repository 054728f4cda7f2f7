import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { Context, Middleware } from 'koa';
import compress from 'koa-compress';
import { describe, expect, it } from 'vitest';
import { bank, CANARY, MASK, opened, partner, SESSION, SESSIONS, type Setup, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';

/* What middleware outside the adapter may do with the body that the adapter has protected, and what not. */

const PLAIN = { id: 1, payee: CANARY };
const TEXT = JSON.stringify(PLAIN);
const MASKED = JSON.stringify({ id: 1, payee: MASK });

const UNDO: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  ...('zstdDecompressSync' in zlib && { zstd: zlib.zstdDecompressSync as (bytes: Buffer) => Buffer }), // Node 22.15
};

interface Bench {
  readonly send: (request?: Call) => Promise<Answer>;
}

/** The handler answers `body` behind the adapter; `outside` stands before it. */
async function bench(
  version: Version,
  outside: Middleware,
  setup: Setup & { body?: unknown } = {},
): Promise<Bench> {
  const { body = PLAIN, inside = [], ...others } = setup;
  const handler: Middleware = (ctx) => {
    ctx.body = body;
  };
  const { app } = bank(version, { ...others, outside: [outside], inside: [...inside, handler] });
  const port = await listen(app);
  return { send: (request) => call(port, { path: SESSION, ...request }) };
}

/** Middleware that does something once everything inside is through. */
function then(what: (ctx: Context) => unknown): Middleware {
  return async (ctx, next) => {
    await next();
    await what(ctx);
  };
}

function plain({ headers, bytes }: Answer): string {
  const undo = UNDO[headers['content-encoding'] ?? ''];
  return String(undo ? undo(bytes) : bytes);
}

describe.each(versions)('compression outside on $name', (version) => {
  it.each(Object.keys(UNDO))('works with %s', async (coding) => {
    const { send } = await bench(version, compress({ threshold: 0 }));
    const answer = await send({ headers: { 'accept-encoding': coding } });
    expect([answer.status, answer.headers['content-encoding'], plain(answer)]).toEqual([200, coding, MASKED]);
    expect(answer.headers.vary).toBe('Accept-Encoding');
  });

  it('works with bodies of many chunks, and with such as grow', async () => {
    const random = Array.from({ length: 40_000 }, (_, i) => createHash('md5').update(`${i}`).digest('hex'));
    for (const list of [random, Array(60_000).fill('again and again'), []]) {
      const { send } = await bench(version, compress({ threshold: 0 }), { body: { list, payee: CANARY } });
      const answer = await send({ headers: { 'accept-encoding': 'gzip' } });
      expect(answer.headers['content-encoding']).toBe('gzip');
      expect(plain(answer)).toBe(JSON.stringify({ list, payee: MASK }));
    }
  });

  it.each(['text', 'bytes'])('works with JSON as %s', async (kind) => {
    const body = kind === 'text' ? TEXT : Buffer.from(TEXT);
    const { send } = await bench(version, compress({ threshold: 0, filter: () => true }), { body });
    expect(plain(await send({ headers: { 'accept-encoding': 'gzip' } }))).toBe(MASKED);
  });

  it('works with what is encrypted, and with messages', async () => {
    for (const mode of ['encrypt', 'message'] as const) {
      const { send } = await bench(version, compress({ threshold: 0, filter: () => true }), {
        recipient: () => partner(mode),
      });
      const answer = await send({ headers: { 'accept-encoding': 'gzip' } });
      expect(answer.headers['content-encoding']).toBe('gzip');
      const body = plain(answer);
      if (mode === 'message') expect(await opened(body)).toEqual(PLAIN);
      else expect(await opened(JSON.parse(body).encrypted_payee)).toBe(CANARY);
    }
  });

  it('has nothing to do with what is short, with HEAD, and with refusals', async () => {
    const { send } = await bench(version, compress());
    const headers = { 'accept-encoding': 'gzip' };
    expect((await send({ headers })).text).toBe(MASKED);
    expect((await send({ headers, method: 'HEAD' })).headers['content-length']).toBe(String(MASKED.length));
    expect(await send({ headers, path: SESSIONS, body: { payee: 'plain' } })).toMatchObject({
      status: 400,
      json: { errors: [{ code: 'plaintext_refused' }] },
    });
  });

  it('cannot work on the errors of middleware between it and the adapter: their text is lost', async () => {
    const errors: Middleware = async (ctx, next) => {
      await next().catch((error) => {
        ctx.status = 409;
        ctx.body = { payee: error.message };
      });
    };
    const { app } = bank(version, {
      outside: [compress({ threshold: 0 }), errors],
      inside: [
        () => {
          throw new Error(CANARY);
        },
      ],
    });
    const answer = await call(await listen(app), { path: SESSION, headers: { 'accept-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 409, json: { errors: [{ code: 'response_refused' }] } });
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });
});

describe.each(versions)('compression inside on $name', (version) => {
  it('leaves a stream, which is refused', async () => {
    const { send } = await bench(version, (_, next) => next(), { inside: [compress({ threshold: 0 })] });
    const answer = await send({ headers: { 'accept-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 500, json: { errors: [{ code: 'response_refused' }] } });
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect((await send()).text).toBe(MASKED);
  });
});

describe.each(versions)('middleware outside on $name', (version) => {
  it('sees the protected body only, as an object where the handler has set one', async () => {
    const seen: unknown[] = [];
    const { send } = await bench(
      version,
      then(({ body }) => seen.push(body)),
    );
    await send();
    expect(seen).toEqual([JSON.parse(MASKED)]);
  });

  it('sees nothing of a body that is refused', async () => {
    const seen: unknown[] = [];
    for (const body of [CANARY, Buffer.from(CANARY), Readable.from([TEXT]), [PLAIN]]) {
      const { send } = await bench(
        version,
        then((ctx) => seen.push(ctx.body, ctx.status)),
        { body },
      );
      expect((await send()).status).toBe(500);
    }
    expect(seen).toEqual(Array(4).fill(['', 500]).flat());
  });

  it('sees no ETag of the plain body, and may make one of the other', async () => {
    const etag = then((ctx) => {
      ctx.etag = createHash('sha1').update(JSON.stringify(ctx.body)).digest('hex');
      if (ctx.fresh) ctx.status = 304;
    });
    const inner: Middleware = async (ctx, next) => {
      await next();
      ctx.etag = 'of-the-plain-body';
      ctx.set('content-md5', 'of-the-plain-body');
    };
    const { send } = await bench(version, etag);
    const { headers } = await send();
    expect(headers.etag).toBe(`"${createHash('sha1').update(MASKED).digest('hex')}"`);
    expect(await send({ headers: { 'if-none-match': String(headers.etag) } })).toMatchObject({
      status: 304,
      text: '',
      headers: { etag: headers.etag },
    });
    const within = await bench(version, (_, next) => next(), { inside: [inner] });
    const answer = await within.send();
    expect(answer.headers).not.toHaveProperty('etag');
    expect(answer.headers).not.toHaveProperty('content-md5');
  });

  it('may add headers and cookies, also to a refusal', async () => {
    const { send } = await bench(
      version,
      then((ctx) => {
        ctx.set('x-response-time', '1ms');
        ctx.cookies.set('a', '1');
      }),
    );
    for (const request of [
      {},
      { path: SESSIONS, body: { payee: 'plain' } },
      { path: '/.well-known/jwks.json' },
    ])
      expect((await send(request)).headers).toMatchObject({
        'x-response-time': '1ms',
        'set-cookie': [expect.stringMatching(/^a=1/)],
      });
  });

  it('may change the status', async () => {
    const { send } = await bench(
      version,
      then((ctx) => {
        ctx.status = 202;
      }),
    );
    expect(await send()).toMatchObject({ status: 202, text: MASKED });
  });

  it('may take the body away', async () => {
    for (const body of [null, undefined, '']) {
      const { send } = await bench(
        version,
        then((ctx) => {
          ctx.body = body;
        }),
      );
      expect((await send()).text).not.toContain(CANARY);
    }
  });

  const wrapped = {
    policy: { 'GET /v2/payment_sessions/:id': { 'data.payee': { response: 'redact' } } },
  } as const;
  const envelope = then((ctx) => {
    ctx.body = { data: ctx.body, ok: true };
  });

  it('may wrap the body, of which the policy then speaks', async () => {
    const { send } = await bench(version, envelope, wrapped);
    expect((await send()).json).toEqual({ data: { id: 1, payee: MASK }, ok: true });
    const encrypted = await bench(version, envelope, {
      policy: { 'GET /v2/payment_sessions/:id': { 'data.payee': { response: 'encrypt' } } },
      recipient: () => partner('encrypt'),
    });
    const { json } = await encrypted.send();
    const { data } = json as { data: Record<string, unknown> };
    expect(await opened(data.encrypted_payee)).toBe(CANARY);
  });

  it('may wrap what is protected already', async () => {
    const { send } = await bench(version, envelope);
    expect((await send()).json).toEqual({ data: { id: 1, payee: MASK }, ok: true });
  });

  /** Ways of putting plaintext in the place of the protected body, or beside it. */
  const leaks: Readonly<Record<string, (ctx: Context) => unknown>> = {
    'another object': (ctx) => {
      ctx.body = { ...PLAIN };
    },
    'the object with a plain value put in': (ctx) => {
      Object.assign(Object(ctx.body), PLAIN);
    },
    'the body of the request': (ctx) => {
      ctx.body = { id: 1, payee: Object(Reflect.get(ctx.request, 'body')).payee };
    },
    text: (ctx) => {
      ctx.body = TEXT;
    },
    'text that is not JSON': (ctx) => {
      ctx.body = CANARY;
    },
    bytes: (ctx) => {
      ctx.body = Buffer.from(TEXT);
    },
    'a stream': (ctx) => {
      ctx.body = Readable.from([TEXT]);
    },
    'a stream of the same length': (ctx) => {
      ctx.body = Readable.from([TEXT.padEnd(MASKED.length)]);
    },
    'a long stream': (ctx) => {
      ctx.body = Readable.from(Array.from({ length: 500 }, () => CANARY.repeat(50)));
    },
    'a stream that never ends': (ctx) => {
      const stream = new PassThrough();
      for (let i = 0; i < 500; i += 1) stream.write(CANARY);
      ctx.body = stream;
    },
    'the protected body and more, streamed': (ctx) => {
      ctx.body = Readable.from([MASKED, CANARY]);
    },
    'compressed plaintext': (ctx) => {
      ctx.set('content-encoding', 'gzip');
      ctx.body = zlib.gzipSync(TEXT);
    },
    'a stream of compressed plaintext': (ctx) => {
      ctx.set('content-encoding', 'gzip');
      ctx.body = Readable.from([TEXT]).pipe(zlib.createGzip());
    },
    'a stream that says it is compressed': (ctx) => {
      ctx.set('content-encoding', 'br');
      ctx.body = Readable.from([TEXT]);
    },
    'a stream in an unknown coding': (ctx) => {
      ctx.set('content-encoding', 'rot13');
      ctx.body = Readable.from([TEXT]);
    },
    'the protected body compressed, with plaintext behind': (ctx) => {
      ctx.set('content-encoding', 'gzip');
      ctx.body = Buffer.concat([zlib.gzipSync(MASKED), zlib.gzipSync(CANARY)]);
    },
    'a bomb': (ctx) => {
      ctx.set('content-encoding', 'gzip');
      ctx.body = zlib.gzipSync(Buffer.alloc(50_000_000));
    },
    'res.end': (ctx) => {
      ctx.respond = false;
      ctx.res.end(TEXT);
    },
    'res.write in another encoding': (ctx) => {
      ctx.respond = false;
      ctx.res.write(Buffer.from(TEXT).toString('hex'), 'hex');
      ctx.res.end();
    },
    'writeHead and a pipe': (ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(200, { 'x-own': '1' });
      ctx.res.flushHeaders();
      Readable.from([TEXT]).pipe(ctx.res);
    },
    'an error': () => {
      throw Object.assign(new Error(CANARY), { status: 400, expose: true });
    },
  };

  it.each(Object.entries(leaks))('shows no plaintext with %s', async (_, leak) => {
    const { send } = await bench(version, then(leak));
    for (const accepted of ['identity', 'gzip', 'br']) {
      const answer = await send({
        path: SESSIONS,
        body: { encrypted_payee: await sealed(CANARY) },
        headers: { 'accept-encoding': accepted },
      });
      expect([200, 400, 500]).toContain(answer.status);
      expect(answer.text + tolerant(answer)).not.toContain(CANARY);
      if (answer.status !== 200)
        expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
      else expect(answer.json).toMatchObject({ payee: MASK });
    }
  });

  it('may put a long stream in the place of a text that the policy does not mind', async () => {
    const policy = { 'GET /v2/payment_sessions/:id': { other: { request: 'encrypt' } } } as const;
    const parts = Array.from({ length: 99 }, (_, i) => `${i};`.repeat(99));
    const { send } = await bench(
      version,
      then((ctx) => {
        ctx.body = Readable.from(parts);
      }),
      { policy, recipient: () => partner('encrypt'), body: 'text' },
    );
    expect((await send()).text).toBe(parts.join(''));
  });

  it('passes the bytes and the encodings that Node knows, and waits for nobody', async () => {
    const called: string[] = [];
    const { send } = await bench(
      version,
      then(async (ctx) => {
        ctx.respond = false;
        expect(ctx.res.write(Buffer.from(MASKED.slice(0, 5)).toString('base64'), 'base64')).toBe(true);
        await new Promise((done) => setImmediate(done));
        ctx.res.write(MASKED.slice(5, 9), () => called.push('write'));
        expect(ctx.res.end(new Uint8Array(Buffer.from(MASKED.slice(9))), () => called.push('end'))).toBe(
          ctx.res,
        );
      }),
    );
    expect(await send()).toMatchObject({ status: 200, text: MASKED });
    await expect.poll(() => called).toEqual(['write', 'end']);
  });
});

function tolerant(answer: Answer): string {
  try {
    return plain(answer);
  } catch {
    return '';
  }
}
