import { chromiumLaunch } from '@e2ee/chromium';
import type { KeyRing } from '@e2ee/core';
import type { HandledCall } from '@e2ee-apps/aggregator';
import { createConnectServer, listen, startStack } from '@e2ee-apps/connect';
import { type Browser, chromium } from 'playwright-core';
import type { Passed } from '../aggregator/intermediate.js';
import { type Recorder, startRecorder } from '../capture.js';
import { browserUser } from './browser-user.js';
import { nodeUser } from './node-user.js';
import type { User } from './user.js';

/** What tests change. */
export interface Overrides {
  /** Starts a browser, or rejects where there is none. */
  readonly startBrowser?: () => Promise<Browser>;
  /** Starts the aggregator and builds the page. */
  readonly startStack?: typeof startStack;
}

/** The page, its server and the aggregator, with a recorder before each of the two servers. */
export interface World {
  readonly user: User;
  readonly keyRing: KeyRing;
  /** Before the page's server, and between it and the aggregator. */
  readonly recorders: readonly [Recorder, Recorder];
  /** What the page's server has logged, and what the aggregator's handlers have dealt with, since the last time. */
  takePassed(): Passed[];
  takeHandled(): HandledCall[];
  close(): Promise<void>;
}

const startChromium = async (): Promise<Browser> => chromium.launch(await chromiumLaunch());

/** Something that runs until it is closed. */
interface Running {
  close(): Promise<void>;
}

/** Whatever has been started by then ends when something else cannot be. */
export async function startWorld(overrides: Overrides = {}): Promise<World> {
  const running: Running[] = [];
  const starting = (overrides.startBrowser ?? startChromium)().catch((error: unknown) => firstLine(error));
  try {
    return await start(starting, running, overrides.startStack ?? startStack);
  } catch (error) {
    const browser = await starting;
    if (typeof browser !== 'string') running.push(browser);
    await Promise.allSettled(running.map((one) => one.close()));
    throw error;
  }
}

async function start(
  starting: Promise<Browser | string>,
  running: Running[],
  startTheStack: typeof startStack,
): Promise<World> {
  const started = <One extends Running>(one: One): One => {
    running.push(one);
    return one;
  };
  const handled: HandledCall[] = [];
  const behind: Recorder[] = [];
  const stack = started(
    await startTheStack({
      onHandled: (call) => handled.push(structuredClone(call)),
      via: async (port) => {
        behind.push(started(await startRecorder(port)));
        return behind[0]?.url ?? '';
      },
    }),
  );
  const { app, log } = createConnectServer({ page: stack.page, aggregatorUrl: stack.aggregatorUrl });
  const server = started(await listen(app));
  const before = started(await startRecorder(server.port));
  const browser = await starting;
  const user =
    typeof browser === 'string'
      ? await nodeUser(before.url, stack.aggregatorUrl, browser)
      : await browserUser(browser, before.url);
  let taken = 0;
  return {
    user,
    keyRing: stack.keyRing,
    recorders: [before, ...behind] as [Recorder, Recorder],
    takePassed() {
      const entries = log.entries().filter(({ id, method }) => id > taken && method !== 'GET');
      taken = Math.max(taken, ...entries.map(({ id }) => id));
      return entries.flatMap((entry): Passed[] => {
        const { method, path, body: request } = entry;
        return 'status' in entry
          ? [{ method, path, request, status: entry.status, response: entry.answer }]
          : [];
      });
    },
    takeHandled: () => handled.splice(0),
    async close() {
      await user.close();
      await Promise.all(running.map((one) => one.close()));
    },
  };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}
