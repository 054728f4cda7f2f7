import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { dial, exchange, get, parse, serve, settle, type Wire } from '../../test/raw-http.js';
import { CANARY, redactingServer } from '../../test/redacting-server.js';
import type { E2eeResponse } from '../exchange/message.js';
import { guardResponse, type Protection, type ResponseGuard } from './response-guard.node.js';

type Way = (res: ServerResponse, guard: ResponseGuard) => unknown;

const TEXT = JSON.stringify({ id: 1, payee: CANARY });
const MASKED = '{"id":1,"payee":"[REDACTED]"}';
const server = redactingServer();

const folder = mkdtempSync(join(tmpdir(), 'e2ee-guard-'));
const file = join(folder, 'payee.json');
writeFileSync(file, TEXT);
afterAll(() => rmSync(folder, { recursive: true }));

function protection(path: string): Protection {
  return {
    protect: (response) => server.protectResponse({ method: 'GET', path, headers: {} }, response),
    failure: (error) => server.errorResponse(error),
  };
}

/** Everything that a handler caused where nobody looks. */
const failures: unknown[] = [];
beforeEach(() => void failures.splice(0));

async function bench(way: Way, others: Partial<Protection> = {}): Promise<number> {
  return serve((req, res) => {
    const guard = guardResponse(res, { ...protection(String(req.url)), ...others });
    Promise.resolve()
      .then(() => way(res, guard))
      .catch((error: unknown) => failures.push(error));
  });
}

async function run(way: Way, path = '/covered', method = 'GET'): Promise<Wire> {
  return exchange(await bench(way), get(path, method));
}

function canaries({ bytes }: Wire): number {
  return bytes.toString('latin1').split(CANARY).length - 1;
}

/** Ways of ending a response with one piece of JSON. */
const WHOLE: Readonly<Record<string, Way>> = {
  'end of text': (res) => res.end(TEXT),
  'end of bytes': (res) => res.end(Buffer.from(TEXT)),
  'end of a typed array': (res) => res.end(new Uint8Array(Buffer.from(TEXT))),
  'end with an encoding': (res) => res.end(Buffer.from(TEXT).toString('hex'), 'hex'),
  'end with nulls, as Fastify does': (res) =>
    res
      .writeHead(200, { 'content-type': 'application/json', 'content-length': `${TEXT.length}` })
      .end(TEXT, null as never, null as never),
  'one write and an end at once, as Fastify did': (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': `${TEXT.length}` });
    res.write(TEXT);
    res.end(null, null as never, null as never);
  },
  'one write of bytes in a cork': (res) => {
    res.cork();
    res.write(Buffer.from(TEXT));
    res.uncork();
    res.end();
  },
  'end after flushHeaders': (res) => {
    res.flushHeaders();
    res.end(TEXT);
  },
  'end under another type': (res) => res.writeHead(200, { 'content-type': 'text/plain' }).end(TEXT),
  'end some time later': async (res) => {
    await settle();
    res.end(TEXT);
  },
};

/** Ways of sending what cannot be read back, or is no JSON. */
const REFUSED: Readonly<Record<string, Way>> = {
  'text that is not JSON': (res) => res.end(CANARY),
  HTML: (res) => res.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${CANARY}</p>`),
  'JSON of another shape': (res) => res.end(`[${TEXT}]`),
  'two JSON texts': (res) => res.end(TEXT + TEXT),
  'JSON behind a byte order mark': (res) => res.end(`\ufeff${TEXT}`),
  'bytes of JSON behind a byte order mark': (res) => res.end(Buffer.from(`\ufeff${TEXT}`)),
  'bytes that are not UTF-8': (res) => res.end(Buffer.from(TEXT.replace('1', '"\xe9"'), 'latin1')),
  'text in UTF-16': (res) => res.end(TEXT, 'utf16le'),
  'compressed JSON': (res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(TEXT)),
  'JSON that brotli left as it is': (res) =>
    res.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(TEXT)),
  'two writes': (res) => {
    res.write(TEXT.slice(0, 9));
    res.write(TEXT.slice(9));
    res.end();
  },
  'a write and an end of the rest': (res) => {
    res.write(TEXT);
    res.end('\n');
  },
  'a write and an end in the next step': async (res) => {
    res.write(TEXT);
    await undefined;
    res.end();
  },
  'a write and an end later': async (res) => {
    res.write(TEXT);
    await settle();
    res.end();
  },
  'a stream of one chunk': (res) => Readable.from([TEXT]).pipe(res),
  'a stream that has it all already': (res) => new PassThrough().end(TEXT).pipe(res),
  'a pipeline': (res) => pipeline(Readable.from([TEXT]), res),
  'a file': (res) => createReadStream(file, { end: TEXT.length - 1 }).pipe(res),
  'chunks that are awaited': async (res) => {
    for (let i = 0; i < 200; i += 1) if (!res.write(CANARY.repeat(99))) await once(res, 'drain');
    res.end();
  },
  'a list of headers': (res) => res.writeHead(200, 'OK', ['x-own', '1']).end(CANARY),
  'an event stream': (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.flushHeaders();
    res.write(`data: ${CANARY}\n\n`);
  },
};

describe('a guarded response', () => {
  it.each(Object.entries(WHOLE))('is protected for %s', async (_, way) => {
    const wire = await run(way);
    expect([wire.status, wire.reason, wire.body]).toEqual([200, 'OK', MASKED]);
    expect(wire.headers['content-length']).toBe(String(MASKED.length));
    expect(wire.headers).not.toHaveProperty('transfer-encoding');
    expect(canaries(wire)).toBe(0);
  });

  it.each(Object.entries(REFUSED))('shows nothing of %s', async (_, way) => {
    const wire = await run(way);
    expect([wire.status, wire.reason]).toEqual([500, 'Internal Server Error']);
    expect(JSON.parse(wire.body)).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(wire.headers['content-length']).toBe(String(wire.body.length));
    expect(wire.headers['content-type']).toBe('application/json');
    expect(wire.headers).not.toHaveProperty('content-encoding');
    expect(canaries(wire)).toBe(0);
  });

  it.each(Object.entries(REFUSED))('keeps the status of an error and nothing else of %s', async (_, way) => {
    const wire = await run((res, guard) => {
      const { writeHead } = res;
      // The ways above say 200 in their heads.
      res.writeHead = (...args: unknown[]) => Reflect.apply(writeHead, res, [404, ...args.slice(1)]);
      res.statusCode = 404;
      return way(res, guard);
    });
    expect(wire.status).toBe(404);
    expect(JSON.parse(wire.body)).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(wire.headers['content-length']).toBe(String(wire.body.length));
    expect(canaries(wire)).toBe(0);
  });

  it('keeps a redirection and loses its text', async () => {
    const wire = await run((res) => res.writeHead(302, { location: '/x', 'content-length': 30 }).end(CANARY));
    expect([wire.status, wire.headers.location, wire.body]).toEqual([302, '/x', '']);
    expect(wire.headers['content-length']).toBe('0');
  });

  it('protects the JSON of an error', async () => {
    const wire = await run((res) => res.writeHead(409, 'Again').end(TEXT));
    expect([wire.status, wire.reason, wire.body]).toEqual([409, 'Conflict', MASKED]);
  });

  it('passes what the policy does not mind, byte by byte, in the order it was written', async () => {
    const ways: [Way, string][] = [
      [(res) => res.writeHead(200, { 'content-length': TEXT.length }).end(TEXT), TEXT],
      [(res) => res.writeHead(200, { 'content-length': 2 }).end(Buffer.from([0x80, 0xff])), '\x80\xff'],
      [
        (res) => {
          res.writeHead(203, 'Fine', { 'content-length': 6 });
          res.write('ab');
          res.write('6364', 'hex');
          res.end('ef');
        },
        'abcdef',
      ],
      [(res) => Readable.from(['ab', 'c']).pipe(res.setHeader('content-length', 3)), 'abc'],
    ];
    for (const [way, body] of ways) expect((await run(way, '/open')).body).toBe(body);
    const { reason, status } = await run(ways[2]?.[0] as Way, '/open');
    expect([status, reason]).toEqual([203, 'Fine']);
  });

  it.each([
    ['end()', (res) => res.end()],
    ['end of nothing', (res) => res.end(null, null as never, null as never)],
    ['end of an empty text', (res) => res.end('')],
    ['end of no bytes', (res) => res.end(Buffer.alloc(0))],
    ['writeHead and end', (res) => res.writeHead(200, { 'content-length': '0' }).end()],
  ] satisfies [string, Way][])('lets an empty body through, with %s', async (_, way) => {
    const protect = (): never => expect.unreachable();
    const { status, body } = await exchange(await bench(way, { protect }), get('/covered'));
    expect([status, body]).toEqual([200, '']);
  });

  it.each([204, 304])('sends no body and no length with %d', async (status) => {
    for (const way of [
      (res) => res.writeHead(status).end(),
      (res) => res.writeHead(status).end(null, null as never, null as never),
      (res) => res.writeHead(status, { 'content-length': TEXT.length }).end(TEXT),
      (res) => Readable.from([TEXT, TEXT]).pipe(res.writeHead(status)),
    ] satisfies Way[]) {
      const wire = await run(way);
      expect([wire.status, wire.body, canaries(wire)]).toEqual([status, '', 0]);
    }
    const { headers } = await run((res) => res.writeHead(status, { 'content-length': '9' }).end(TEXT));
    expect(headers).not.toHaveProperty('content-length');
  });

  it('answers HEAD with the head of the protected body', async () => {
    for (const way of Object.values(WHOLE)) {
      const { status, headers, body } = await run(way, '/covered', 'HEAD');
      expect([status, headers['content-length'], body]).toEqual([200, String(MASKED.length), '']);
    }
    for (const way of Object.values(REFUSED))
      expect(await run(way, '/covered', 'HEAD')).toMatchObject({ status: 500, body: '' });
  });

  it('says nothing in answer to HEAD of a body that was taken away before it got here', async () => {
    const way: Way = (res) =>
      res
        .writeHead(200, { 'content-length': TEXT.length, etag: '"x"', 'content-type': 'application/json' })
        .end();
    const { status, headers } = await run(way, '/covered', 'HEAD');
    const { date, ...others } = headers;
    expect([status, others]).toEqual([200, { connection: 'close', 'content-type': 'application/json' }]);
    expect((await run((res) => res.writeHead(304, { etag: '"x"' }).end())).headers.etag).toBe('"x"');
  });

  it('keeps cookies and other headers, and loses those of the body', async () => {
    const { headers } = await run((res) => {
      res.setHeader('set-cookie', ['a=1', 'b=2']);
      res.setHeader('Transfer-Encoding', 'chunked');
      res.setHeader('Trailer', 'x-sum');
      res.setHeader('x-list', ['1', '2']);
      res.writeHead(200, [
        'ETag',
        '"x"',
        'content-md5',
        'x',
        'x-own',
        '1',
        'x-own',
        '2',
        'set-cookie',
        'c=3',
      ]);
      res.end(TEXT);
    });
    expect(headers).toMatchObject({ 'x-own': '1, 2', 'x-list': '1, 2', 'set-cookie': 'c=3' });
    for (const name of ['etag', 'content-md5', 'trailer', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name);
    const both = await run((res) => res.setHeader('set-cookie', ['a=1', 'b=2']).end(TEXT));
    expect(both.headers['set-cookie']).toBe('a=1, b=2');
  });

  it('goes out under the head it was written for, whatever becomes of that meanwhile', async () => {
    for (const [path, body] of [
      ['/covered', MASKED],
      ['/open', TEXT],
    ] as const) {
      const wire = await run((res) => {
        res.writeHead(201, 'Made', { 'content-type': 'application/json' }).end(TEXT);
        res.statusCode = 500;
        res.writeHead(500, { 'x-late': '1' });
        res.setHeader('content-type', 'text/html').setHeader('content-length', '3');
        res.statusMessage = 'Late';
      }, path);
      expect([wire.status, wire.headers['content-type']]).toEqual([201, 'application/json']);
      expect(wire.body).toContain(body);
      expect(wire.headers).not.toHaveProperty('x-late');
      expect(wire.reason).not.toBe('Late');
    }
  });

  it.each(Object.entries({ ...WHOLE, ...REFUSED }))(
    'sends nothing, not even a head, until %s may leave',
    async (_, way) => {
      let heard = 0;
      let allow = (): void => {};
      const allowed = new Promise<void>((done) => {
        allow = done;
      });
      const { protect } = protection('/covered');
      const port = await bench(way, { protect: (response) => allowed.then(() => protect(response)) });
      const socket = await dial(port);
      socket.on('data', (bytes) => {
        heard += bytes.length;
      });
      socket.write(get('/covered'));
      await settle();
      await settle();
      expect(heard).toBe(0);
      allow();
      await once(socket, 'close');
      expect(heard).toBeGreaterThan(0);
    },
  );

  it('tells `protect` the status, the headers and the body, and of an unreadable one that it is there', async () => {
    const seen: E2eeResponse[] = [];
    const protect: Protection['protect'] = async (response) => {
      seen.push(response);
      return { status: 200, headers: {}, body: {} };
    };
    for (const way of [
      (res) => res.writeHead(202, { 'X-Own': ['1', '2'] }).end(TEXT),
      (res) => Readable.from([TEXT]).pipe(res),
    ] satisfies Way[])
      await exchange(await bench(way, { protect }), get('/covered'));
    expect(seen).toEqual([
      { status: 202, headers: { 'x-own': '1,2' }, body: TEXT },
      { status: 200, headers: {}, body: new ArrayBuffer(0) },
    ]);
  });

  it('answers with the failure when it cannot be protected', async () => {
    const protect = async (): Promise<never> => {
      throw new Error(CANARY);
    };
    for (const way of [...Object.values(WHOLE), ...Object.values(REFUSED)]) {
      const wire = await exchange(await bench(way, { protect }), get('/covered'));
      expect(wire.status).toBe(500);
      expect(canaries(wire)).toBe(0);
    }
  });

  it('hears nothing after its answer, and holds nobody up', async () => {
    const over: string[] = [];
    for (const [path, body] of [
      ['/covered', '{"errors"'],
      ['/open', CANARY],
    ] as const) {
      const wire = await run(async (res) => {
        await new Promise((done) => res.end(CANARY, done as () => void));
        await new Promise((done) => res.write(CANARY, done));
        await new Promise((done) => res.end(CANARY, done as () => void));
        expect(res.write(CANARY)).toBe(true);
        res.writeHead(200, { 'x-late': CANARY });
        res.flushHeaders();
        over.push(path);
      }, path);
      expect(wire.body.startsWith(body) && canaries(wire)).toBe(path === '/open' ? 1 : 0);
    }
    await settle();
    expect([over, failures]).toEqual([['/covered', '/open'], []]);
  });

  it('calls back for everything that was written before the decision', async () => {
    for (const path of ['/covered', '/open']) {
      const called: number[] = [];
      await run((res) => {
        res.write('a', () => called.push(1));
        res.write('b', 'utf8', () => called.push(2));
        res.end('c', () => called.push(3));
      }, path);
      await settle();
      expect(called).toEqual([1, 2, 3]);
    }
  });

  it('returns what Node returns', async () => {
    const wire = await run((res) => {
      expect(res.writeHead(200)).toBe(res);
      expect(res.write('a')).toBe(true);
      expect(res.writeHead(200)).toBe(res);
      expect(res.end('b')).toBe(res);
    });
    expect([wire.status, failures]).toEqual([500, []]);
  });

  it('is back-pressured again once it may pass', async () => {
    let full = true;
    const wire = await run(async (res) => {
      res.write('a');
      await settle();
      full = !res.write('x'.repeat(5_000_000));
      res.end();
    }, '/open');
    expect([full, wire.bytes.length > 5_000_000]).toEqual([true, true]);
  });

  it('throws for an impossible status, and can still be answered', async () => {
    const wire = await run((res, guard) => {
      res.statusCode = 42;
      expect(() => res.end()).toThrow(RangeError);
      expect(guard.state).toBe('waiting');
      res.statusCode = 200;
      res.end(TEXT);
    });
    expect([wire.status, wire.body, failures]).toEqual([200, MASKED, []]);
    for (const body of [TEXT, CANARY]) {
      const refused = await run((res) => {
        res.statusCode = 1000;
        res.end(body);
      });
      expect([refused.status, canaries(refused)]).toEqual([500, 0]);
    }
  });

  it('breaks off what fails after its head has left', async () => {
    const called: string[] = [];
    const wire = await run((res) => {
      res.write('a', () => called.push('a'));
      res.write(42 as never);
    }, '/open');
    await settle();
    expect(called).toEqual(['a']);
    expect(wire.body).not.toContain('0\r\n\r\n');
    expect(failures).toEqual([]);
  });

  it('does no harm when the client is gone', async () => {
    for (const way of [...Object.values(WHOLE), ...Object.values(REFUSED)]) {
      let done = (): void => {};
      const answered = new Promise<void>((resolve) => {
        done = resolve;
      });
      const port = await bench(async (res, guard) => {
        await once(res, 'close');
        await Promise.race([way(res, guard), settle()]).finally(done);
      });
      const socket = await dial(port);
      socket.write(get('/covered'));
      await settle();
      socket.destroy();
      await answered;
    }
    await settle();
    expect(failures.splice(0).filter((error) => !/premature close/i.test(String(error)))).toEqual([]);
  });

  it('leaves the connection open for the next request', async () => {
    const port = await serve((req, res) => {
      guardResponse(res, protection('/covered'));
      if (req.url === '/one') res.end(CANARY);
      else if (req.url === '/two') Readable.from([CANARY, CANARY]).pipe(res);
      else res.end(TEXT);
    });
    const request = (path: string): string => get(path).replace('Connection: close\r\n', '');
    const { bytes } = await exchange(port, request('/one') + request('/two') + get('/three'));
    const statuses = bytes.toString().match(/HTTP\/1\.1 \d+/g);
    expect(statuses).toEqual(['HTTP/1.1 500', 'HTTP/1.1 500', 'HTTP/1.1 200']);
  });
});

describe('guard.answer', () => {
  it.each([
    ['a JSON value', { id: 1, payee: CANARY }],
    ['a text', TEXT],
    ['bytes', Buffer.from(TEXT)],
  ])('protects %s and has it delivered under the new head', async (_, body) => {
    const states: string[] = [];
    const wire = await run((res, guard) => {
      res.setHeader('etag', '"x"').setHeader('content-length', TEXT.length);
      states.push(guard.state);
      const answered = guard.answer(body, (payload) => {
        states.push(guard.state);
        expect(Buffer.isBuffer(payload)).toBe(true);
        expect(res.getHeaders()).toEqual({ 'content-type': 'application/json' });
        res.setHeader('x-framework', '1').end(payload);
      });
      states.push(guard.state);
      return answered.then(() => states.push(guard.state));
    });
    expect([wire.status, wire.headers['x-framework'], wire.body]).toEqual([
      200,
      '1',
      expect.stringContaining(MASKED),
    ]);
    expect(states).toEqual(['waiting', 'busy', 'released', 'closed']);
    expect(failures).toEqual([]);
  });

  it('delivers the very same body where the policy lets it pass', async () => {
    for (const body of [{ a: 1 }, TEXT, Buffer.from(TEXT), Buffer.from([0xff]), Readable.from(['x'])]) {
      let delivered: unknown;
      await run(
        (res, guard) =>
          guard.answer(body, (payload) => {
            delivered = payload;
            res.end();
          }),
        '/open',
      );
      expect(delivered).toBe(body);
    }
  });

  it.each([
    ['text', CANARY],
    ['bytes', Buffer.from([0xff])],
    ['a stream', Readable.from([CANARY])],
    ['a blob', new Blob([CANARY])],
  ])('refuses %s', async (_, body) => {
    const wire = await run((_res, guard) => guard.answer(body, () => failures.push('delivered')));
    expect([wire.status, canaries(wire), failures]).toEqual([500, 0, []]);
  });

  it('delivers nothing in place of a body that has to go', async () => {
    const delivered: unknown[] = [];
    await run((res, guard) => {
      res.statusCode = 302;
      return guard.answer(CANARY, (payload) => {
        delivered.push(payload);
        res.end(payload);
      });
    });
    expect(delivered).toEqual([undefined]);
  });

  it('drops what is written meanwhile, and calls it back', async () => {
    const over: unknown[] = [];
    const wire = await run(async (res, guard) => {
      const answered = guard.answer(TEXT, (payload) => res.end(payload));
      res.write(CANARY, () => over.push('write'));
      res.end(CANARY, () => over.push('end'));
      await answered;
    });
    expect([wire.status, canaries(wire), over]).toEqual([200, 0, ['write', 'end']]);
  });

  it('sends the failure where delivering fails', async () => {
    const wire = await run((_res, guard) =>
      guard.answer(TEXT, () => {
        throw new Error(CANARY);
      }),
    );
    expect([wire.status, canaries(wire), failures]).toEqual([500, 0, []]);
  });

  it('does nothing where somebody has answered, or answers, already', async () => {
    const first: Way[] = [
      (res) => res.end(CANARY),
      (res) => res.write(CANARY),
      (res) => res.end(),
      (_res, guard) => guard.release(),
    ];
    const delivered: string[] = [];
    for (const way of first) {
      const wire = await run(async (res, guard) => {
        way(res, guard);
        await guard.answer(TEXT, () => delivered.push(TEXT));
        if (guard.state === 'released') res.end('own');
        else if (guard.state === 'busy') res.end();
      });
      expect(canaries(wire)).toBe(0);
    }
    expect([delivered, failures]).toEqual([[], []]);
  });
});

describe('guard.release', () => {
  it('lets everything pass, the head included', async () => {
    const port = await bench(async (res, guard) => {
      guard.release();
      expect(guard.state).toBe('released');
      res.writeHead(201, 'Own', { 'content-length': '4' });
      res.flushHeaders();
      await settle();
      res.write('ab');
      res.end('cd');
      expect(guard.state).toBe('closed');
    });
    const socket = await dial(port);
    socket.write(get('/covered'));
    const [head] = await once(socket, 'data');
    expect(parse(head)).toMatchObject({ status: 201, reason: 'Own', body: '' });
    const [body] = await once(socket, 'data');
    expect(String(body)).toMatch(/^ab/);
    expect(failures).toEqual([]);
  });

  it('changes nothing once an answer is being protected or was given', async () => {
    const ways: Way[] = [(res) => res.end(CANARY), (res) => res.write(CANARY)];
    for (const way of ways) {
      const wire = await run(async (res, guard) => {
        way(res, guard);
        guard.release();
        expect(guard.state).toBe('busy');
        res.end(CANARY);
        await settle();
        guard.release();
        expect(guard.state).toBe('closed');
        res.end(CANARY);
      });
      expect([wire.status, canaries(wire)]).toEqual([500, 0]);
    }
    expect(failures).toEqual([]);
  });
});

describe('a guarded response of HTTP/2', () => {
  async function run2(
    way: Way,
    path = '/covered',
    method = 'GET',
  ): Promise<{ headers: IncomingHttpHeaders; body: string }> {
    const http2 = createHttp2Server((req, res) => {
      // What Node calls the compatibility API: the same methods.
      const raw = res as unknown as ServerResponse;
      const guard = guardResponse(raw, protection(req.url));
      Promise.resolve()
        .then(() => way(raw, guard))
        .catch((error: unknown) => failures.push(error));
    });
    http2.listen(0, '127.0.0.1');
    await once(http2, 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      http2.close();
    });
    const stream = client.request({ ':path': path, ':method': method });
    const [headers] = await once(stream, 'response');
    let body = '';
    for await (const chunk of stream) body += chunk;
    return { headers, body };
  }

  it('is protected, refused and passed alike', async () => {
    for (const way of Object.values(WHOLE)) {
      const { headers, body } = await run2(way);
      expect([headers[':status'], headers['content-length'], body]).toEqual([
        200,
        String(MASKED.length),
        MASKED,
      ]);
      expect((await run2(way, '/covered', 'HEAD')).headers[':status']).toBe(200);
    }
    for (const way of Object.values(REFUSED)) {
      const { headers, body } = await run2(way);
      expect(headers[':status']).toBe(500);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'response_refused' }] });
    }
    expect((await run2((res) => res.end(CANARY), '/open')).body).toBe(CANARY);
    expect((await run2((res) => Readable.from(['a', 'b']).pipe(res), '/open')).body).toBe('ab');
    expect(await run2((res) => res.writeHead(204).end())).toMatchObject({
      headers: { ':status': 204 },
      body: '',
    });
    expect(await run2((res, guard) => guard.answer(TEXT, (payload) => res.end(payload)))).toMatchObject({
      body: MASKED,
    });
    expect(failures).toEqual([]);
  });
});
