import type { ReplayStore } from '../exchange/replay.js';

/** One thing that a replay store must do. */
export interface ReplayStoreCase {
  /** A sentence: the title of a test. */
  readonly name: string;
  /**
   * Rejects with an `Error` saying what is wrong. `open` opens the same, empty storage each time it is called, as
   * processes that share a store do.
   */
  readonly run: (open: () => ReplayStore | Promise<ReplayStore>) => Promise<void>;
}

/**
 * What every replay store must do, for any test runner. Each case needs a storage of its own, and up to two seconds.
 *
 * @example
 * for (const { name, run } of replayStoreContract) test(name, () => run(() => redisReplayStore(prefix())))
 */
export const replayStoreContract: readonly ReplayStoreCase[] = [
  {
    name: 'an id is new once, whoever asks',
    run: async (open) => {
      const [one, other] = [await open(), await open()];
      isTrue(await one.add('a', soon()), 'the first time');
      isFalse(await one.add('a', soon()), 'the second time');
      isFalse(await other.add('a', soon()), 'the second time, of another process');
    },
  },
  {
    name: 'ids are known apart, letter by letter',
    run: async (open) => {
      const store = await open();
      for (const id of ['a', 'A', 'aa', '-', '_', '__proto__', 'constructor', 'a'.repeat(43)])
        isTrue(await store.add(id, soon()), `the first time of ${id}`);
    },
  },
  {
    name: 'of a hundred that come at once with one id, exactly one is new',
    run: async (open) => {
      const stores = [await open(), await open()] as const;
      const asked = Array.from({ length: 100 }, (_, i) => stores[i % 2 === 0 ? 0 : 1].add('a', soon()));
      const news = (await Promise.all(asked)).filter((isNew) => isNew);
      if (news.length !== 1) throw new Error(`${news.length} of a hundred were new`);
    },
  },
  {
    name: 'an id is remembered until its time, and may be forgotten then',
    run: async (open) => {
      const store = await open();
      const time = inSeconds(2);
      isTrue(await store.add('a', time), 'the first time');
      await new Promise((resolve) => setTimeout(resolve, time * 1000 - Date.now() - 300));
      const answer = await store.add('a', soon());
      if (Date.now() / 1000 < time) isFalse(answer, 'before its time has come');
    },
  },
];

/** A time that a token could be good until. */
function soon(): number {
  return inSeconds(420);
}

/** Whole seconds since the epoch, as a server end gives them. */
function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function isTrue(answer: unknown, when: string): void {
  if (answer !== true) throw new Error(`add() answered ${String(answer)} ${when}, not true`);
}

function isFalse(answer: unknown, when: string): void {
  if (answer !== false) throw new Error(`add() answered ${String(answer)} ${when}, not false`);
}
