import { connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startRecorder } from './capture.js';
import { parseMessage } from './http-message.js';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that answers each request line that it gets by a chunked message, in pieces. */
async function startServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const count = data.toString('latin1').split('HTTP/1.1').length - 1;
      for (let i = 0; i < count; i += 1) {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
        socket.write('2;x=y\r\n\r\n\r\n0\r\n\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as { port: number }).port;
}

test('every byte is passed on and written down, in the order in which the exchanges began', async () => {
  const recorder = await startRecorder(await startServer());
  closers.push(() => recorder.close());
  const port = Number(new URL(recorder.url).port);
  const say = (text: string, answers: number): Promise<void> =>
    new Promise((resolve) => {
      let seen = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (data) => {
        seen += data.toString('latin1');
        if (seen.split('0\r\n\r\n').length > answers) resolve();
      });
      socket.on('error', () => {});
    });
  await say('POST /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\n\u0001é!GET /2 HTTP/1.1\r\nX-A: b: c\r\n\r\n', 2);
  await say('GET /3 HTTP/1.1\r\n\r\n', 1);
  const exchanges = recorder.take();
  expect(exchanges.map(({ request }) => request.startLine.split(' ')[1])).toEqual(['/1', '/2', '/3']);
  expect(exchanges[0]?.request.body.toString('utf8')).toBe('\u0001é!');
  expect(exchanges[1]?.request.headers).toEqual({ 'x-a': 'b: c' });
  expect(exchanges.map(({ response }) => response.body.toString('latin1'))).toEqual(Array(3).fill('abc\r\n'));
  expect(recorder.take()).toEqual([]);
});

test('a message that is not complete is not read', () => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc');
  for (let length = 0; length < bytes.length; length += 1) {
    expect(parseMessage(bytes.subarray(0, length), 0)).toBeUndefined();
  }
  expect(parseMessage(bytes, 0)?.message.body.toString()).toBe('abc');
});
