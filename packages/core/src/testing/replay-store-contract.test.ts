import { describe, expect, test } from 'vitest';
import { memoryReplayStore, type ReplayStore } from '../exchange/replay.js';
import { replayStoreContract } from './replay-store-contract.js';

describe('the memory store', () => {
  test.each(replayStoreContract)('$name', async ({ run }) => {
    const store = memoryReplayStore();
    await run(() => store);
  });
});

describe('the contract finds a store that', () => {
  const BROKEN: Record<string, () => () => ReplayStore> = {
    'remembers nothing': () => () => ({ add: () => true }),
    'lets nothing through': () => () => ({ add: () => false }),
    'remembers for one process': () => () => memoryReplayStore(),
    'looks first and writes later': () => {
      const seen = new Set<string>();
      const add = async (id: string): Promise<boolean> => {
        const isNew = !seen.has(id);
        await new Promise((resolve) => setTimeout(resolve));
        seen.add(id);
        return isNew;
      };
      return () => ({ add });
    },
    'does not tell letters apart': () => {
      const store = memoryReplayStore();
      return () => ({ add: (id, until) => store.add(id.toLowerCase(), until) });
    },
    'cuts ids off': () => {
      const store = memoryReplayStore();
      return () => ({ add: (id, until) => store.add(id.slice(0, 1), until) });
    },
    'forgets too early': () => {
      const store = memoryReplayStore();
      return () => ({ add: (id, until) => store.add(id, until - 1) });
    },
    'answers as a database does': () => {
      const store = memoryReplayStore();
      return () => ({ add: (id, until) => (store.add(id, until) ? 'OK' : null) as never });
    },
  };

  test.each(Object.entries(BROKEN))('%s', async (_, make) => {
    const outcomes = await Promise.allSettled(replayStoreContract.map(({ run }) => run(make())));
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
  });
});
