import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** How long a connection that should not be made may take to come in on loopback. */
const A_WHILE = 25;

let listening: Promise<Server> | undefined;
let calls = 0;

/** An address on loopback that somebody listens at and nobody may call: for what a token names to be fetched. */
export async function trapUrl(path: string): Promise<string> {
  listening ??= listen();
  const { port } = (await listening).address() as AddressInfo; // a TCP server has no other kind of address
  return `http://127.0.0.1:${port}${path}`;
}

/** Throws when anybody has called. */
export async function expectNoCall(): Promise<void> {
  await setTimeout(A_WHILE);
  if (calls > 0) throw new Error('Somebody has connected to an address that only a token has named');
}

async function listen(): Promise<Server> {
  const server = createServer((socket: Socket) => {
    calls += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1').unref(); // holds no process up
  await once(server, 'listening');
  return server;
}
