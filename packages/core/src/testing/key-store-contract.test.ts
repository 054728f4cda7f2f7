import { describe, expect, test } from 'vitest';
import { type KeyStore, memoryKeyStore, type StoredKey } from '../keys/key-store.js';
import { keyStoreContract } from './key-store-contract.js';

describe('the memory store', () => {
  test.each(keyStoreContract)('$name', async ({ run }) => {
    const store = memoryKeyStore();
    await run(() => store);
  });
});

describe('the contract finds a store that', () => {
  const BROKEN: Record<string, () => KeyStore> = {
    'forgets what is written': () => ({ read: async () => [], update: (change) => change([]) }),
    'loses changes that come at once': () => {
      let keys: Awaited<ReturnType<KeyStore['read']>> = [];
      const update: KeyStore['update'] = async (change) => {
        const changed = await change(keys);
        keys = changed;
        return changed;
      };
      return { read: async () => keys, update };
    },
    'does not know that keys can be revoked': () => {
      const store = memoryKeyStore();
      const forget = ({ revokedAt, ...key }: StoredKey): StoredKey => key;
      return {
        read: store.read,
        update: (change) => store.update(async (keys) => (await change(keys)).map(forget)),
      };
    },
    'rounds times': () => {
      const store = memoryKeyStore();
      const round = (key: StoredKey): StoredKey => ({ ...key, createdAt: Math.fround(key.createdAt) });
      return {
        read: store.read,
        update: (change) => store.update(async (keys) => (await change(keys)).map(round)),
      };
    },
    'is wiped by a change that changes nothing': () => {
      const store = memoryKeyStore();
      const wiping: KeyStore['update'] = (change) =>
        store.update(async (keys) => {
          const changed = await change(keys);
          return changed === keys ? [] : changed;
        });
      return { read: store.read, update: wiping };
    },
    'swallows the error of a change': () => {
      const store = memoryKeyStore();
      return { read: store.read, update: (change) => store.update(change).catch(() => []) };
    },
  };

  test.each(Object.entries(BROKEN))('%s', async (_, open) => {
    const outcomes = await Promise.allSettled(
      keyStoreContract.map(({ run }) => {
        const store = open();
        return run(() => store);
      }),
    );
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
  });
});
