import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dial, exchange, serve, settle } from '../../test/raw-http.js';
import { E2eeError } from '../errors.js';
import { readMessage } from './read-message.node.js';

const MESSAGE = { contentType: 'application/jose', maxLength: 1000 };

/** What came of reading: the text, or the code of the error. */
type Result = { readonly text: string | undefined } | { readonly code: unknown };

interface Bench {
  readonly port: number;
  readonly results: Result[];
}

async function bench(before: (req: IncomingMessage) => unknown = () => {}): Promise<Bench> {
  const results: Result[] = [];
  const port = await serve(async (req: IncomingMessage, res: ServerResponse) => {
    await before(req);
    results.push(
      await readMessage(req, MESSAGE).then(
        (text) => ({ text }),
        (error: unknown) => ({ code: error instanceof E2eeError ? error.code : error }),
      ),
    );
    res.end('answered');
  });
  return { port, results };
}

function post(body: string | Uint8Array | undefined, headers = '', type = 'application/jose'): Buffer {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${length}${headers}Connection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body ?? '')]);
}

function chunked(parts: readonly string[]): Buffer {
  const body = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
  const head = post(undefined, 'Transfer-Encoding: chunked\r\n');
  return Buffer.concat([head, Buffer.from(`${body}0\r\n\r\n`)]);
}

async function read(request: Buffer): Promise<Result | undefined> {
  const { port, results } = await bench();
  expect((await exchange(port, request)).bytes.toString()).toMatch(/answered/);
  return results[0];
}

const LONG = 'A'.repeat(1001);
const GZIP = 'Content-Encoding: gzip\r\n';

describe('reading a whole message', () => {
  it.each([
    ['in one piece', post('a.b')],
    ['in chunks', chunked(['a', '.', 'b'])],
    ['in another letter case, with a charset', post('a.b', '', 'Application/JOSE; Charset="UTF-8"')],
    ['compressed with gzip', post(gzipSync('a.b'), GZIP)],
    ['compressed with deflate', post(deflateSync('a.b'), 'Content-Encoding: Deflate\r\n')],
    ['compressed with brotli', post(brotliCompressSync('a.b'), 'Content-Encoding: br\r\n')],
    ['with no compression said', post('a.b', 'Content-Encoding: identity\r\n')],
  ])('gives its text, %s', async (_, request) => {
    expect(await read(request)).toEqual({ text: 'a.b' });
  });

  it('reads up to the limit, and an empty body of chunks', async () => {
    expect(await read(post(LONG.slice(1)))).toEqual({ text: LONG.slice(1) });
    expect(await read(post(gzipSync(LONG.slice(1)), GZIP))).toEqual({ text: LONG.slice(1) });
    expect(await read(chunked([]))).toEqual({ text: '' });
  });

  it.each([
    ['one byte too long', post(LONG), 'body_too_large'],
    ['one byte too long, in chunks', chunked([LONG.slice(500), LONG.slice(0, 500)]), 'body_too_large'],
    ['too long in bytes, though not in characters', post('ü'.repeat(501)), 'body_too_large'],
    ['too long once decompressed', post(gzipSync('A'.repeat(50_000_000)), GZIP), 'body_too_large'],
    ['badly compressed', post('no gzip', GZIP), 'body_unreadable'],
    ['compressed, and cut short', post(gzipSync(LONG).subarray(0, 15), GZIP), 'body_unreadable'],
    ['in an unknown coding', post('a.b', 'Content-Encoding: zstd\r\n'), 'media_type_unsupported'],
    ['in two codings', post(gzipSync('a.b'), 'Content-Encoding: gzip, gzip\r\n'), 'media_type_unsupported'],
    ['in another charset', post('a.b', '', 'application/jose;charset=utf-16'), 'media_type_unsupported'],
  ])('refuses one that is %s', async (_, request, code) => {
    expect(await read(request)).toEqual({ code });
  });

  it('leaves what is no whole message, and what somebody has read, to others', async () => {
    expect(await read(post('{}', '', 'application/json'))).toEqual({ text: undefined });
    expect(await read(post('a.b', '', 'application/jose+json'))).toEqual({ text: undefined });
    expect(await read(post(''))).toEqual({ text: undefined });
    expect(await read(post(undefined))).toEqual({ text: undefined });
    const { port, results } = await bench(async (req) => once(req.resume(), 'end'));
    await exchange(port, post('a.b'));
    expect(results).toEqual([{ text: undefined }]);
  });

  it('does not take the text of a decoder that somebody has put in for bytes', async () => {
    const { port, results } = await bench((req) => void req.setEncoding('latin1'));
    await exchange(port, post('a.b'));
    expect(results).toEqual([{ code: 'body_unreadable' }]);
  });

  it.each(['', GZIP])(
    'fails, and does not wait, when the client is gone with half of it sent (%s)',
    async (coding) => {
      const body = coding === '' ? LONG : gzipSync(Buffer.from(Array.from({ length: 900 }, (_, i) => i * i)));
      for (const before of [
        () => {},
        (req: IncomingMessage) => new Promise((done) => req.once('close', done)),
      ]) {
        const { port, results } = await bench(before);
        const socket = await dial(port);
        socket.write(post(body, coding).subarray(0, -100));
        await settle();
        socket.destroy();
        await expect.poll(() => results).toEqual([{ code: 'body_unreadable' }]);
      }
    },
  );

  it('leaves the connection usable after a refusal, the rest of the body passed over', async () => {
    const { port, results } = await bench();
    const keepAlive = (request: Buffer): Buffer =>
      Buffer.from(request.toString('latin1').replace('Connection: close\r\n', ''), 'latin1');
    const huge = 'A'.repeat(1_000_000);
    const requests = [
      post(huge),
      post(gzipSync(huge), GZIP),
      post('none', GZIP),
      post('a', 'Content-Encoding: x\r\n'),
    ];
    const { bytes } = await exchange(port, Buffer.concat([...requests.map(keepAlive), post('a.b')]));
    expect(bytes.toString().match(/answered/g)).toHaveLength(5);
    expect(results.map((result) => ('code' in result ? result.code : result.text)).sort()).toEqual([
      'a.b',
      'body_too_large',
      'body_too_large',
      'body_unreadable',
      'media_type_unsupported',
    ]);
  });
});
