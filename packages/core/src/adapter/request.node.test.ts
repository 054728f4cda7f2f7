import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { exchange, get, serve } from '../../test/raw-http.js';
import { CANARY, redactingServer } from '../../test/redacting-server.js';
import type { E2eeError } from '../errors.js';
import { createE2eeServer } from '../exchange/server.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { locate, type Received, receive, takeRequest } from './request.node.js';

const server = redactingServer();

/** What `look` finds of one request. */
async function seen<T>(request: string, look: (req: IncomingMessage) => T | Promise<T>): Promise<T> {
  const found: T[] = [];
  const port = await serve(async (req, res) => {
    found.push(await look(req));
    res.end();
  });
  await exchange(port, request);
  expect(found).toHaveLength(1);
  return found[0] as T;
}

function post(path: string, body: string, type = 'application/json'): string {
  return get(path, 'POST').replace(
    '\r\n\r\n',
    `\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function codeOf({ answer }: Received): unknown {
  return (answer?.body as { errors: { code: string }[] } | undefined)?.errors[0]?.code;
}

describe('locating a request', () => {
  const located = (paths: readonly [string, ...string[]]) =>
    seen(get(paths[0]), (req) => locate(server, req, paths));

  it('takes the first path that the policy knows', async () => {
    expect(await located(['/a', '/covered', '/x'])).toMatchObject({
      path: '/covered',
      coverage: { operation: 'GET /covered', response: true },
    });
    expect((await located(['/covered', '/.well-known/jwks.json'])).path).toBe('/covered');
  });

  it('takes the path of the published keys as well', async () => {
    expect(await located(['/x', '/.well-known/jwks.json'])).toMatchObject({
      path: '/.well-known/jwks.json',
      coverage: { keys: true },
    });
  });

  it('takes the first of those that nobody knows', async () => {
    expect(await located(['/a', '/b'])).toMatchObject({ path: '/a', coverage: { response: false } });
  });

  it('refuses what is another operation below the place of mounting, and takes what was rewritten', async () => {
    const both = createE2eeServer({
      profile: banked,
      keyRing: await createKeyRing(),
      onEvent: () => {},
      policy: { 'GET /:a/:b': { x: { response: 'redact' } }, 'GET /pay': { payee: { response: 'redact' } } },
    });
    const operationOf = (paths: readonly [string, ...string[]]) =>
      seen(get(paths[0]), (req) => locate(both, req, paths).coverage.operation);
    expect(await operationOf(['/pay', '/pay', '/old/path'])).toBe('GET /pay');
    expect(await operationOf(['/a/pay'])).toBe('GET /:a/:b');
    const refusal = seen(get('/a/pay'), (req) => {
      expect(() => locate(both, req, ['/a/pay', '/pay'])).toThrow(
        expect.objectContaining({ code: 'operation_refused', status: 400 }),
      );
      return true;
    });
    expect(await refusal).toBe(true);
  });

  it('knows what came by TLS 1.2 or later, whatever a header says', async () => {
    const strict = redactingServer({ requireTls: true });
    const attempt = (socket?: object): Promise<string> =>
      seen(get('/covered').replace('\r\n', '\r\nX-Forwarded-Proto: https\r\n'), (req) => {
        try {
          return locate(strict, socket ? ({ ...req, headers: {}, method: 'GET', socket } as never) : req, [
            '/covered',
          ]).path;
        } catch (error) {
          return (error as E2eeError).code;
        }
      });
    const tls = (version: string | null): object => ({ encrypted: true, getProtocol: () => version });
    expect(await attempt()).toBe('tls_required');
    for (const version of ['TLSv1', 'TLSv1.1', 'SSLv3', null])
      expect(await attempt(tls(version))).toBe('tls_required');
    for (const version of ['TLSv1.2', 'TLSv1.3']) expect(await attempt(tls(version))).toBe('/covered');
    expect(await attempt({ getProtocol: () => 'TLSv1.3' })).toBe('tls_required');
  });
});

describe('taking a request', () => {
  it('gives plain headers', async () => {
    const request = get('/a?b=1').replace(
      '\r\n\r\n',
      '\r\nX-Own: 1\r\nX-Own: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
    );
    expect(await seen(request, (req) => takeRequest(req, '/x', undefined))).toEqual({
      method: 'GET',
      path: '/x',
      secure: false,
      headers: { host: 'a', connection: 'close', 'x-own': '1, 2', 'set-cookie': 'a,b' },
      body: undefined,
    });
  });

  it.each([undefined, {}])(
    'gives an unread body as the request itself when a parser left %j',
    async (parsed) => {
      expect(await seen(post('/a', '{}'), (req) => takeRequest(req, '/a', parsed).body === req)).toBe(true);
      const chunked = get('/a', 'POST').replace(
        '\r\n\r\n',
        '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      );
      expect(await seen(chunked, (req) => takeRequest(req, '/a', parsed).body === req)).toBe(true);
    },
  );

  it.each([undefined, {}])('gives nothing where no body was sent, when a parser left %j', async (parsed) => {
    expect(await seen(get('/a'), (req) => takeRequest(req, '/a', parsed).body)).toBe(undefined);
    expect(await seen(post('/a', ''), (req) => takeRequest(req, '/a', parsed).body)).toBe(undefined);
  });

  it('sees an unread body of HTTP/2, which no header tells of', async () => {
    const found: unknown[] = [];
    const h2 = createHttp2Server((req, res) => {
      found.push(takeRequest(req as never, '/x', undefined).body);
      res.end();
    }).listen(0, '127.0.0.1');
    await once(h2, 'listening');
    const client = connect(`http://127.0.0.1:${(h2.address() as AddressInfo).port}`);
    for (const body of ['{"a":1}', undefined]) {
      const stream = client.request({ ':method': 'POST', ':path': '/x' }, { endStream: body === undefined });
      stream.resume();
      if (body !== undefined) stream.end(body);
      await once(stream, 'close');
    }
    client.close();
    h2.close();
    expect(found).toEqual([expect.objectContaining({ httpVersionMajor: 2 }), undefined]);
  });

  it('gives what a parser left, an empty object included where the body was read', async () => {
    for (const parsed of [{ a: 1 }, [1], 'text', 0, null])
      expect(await seen(post('/a', '{}'), (req) => takeRequest(req, '/a', parsed).body)).toBe(parsed);
    const parsed = {};
    const body = await seen(post('/a', '{}'), async (req) => {
      await once(req.resume(), 'end');
      return takeRequest(req, '/a', parsed).body;
    });
    expect(body).toBe(parsed);
  });
});

describe('receiving a request', () => {
  it('passes what the policy does not mind', async () => {
    const { answer, request, coverage } = await seen(get('/covered'), (req) =>
      receive(server, req, ['/covered'], undefined),
    );
    expect([answer, request?.path, coverage?.response]).toEqual([undefined, '/covered', true]);
  });

  it('leaves a body of an operation outside the policy unread', async () => {
    const untouched = await seen(post('/open', 'a.b', 'application/jose'), async (req) => {
      const { answer } = await receive(server, req, ['/open'], undefined);
      return answer === undefined && !req.readableDidRead;
    });
    expect(untouched).toBe(true);
  });

  it('answers in the form of the profile what must not go on', async () => {
    const plain = await seen(post('/covered', '{}'), (req) =>
      receive(server, req, ['/covered'], { payee: CANARY }),
    );
    expect([plain.answer?.status, codeOf(plain)]).toEqual([400, 'plaintext_refused']);
    const unread = await seen(post('/covered', '{}'), (req) => receive(server, req, ['/covered'], undefined));
    expect(codeOf(unread)).toBe('body_unreadable');
    const policy = {
      'GET /a/:x': { a: { response: 'redact' as const } },
      'GET /b': { a: { response: 'redact' as const } },
    };
    const ambiguous = await seen(get('/a'), (req) =>
      receive(redactingServer({ policy }), req, ['/a/..%2fb'], undefined),
    );
    expect([ambiguous.answer?.status, codeOf(ambiguous)]).toEqual([400, 'operation_refused']);
  });

  it('reads a whole message that no parser has read', async () => {
    const bad = await seen(post('/message', 'a.b', 'application/jose'), (req) =>
      receive(server, req, ['/message'], undefined),
    );
    expect(codeOf(bad)).toBe('token_invalid');
    const long = await seen(post('/message', 'A'.repeat(50), 'application/jose'), (req) =>
      receive(redactingServer({ limits: { messageLength: 40 } }), req, ['/message'], {}),
    );
    expect([long.answer?.status, codeOf(long)]).toEqual([413, 'body_too_large']);
  });

  it('answers with the published keys', async () => {
    const publishing = redactingServer({ keyRing: await createKeyRing() });
    const path = '/.well-known/jwks.json';
    const { answer } = await seen(get(path), (req) => receive(publishing, req, ['/x', path], undefined));
    expect(answer).toMatchObject({ status: 200, body: { keys: [{ kty: 'RSA' }] } });
  });

  it('rejects with what is not ours to answer', async () => {
    const broken = new Error('the key store is broken');
    const failing = redactingServer({
      keyRing: {
        find: () => undefined,
        rotateIfDue: async () => {},
        jwks: () => {
          throw broken;
        },
      } as never,
    });
    const path = '/.well-known/jwks.json';
    const error = await seen(get(path), (req) =>
      receive(failing, req, [path], undefined).catch((e: unknown) => e),
    );
    expect(error).toBe(broken);
  });
});
