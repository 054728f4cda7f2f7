import { E2eeError } from '../errors.js';
import type { Limits } from './limits.js';

/** Keeps private-key operations from taking the whole machine: so many at once, so many more in line. */
export interface Capacity {
  /** Does the work of one message, each piece in its turn; or none of it, and rejects with `over_capacity`. */
  take<Result>(work: readonly (() => Promise<Result>)[]): Promise<Result[]>;
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
  const inTurn = async <Result>(piece: () => Promise<Result>): Promise<Result> => {
    await turn();
    try {
      return await piece();
    } finally {
      leave();
    }
  };
  return {
    take: async (work) => {
      if (inLine.length > 0 && inLine.length + work.length > queue)
        throw new E2eeError('over_capacity', `${inLine.length} tokens wait to be opened already`);
      return Promise.all(work.map(inTurn));
    },
  };
}
