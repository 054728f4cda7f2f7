import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { checkStore, type KeyStore, memoryKeyStore, type StoredKey } from './key-store.js';

const key = (kid: string): StoredKey => ({
  kid,
  alg: 'RSA-OAEP-256',
  createdAt: 1,
  publishAt: 1,
  expiresAt: 2,
});

describe('memoryKeyStore', () => {
  it('begins empty and keeps what was written last', async () => {
    const store = memoryKeyStore();
    expect(await store.read()).toEqual([]);
    expect(await store.update(async () => [key('a')])).toEqual([key('a')]);
    expect(await store.read()).toEqual([key('a')]);
  });

  it('makes one change after the other', async () => {
    const store = memoryKeyStore();
    const kids = Array.from({ length: 20 }, (_, i) => String(i));
    await Promise.all(
      kids.map((kid) =>
        store.update(async (keys) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          return [...keys, key(kid)];
        }),
      ),
    );
    expect((await store.read()).map(({ kid }) => kid)).toEqual(kids);
  });

  it('passes on what a change fails with, leaves everything as it was, and goes on', async () => {
    const store = memoryKeyStore();
    await store.update(async () => [key('a')]);
    const error = new Error('no');
    expect(await errorOf(store.update(() => Promise.reject(error)))).toBe(error);
    expect(await store.read()).toEqual([key('a')]);
    expect(await store.update(async (keys) => [...keys, key('b')])).toHaveLength(2);
  });

  it('is one store for each call', async () => {
    await memoryKeyStore().update(async () => [key('a')]);
    expect(await memoryKeyStore().read()).toEqual([]);
  });
});

describe('checkStore', () => {
  it('names the option that is not a store', async () => {
    expect(checkStore(memoryKeyStore())).toBeDefined();
    for (const value of [null, 5, './keys', {}, { read: () => [] }, { update: () => [] }]) {
      expect(await errorOf(() => checkStore(value as KeyStore))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('`store`'),
      });
    }
  });
});
