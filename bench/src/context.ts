import type { Effort } from './effort.js';
import { newPair, type Pair } from './keys.js';
import { type Peer, peersFor } from './peers.js';
import { type RunningServer, startServer } from './servers/server.js';

/** What sections share. */
export interface Context {
  readonly effort: Effort;
  pair(name: string): Promise<Pair>;
  peers(name: string): Promise<readonly Peer[]>;
  /** A server, with the middleware or without, which runs until the end. */
  server(framework: string, middleware: boolean): Promise<RunningServer>;
  /** Ends what was started. */
  close(): Promise<void>;
}

export function contextOf(effort: Effort): Context {
  const pair = remembered(newPair);
  const running: RunningServer[] = [];
  const server = remembered(async (framework: string, middleware: boolean) => {
    const started = await startServer({ framework, middleware, pair: await pair('RSA-2048') });
    running.push(started);
    return started;
  });
  return {
    effort,
    pair,
    peers: remembered(async (name: string) => peersFor(await pair(name))),
    server,
    close: async () => {
      await Promise.all(running.map(({ stop }) => stop()));
    },
  };
}

/** Makes each thing once. */
function remembered<Names extends readonly unknown[], Result>(
  make: (...names: Names) => Promise<Result>,
): (...names: Names) => Promise<Result> {
  const made = new Map<string, Promise<Result>>();
  return (...names) => {
    const id = names.join(' ');
    const result = made.get(id) ?? make(...names);
    made.set(id, result);
    return result;
  };
}
