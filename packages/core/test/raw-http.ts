import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Serves on a free loopback port until the test ends. */
export async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}

/** A bare connection, closed when the test ends. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** An answer, taken apart from the bytes on the wire. */
export interface Wire {
  /** Everything that came. */
  readonly bytes: Buffer;
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; what comes twice is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came, with the frames of a chunked body. */
  readonly body: string;
}

/** Sends bytes as they are and resolves to what comes back until the server closes the connection. */
export async function exchange(port: number, request: string | Uint8Array): Promise<Wire> {
  const socket = await dial(port);
  socket.write(request);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return parse(Buffer.concat(chunks));
}

/** The bytes of a request after which the server closes the connection. */
export function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
}

export function parse(bytes: Buffer): Wire {
  const text = bytes.toString('latin1');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...lines] = head.split('\r\n');
  const headers: Record<string, string> = {};
  for (const [, name = '', value = ''] of lines.map((item) => /^([^:]+): *(.*)$/.exec(item) ?? [])) {
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
  }
  const [, status = '0', ...reason] = line.split(' ');
  return { bytes, status: Number(status), reason: reason.join(' '), headers, body: rest.join('\r\n\r\n') };
}

/** Long enough for whatever still had to happen. */
export function settle(): Promise<void> {
  return new Promise((done) => setTimeout(done, 15));
}
