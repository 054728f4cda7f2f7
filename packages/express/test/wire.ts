import { once } from 'node:events';
import { type Agent, type IncomingHttpHeaders, type RequestListener, request, Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Serves an application on a free loopback port until the test ends. */
export async function listen(app: RequestListener): Promise<number> {
  const server = new Server(app);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes and text go as they are, anything else as JSON; a list of texts goes in chunks. */
  readonly body?: object | string | undefined;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  /** Names in the order and the letter case in which they came. */
  readonly headerNames: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; undefined where it is not. */
  readonly json: unknown;
}

/** Sends one request exactly as it is given: no redirect, no decompression, no tidying of the path. */
export async function call(
  port: number,
  { method, path = '/', headers, body, agent }: Call,
): Promise<Answer> {
  const whole = wholeOf(body);
  const isJson = whole !== undefined && whole !== body;
  const message = request({
    host: '127.0.0.1',
    port,
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(isJson && { 'content-type': 'application/json' }),
      ...(whole !== undefined && { 'content-length': String(Buffer.byteLength(whole)) }),
      ...headers,
    },
    agent: agent ?? false,
  });
  if (Array.isArray(body)) for (const chunk of body) message.write(chunk);
  message.end(whole);
  const [response] = await once(message, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode,
    reason: response.statusMessage,
    headers: response.headers,
    headerNames: response.rawHeaders.filter((_: string, i: number) => i % 2 === 0),
    bytes,
    text: bytes.toString(),
    json: parsed(bytes.toString()),
  };
}

/** Sends bytes as they are and resolves to everything that comes back until the server closes the connection. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = await dial(port);
  socket.write(bytes, 'latin1');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** A bare connection, closed when the test ends. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function wholeOf(body: Call['body']): string | Buffer | undefined {
  if (body === undefined || Array.isArray(body)) return undefined;
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
