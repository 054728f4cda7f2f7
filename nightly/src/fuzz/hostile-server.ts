import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Asked } from './answers.js';

export interface HostileServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers requests with the bytes that `answer` makes for the number in their `x-input`, and ends the connection. */
export async function hostileServer(
  answer: (number: number, asked: Asked) => Buffer,
): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let received = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const asked = requestIn(received);
      if (!asked) return;
      received = '';
      socket.end(answer(asked.number, asked));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // a TCP server has no other kind of address
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A request that has come whole. */
function requestIn(received: string): (Asked & { readonly number: number }) | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = received.slice(0, end);
  const [, length = '0'] = /^content-length: *(\d+)/im.exec(head) ?? [];
  const body = received.slice(end + 4);
  if (body.length < Number(length)) return undefined;
  const [, number = '-1'] = /^x-input: *(\d+)/im.exec(head) ?? [];
  return { number: Number(number), operation: head.split(' ', 2).join(' '), body: `${head}\n${body}` };
}
