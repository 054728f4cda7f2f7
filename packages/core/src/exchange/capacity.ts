import { E2eeError } from '../errors.js';
import type { Limits } from './limits.js';

/** Keeps private-key operations from taking the whole machine: so many at once, so many more in line. */
export interface Capacity {
  /** Throws `over_capacity` when so many more operations of one message would have to wait. */
  admit(operations: number): void;
  /** Does one operation when it is its turn. */
  inTurn<Result>(operation: () => Promise<Result>): Promise<Result>;
}

/** First come, first served. A message is taken whole, whatever its size, when nobody is in line. */
export function capacityOf({ concurrency, queue }: Pick<Limits, 'concurrency' | 'queue'>): Capacity {
  let running = 0;
  const inLine: (() => void)[] = [];

  const turn = (): Promise<void> | undefined => {
    if (running === concurrency) return new Promise((resolve) => inLine.push(resolve));
    running += 1;
    return undefined;
  };
  const leave = (): void => {
    const next = inLine.shift();
    if (next) next();
    else running -= 1;
  };
  return {
    admit: (operations) => {
      if (inLine.length > 0 && inLine.length + operations > queue)
        throw new E2eeError('over_capacity', `${inLine.length} tokens wait to be opened already`);
    },
    inTurn: async (operation) => {
      const waiting = turn();
      if (waiting) await waiting;
      try {
        return await operation();
      } finally {
        leave();
      }
    },
  };
}
