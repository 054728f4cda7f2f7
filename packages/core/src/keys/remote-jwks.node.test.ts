import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { latin1 } from '../../test/bytes.js';
import { errorOf, modulus } from '../../test/keys-fixtures.js';
import {
  expectUnavailable,
  key,
  kidOf,
  MINUTE,
  pass,
  SECOND,
  set,
  stopClocks,
  takeDeadline,
  URL_,
  until,
  watch,
} from '../../test/remote-source.js';
import { RSA } from '../../test/stored-keys.js';

/* The tests of remoteJwks that need a real socket or a process of their own. */

const [pair] = RSA;
stopClocks();

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A key endpoint on a real socket. What it answers can be changed at any time. */
interface Endpoint {
  readonly url: string;
  readonly requests: IncomingMessage[];
  readonly responses: ServerResponse[];
  answer: Answer;
}

async function endpoint(answer: Answer): Promise<Endpoint> {
  const requests: IncomingMessage[] = [];
  const responses: ServerResponse[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    responses.push(response);
    made.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // The address of a server that listens on TCP.
  const made = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    requests,
    responses,
    answer,
  };
  return made;
}

const answering =
  (body: string | Uint8Array, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };

const LARGE = set(key('new')) + ' '.repeat(10_000_000);

/** Answers that are no good set. */
const BAD: Readonly<Record<string, Answer>> = {
  'status 500 with a good body': answering(set(key('new')), 500),
  'status 404': answering('not found', 404),
  'status 201 with a good body': answering(set(key('new')), 201),
  'status 204': answering('', 204),
  'status 304 that nobody asked for': answering('', 304),
  'a redirect to a good set': (request, response) => {
    if (request.url === '/elsewhere') response.end(set(key('new')));
    else response.writeHead(302, { location: '/elsewhere' }).end();
  },
  'a permanent redirect': answering('', 308, { location: '/elsewhere' }),
  HTML: answering('<!doctype html><title>Sign in</title>', 200, { 'content-type': 'text/html' }),
  'an empty body': answering(''),
  'an empty object': answering('{}'),
  null: answering('null'),
  'no keys': answering(set()),
  'only signing keys': answering(set(key('new', { use: 'sig' }))),
  'only weak keys': answering(set({ ...key('new'), n: modulus(1024) })),
  'truncated JSON': answering(set(key('new')).slice(0, -2)),
  'a body cut off by the connection': (_request, response) => {
    response.writeHead(200, { 'content-length': '100000' }).write(set(key('new')));
    setTimeout(() => response.destroy(), 20);
  },
  'a connection that is closed at once': (request) => {
    request.socket.destroy();
  },
  'bad UTF-8': answering(latin1(set(key('new', { x: '\u00ff' })))),
  '10 MB around a good set': answering(LARGE),
  'a good set with 10 MB of padding, gzipped': answering(gzipSync(LARGE), 200, {
    'content-encoding': 'gzip',
  }),
  'the same in Brotli': answering(brotliCompressSync(LARGE), 200, { 'content-encoding': 'br' }),
  'a private key': answering(set(key('new'), { ...pair.privateJwk, kid: 'p' })),
  'two different keys with one kid': answering(set(key('new'), { ...key('new'), n: modulus(2048) })),
  'only expired keys': answering(set(key('new', { exp: 1_600_000_000 }))),
};

/** Answers that only the deadline ends. */
const ENDLESS: Readonly<Record<string, Answer>> = {
  'an endpoint that hangs': () => {},
  'headers, and then nothing': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  },
  'a drip': (_request, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(drip));
  },
};

/** What a process prints that runs a script and is not told to end. Fails when it does not end by itself. */
async function inChild(script: string, url: string): Promise<string> {
  const module = JSON.stringify(new URL('./remote-jwks.ts', import.meta.url).href);
  const source = `import { remoteJwks } from ${module}; const url = process.argv[1]; ${script}`;
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', '--input-type=module', '-e', source, url];
  const cwd = new URL('../../../..', import.meta.url);
  return (await promisify(execFile)(process.execPath, args, { cwd, timeout: 15_000 })).stdout;
}

describe('the first use', () => {
  it('is one fetch for 1,000 concurrent callers, over a real socket', async () => {
    const { url, requests } = await endpoint(answering(set(key('a'))));
    const { source } = watch(url);
    const keys = await Promise.all(Array.from({ length: 1000 }, () => source.current()));
    expect(requests).toHaveLength(1);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatchObject({ kind: 'encryption', kid: 'a' });
  });

  it('goes on for the others when one of the callers gives up', async () => {
    const made = await endpoint(() => {});
    const { source } = watch(made.url);
    const giveUp = new AbortController();
    const givenUp = new Promise((_, reject) => {
      giveUp.signal.addEventListener('abort', () => reject(giveUp.signal.reason));
    });
    const impatient = Promise.race([source.current(), givenUp]);
    const others = Promise.all(Array.from({ length: 999 }, () => source.current()));
    await until(() => made.requests.length === 1);
    const [response] = made.responses;
    giveUp.abort(new Error('gave up'));
    await expect(impatient).rejects.toThrow('gave up');
    response?.end(set(key('a')));
    expect(new Set((await others).map(({ kid }) => kid))).toEqual(new Set(['a']));
    expect(made.requests).toHaveLength(1);
  });

  it.each(Object.entries({ ...BAD, ...ENDLESS }))(
    'fails with keys_unavailable for %s',
    async (_what, answer) => {
      const { url, requests } = await endpoint(answer);
      const { source, events } = watch(url, {
        timeout: Object.values(ENDLESS).includes(answer) ? 150 : 5_000,
      });
      const error = await expectUnavailable(source);
      expect(error).toHaveProperty('cause');
      expect(events).toMatchObject([{ type: expect.stringMatching(/^(?:unavailable|refused)$/) }]);
      expect(requests.map((request) => request.url)).toEqual(['/jwks.json']);
      expect(source.status()).toMatchObject({ state: 'unavailable', failures: 1, keys: 0 });
    },
  );

  it('stops reading a body that is too large', async () => {
    let sent = 0;
    const { url } = await endpoint((_request, response) => {
      const part = Buffer.alloc(65_536, 0x20);
      const write = (): void => {
        while (!response.destroyed && sent < 100_000_000 && response.write(part)) sent += part.length;
      };
      response.on('drain', write);
      write();
    });
    await expectUnavailable(watch(url, { maxBytes: 100_000 }).source);
    expect(sent).toBeLessThan(50_000_000);
  });
});

describe('steady use', () => {
  it('asks again with the ETag, and a 304 extends the set', async () => {
    const made = await endpoint(
      answering(set(key('a')), 200, { etag: '"v1"', 'cache-control': 'max-age=300' }),
    );
    const { source, next } = watch(made.url);
    await source.current();
    expect(made.requests[0]?.headers).not.toHaveProperty('if-none-match');
    made.answer = answering('', 304, { 'cache-control': 'max-age=900' });
    pass(5 * MINUTE);
    const confirmed = next();
    await source.current();
    expect(await confirmed).toMatchObject({ type: 'refreshed' });
    expect(made.requests[1]?.headers['if-none-match']).toBe('"v1"');
    expect(source.exportState()).toMatchObject({
      lifetime: 900 * SECOND,
      etag: '"v1"',
      fetchedAt: Date.now(),
    });
    pass(11 * MINUTE);
    expect(await kidOf(source)).toBe('a');
    expect(made.requests).toHaveLength(2);
  });
});

describe('when refreshing fails', () => {
  it.each(Object.entries({ ...BAD, ...ENDLESS }))(
    'the last good set serves on after %s, and one attempt is made per 30 s',
    async (_what, answer) => {
      const made = await endpoint(answering(set(key('a'))));
      const { source, next } = watch(made.url);
      await source.current();
      made.answer = answer;
      pass(10 * MINUTE);
      const deadline = takeDeadline();
      const failed = next();
      for (let i = 0; i < 100; i += 1) expect(await kidOf(source)).toBe('a');
      if (Object.values(ENDLESS).includes(answer)) await deadline.passAfter(() => made.requests.length === 2);
      expect((await failed).type).not.toBe('refreshed');
      deadline.giveBack();
      for (let i = 0; i < 100; i += 1) expect(await kidOf(source)).toBe('a');
      await new Promise((resolve) => setTimeout(resolve, 20)); // one request too many would arrive by now
      expect(made.requests.map((request) => request.url)).toEqual(['/jwks.json', '/jwks.json']);
      expect(source.status()).toMatchObject({ state: 'fresh', kid: 'a', failures: 1 });

      made.answer = answering(set(key('b')));
      pass(29 * SECOND);
      expect(await kidOf(source)).toBe('a');
      pass(2 * SECOND);
      const recovered = next();
      expect(await kidOf(source)).toBe('a');
      expect((await recovered).type).toBe('refreshed');
      expect(await kidOf(source)).toBe('b');
      expect(source.status()).toMatchObject({ state: 'fresh', kid: 'b', failures: 0 });
    },
  );
});

describe('close', () => {
  it('ends a fetch under way, on the socket too, and everybody who waits for it', async () => {
    const made = await endpoint(() => {});
    const { source, events } = watch(made.url, { timeout: 15_000 });
    const waiting = [errorOf(source.current()), errorOf(source.current())];
    const refreshing = source.refresh();
    await until(() => made.requests.length === 1);
    const cut = new Promise((resolve) => made.responses[0]?.on('close', resolve));
    source.close();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: 'keys_unavailable', message: 'The key source is closed' });
    }
    await refreshing;
    await cut;
    expect(made.requests).toHaveLength(1);
    expect(events).toEqual([]);
    expect(source.status()).toMatchObject({ state: 'empty', failures: 0 });
  });

  it('ends a refresh in the background while its body comes in, and reports nothing', async () => {
    const made = await endpoint(answering(set(key('a'))));
    const { source, events } = watch(made.url, { timeout: 15_000 });
    await source.current();
    made.answer = (_request, response) => {
      response.writeHead(200).write('{');
    };
    pass(10 * MINUTE);
    await source.current();
    await until(() => made.requests.length === 2);
    const cut = new Promise((resolve) => made.responses[1]?.on('close', resolve));
    source.close();
    await cut;
    await expectUnavailable(source);
    expect(events.map(({ type }) => type)).toEqual(['refreshed']);
    expect(source.status()).not.toHaveProperty('kid');
    expect(source.exportState()?.keys).toMatchObject([{ kid: 'a' }]); // to be saved on the way out
  });

  it('is not needed for the process to end', async () => {
    const { url, requests } = await endpoint(answering(set(key('a'))));
    expect(await inChild('console.log((await remoteJwks(url).current()).kid)', url)).toBe('a\n');
    expect(requests).toHaveLength(1);
  });

  it('is not needed for the process to end while a fetch is under way, which holds it up to the deadline', async () => {
    const made = await endpoint(answering(set(key('a'))));
    const script = `
      const source = remoteJwks(url, { timeout: 500, onEvent: ({ type }) => console.log(type) });
      await source.current();
      source.refresh();`;
    made.answer = (request, response) => {
      if (made.requests.length === 1) answering(set(key('a')))(request, response);
    };
    expect(await inChild(script, made.url)).toBe('refreshed\nstale\n');
    expect(made.requests).toHaveLength(2);
  });

  it('is not needed for the process to end: the deadline of a fetch holds nothing by itself', async () => {
    const script = `
      const source = remoteJwks(url, { timeout: 60_000, fetch: () => new Promise(() => {}) });
      source.refresh();
      source.current();
      console.log('done');`;
    expect(await inChild(script, URL_)).toBe('done\n');
  });
});
