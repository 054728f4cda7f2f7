import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Koa from 'koa';
import { onTestFinished } from 'vitest';

export { type Answer, type Call, call } from '../../../test/wire.js';

/** Serves an application on a free loopback port until the test ends. */
export async function listen(app: Koa): Promise<number> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}
