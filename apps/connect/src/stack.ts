import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyRing, type KeyRing } from '@e2ee/core';
import { createAggregator, type HandledCall } from '@e2ee-apps/aggregator';
import { buildPage } from './build-page.js';
import { listen } from './server/server.js';

/** An aggregator on loopback that can be brought into trouble, and a page that is built for it. */
export interface Stack {
  readonly keyRing: KeyRing;
  readonly aggregatorUrl: string;
  /** The folder of the built page. */
  readonly page: string;
  /** Takes the key away that pages hold by now. Another takes its place. */
  revokeKey(): Promise<void>;
  /** Stops answering, or answers again at the same place. Resolves to whether it is up now. */
  toggleAggregator(): Promise<boolean>;
  readonly isUp: boolean;
  close(): Promise<void>;
}

export interface StackOptions {
  /** Hears what the aggregator's handlers saw, in plain. */
  readonly onHandled?: (call: HandledCall) => void;
  /** Puts something before the aggregator's port. Resolves to the URL at which everybody finds the aggregator then. */
  readonly via?: (port: number) => Promise<string>;
}

/** Starts the aggregator on a free port and builds the page for it, in a folder that goes when it is closed. */
export async function startStack({ onHandled, via }: StackOptions = {}): Promise<Stack> {
  const keyRing = await createKeyRing();
  const aggregator = createAggregator({ keyRing, ...(onHandled && { onHandled }) });
  let listening = await listen(aggregator.callback());
  let isUp = true;
  const { port, url } = listening;
  const aggregatorUrl = (await via?.(port)) ?? url;
  const page = await mkdtemp(join(tmpdir(), 'e2ee-connect-'));
  const stack: Stack = {
    keyRing,
    aggregatorUrl,
    page,
    async revokeKey() {
      const kid = keyRing.describe().find(({ state }) => state === 'active')?.kid;
      if (kid !== undefined) await keyRing.revoke(kid);
    },
    async toggleAggregator() {
      if (isUp) await listening.close();
      else listening = await listen(aggregator.callback(), port);
      isUp = !isUp;
      return isUp;
    },
    get isUp() {
      return isUp;
    },
    async close() {
      keyRing.close();
      if (isUp) await listening.close();
      await rm(page, { recursive: true, force: true });
    },
  };
  await buildPage(aggregatorUrl, page).catch(async (error: unknown) => {
    await stack.close(); // what listens would hold the process
    throw error;
  });
  return stack;
}
