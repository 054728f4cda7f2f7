import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyRing, type KeyRing, type KeyStore, type StoredKey } from '@e2ee/core';
import { afterEach, expect, it, vi } from 'vitest';

/** A new key is published after four of these: long enough for a test on a busy machine to be on time. */
const POLL = 200;

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanup.splice(0)) undo();
  vi.restoreAllMocks();
});

/** A store without a lock, as the one in files: a writer that was not the first reads again and starts over. */
function sharedStore(): KeyStore {
  let stored: readonly StoredKey[] = [];
  return {
    pollInterval: POLL,
    read: async () => stored,
    async update(change) {
      for (;;) {
        const before = stored;
        const after = await change(before);
        if (before !== stored) continue;
        stored = after;
        return after;
      }
    },
  };
}

/** Two processes, as far as their stores and rings are concerned. */
async function twoRings(): Promise<readonly [KeyRing, KeyRing]> {
  const store = sharedStore();
  const rings = [await createKeyRing({ store }), await createKeyRing({ store })] as const;
  cleanup.push(...rings.map((ring) => () => ring.close()));
  return rings;
}

const kidOf = (ring: KeyRing): string => String(ring.jwks().keys[0]?.kid);

async function nextOf(ring: KeyRing): Promise<string> {
  const next = (): string | undefined => ring.describe().find(({ state }) => state === 'next')?.kid;
  await vi.waitFor(() => expect(next()).toBeDefined(), { timeout: 10_000, interval: 2 });
  return next() ?? '';
}

/** Looks at both rings until all is done: each publishes one key, which both can decrypt with. */
async function expectServed(
  rings: readonly KeyRing[],
  work: readonly Promise<unknown>[],
): Promise<Set<string>> {
  let done = false;
  const all = Promise.all(work).finally(() => {
    done = true;
  });
  all.catch(() => {}); // it is awaited below
  const seen = new Set<string>();
  while (!done) {
    for (const ring of rings) {
      const kids = ring.jwks().keys.map(({ kid }) => String(kid));
      expect(kids).toHaveLength(1);
      for (const kid of kids) {
        seen.add(kid);
        for (const each of rings) expect(each.find(kid), `${kid} is published, but not held`).toBeDefined();
      }
    }
    await sleep(2);
  }
  await all;
  return seen;
}

it('a revocation by one process during a rotation by another waits for the new key', async () => {
  const [a, b] = await twoRings();
  const old = kidOf(a);
  const rotated = a.rotate();
  const next = await nextOf(b);
  await expectServed([a, b], [rotated, b.revoke(old)]);
  expect([kidOf(a), kidOf(b)]).toEqual([next, next]);
  expect(b.find(old)).toBeUndefined();
  await vi.waitFor(() => expect(a.find(old)).toBeUndefined(), { timeout: 2_000, interval: 5 });
});

it('a new key that is revoked before it is published never is, and the old one stays', async () => {
  const [a, b] = await twoRings();
  const old = kidOf(a);
  const rotated = a.rotate();
  const next = await nextOf(b);
  const seen = await expectServed([a, b], [rotated, b.revoke(next), sleep(8 * POLL)]);
  expect([...seen]).toEqual([old]);
  for (const ring of [a, b]) expect(ring.find(next)).toBeUndefined();
  const made = (await b.rotate()).kid;
  expect([kidOf(a), kidOf(b)]).toEqual([made, made]);
});

it('all that is revoked at once by two processes is replaced by one key that both have', async () => {
  const [a, b] = await twoRings();
  const kids = [kidOf(a), (await a.rotate()).kid];
  await vi.waitFor(() => expect(kidOf(b)).toBe(kids[1]), { timeout: 2_000, interval: 5 });
  await expectServed([a, b], [...kids.map((kid) => a.revoke(kid)), ...kids.map((kid) => b.revoke(kid))]);
  expect(kidOf(a)).toBe(kidOf(b));
  expect(kids).not.toContain(kidOf(a));
  expect(a.describe().filter(({ state }) => state !== 'revoked')).toHaveLength(1);
});

it('a process that is slow to make a key still sees in time what another one publishes', async () => {
  const [a, b] = await twoRings();
  const { subtle } = crypto;
  const make = subtle.generateKey.bind(subtle) as (...args: readonly unknown[]) => Promise<unknown>;
  let made = 0;
  async function slowTheSecondTime(...args: readonly unknown[]): Promise<unknown> {
    made += 1;
    if (made === 2) await sleep(8 * POLL); // the key of the other one is published long before
    return make(...args);
  }
  // Overloads: a function that passes on its arguments fits each of them.
  vi.spyOn(subtle, 'generateKey').mockImplementation(slowTheSecondTime as typeof subtle.generateKey);
  await expectServed([a, b], [a.rotate(), b.rotate()]);
  expect(made).toBe(2);
  expect(kidOf(a)).toBe(kidOf(b));
  expect(a.describe()).toHaveLength(2);
});

it('a rotation that is asked for just as another one is published gets that one', async () => {
  const store = sharedStore();
  vi.useFakeTimers({ toFake: ['Date'] });
  cleanup.push(() => void vi.useRealTimers());
  const a = await createKeyRing({ store });
  // The store answers as the key, which was on its way when it was asked, is published.
  const late = await createKeyRing({
    store: {
      ...store,
      update: async (change) => {
        const keys = await store.update(change);
        vi.setSystemTime(Date.now() + 4 * POLL);
        return keys;
      },
    },
  });
  cleanup.push(...[a, late].map((ring) => () => ring.close()));
  const rotated = a.rotate();
  const next = await nextOf(a);
  expect((await late.rotate()).kid).toBe(next);
  expect((await rotated).kid).toBe(next);
  expect(kidOf(late)).toBe(next);
});
