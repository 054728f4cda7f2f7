import { E2eeError } from '../errors.js';
import type { Limits } from './limits.js';

/** Does one operation when it is its turn. */
export type InTurn = <Result>(operation: () => Promise<Result>) => Promise<Result>;

/** Keeps private-key operations from taking the whole machine: so many at once, so many more in line. */
export interface Capacity {
  /**
   * The line of one message, which wants so many operations. Throws `over_capacity` when that many more would have to wait;
   * a message is taken whole, whatever its size, when nobody is in line.
   */
  admit(operations: number): InTurn;
}

/** A message that has waited for longer is refused, in milliseconds: most callers have given up by then. */
const PATIENCE = 10_000;

/** Messages take turns, one operation each: whoever sends many tokens waits for himself. */
export function capacityOf({
  concurrency,
  queue,
  patience = PATIENCE,
}: Pick<Limits, 'concurrency' | 'queue'> & { readonly patience?: number }): Capacity {
  let [running, waiting] = [0, 0];
  /** Of those messages that wait, in the order of their turns. */
  const lines: (() => void)[][] = [];

  const wait = (line: (() => void)[]): Promise<void> => {
    waiting += 1;
    if (line.length === 0) lines.push(line);
    return new Promise((resolve) => line.push(resolve));
  };
  const leave = (): void => {
    const line = lines.shift() ?? [];
    const next = line.shift();
    if (!next) {
      running -= 1;
      return;
    }
    waiting -= 1;
    if (line.length > 0) lines.push(line);
    next();
  };
  return {
    admit: (operations) => {
      if (waiting > 0 && waiting + operations > queue)
        overCapacity(`${waiting} tokens wait to be opened already`);
      const line: (() => void)[] = [];
      const since = performance.now();
      let isBegun = false;
      return async (operation) => {
        if (running === concurrency) await wait(line);
        else running += 1;
        try {
          if (!isBegun && performance.now() - since > patience) overCapacity('A message has waited too long');
          isBegun = true;
          return await operation();
        } finally {
          leave();
        }
      };
    },
  };
}

function overCapacity(why: string): never {
  throw new E2eeError('over_capacity', why);
}
