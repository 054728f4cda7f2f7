import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { KeyDescription } from '@e2ee/core';
import type { Command, Report } from './server-process.js';

/** Runs a TypeScript file beside this one as a process of its own, with a channel for messages. */
export function runBeside(file: string, args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, file), args, {
    execArgv: ['--conditions=@e2ee/source', '--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

/** A server in a process of its own. */
export interface Instance {
  readonly url: string;
  readonly port: number;
  /** Does something to its key ring. Resolves when that is done, to the keys as they are then. */
  order(action: Command['action'], kid?: string): Promise<readonly KeyDescription[]>;
  stop(): Promise<void>;
}

export async function startInstance(directory: string, grace: number): Promise<Instance> {
  const child = runBeside('server-process.ts', [directory, String(grace)]);
  const waiting = new Map<number, (report: Report) => void>();
  let orders = 0;
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}`)));
    child.on('message', (report: Report) => {
      if (report.type === 'listening') resolve(report.port);
      else waiting.get(report.id)?.(report);
    });
  });

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async order(action, kid = '') {
      orders += 1;
      const id = orders;
      const answered = new Promise<Report>((resolve) => waiting.set(id, resolve));
      child.send({ id, action, kid } satisfies Command);
      const report = await answered;
      if (report.type === 'done') return report.keys;
      throw new Error(`${action} failed: ${'why' in report ? report.why : ''}`);
    },
    async stop() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** One request as it passed by. */
export interface Passed {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly status: number;
  /** When its answer passed by, in milliseconds since the epoch. */
  readonly at: number;
}

export interface Balancer {
  readonly url: string;
  readonly passed: readonly Passed[];
  close(): Promise<void>;
}

/** Sends each request to the next of some ports, and writes down what passes by. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const passed: Passed[] = [];
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    turn += 1;
    const { method, url: path = '', headers } = incoming;
    const port = ports[turn % ports.length];
    text(incoming)
      .then(async (body) => {
        const forwarded = request({ host: '127.0.0.1', port, method, path, headers, agent }).end(body);
        const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]; // what `response` brings
        const content = await text(answer);
        passed.push({ path, headers, body, status: answer.statusCode ?? 0, at: Date.now() });
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers).end(content);
      })
      .catch((error: unknown) => outgoing.writeHead(502).end(String(error)));
  });
  server.keepAliveTimeout = 0; // see the servers
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on TCP
    passed,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
