import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fileKeyStore } from '../keys/file-key-store.node.js';
import { type KeyStore, memoryKeyStore, type StoredKey } from '../keys/key-store.js';
import { keyStoreContract } from './key-store-contract.js';

const directories: string[] = [];

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

/** For each kind of store, something that makes a new storage and gives what opens it. */
const STORES: Record<string, () => Promise<() => KeyStore>> = {
  memory: async () => {
    const store = memoryKeyStore();
    return () => store;
  },
  files: async () => openFiles(),
  'encrypted files': async () => openFiles('a passphrase'),
};

async function openFiles(passphrase?: string): Promise<() => KeyStore> {
  const directory = await mkdtemp(join(tmpdir(), 'e2ee-contract-'));
  directories.push(directory);
  return () => fileKeyStore(directory, passphrase === undefined ? {} : { passphrase });
}

describe.each(Object.entries(STORES))('the %s store', (_, makeStorage) => {
  test.each(keyStoreContract)('$name', async ({ run }) => {
    await run(await makeStorage());
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
