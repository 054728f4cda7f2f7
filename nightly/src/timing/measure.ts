import { randomInt } from 'node:crypto';
import type { FailureClass } from './failure-class.js';
import type { Way } from './ways.js';

/** How long each token of a class took, in microseconds. */
export interface Measured {
  readonly kind: FailureClass;
  readonly times: Float64Array;
  /** What became of tokens that should not have. */
  readonly mistakes: ReadonlySet<string>;
}

const WARM_UP = 200;

/** Times `runs` tokens of each class, one at a time. In every round the classes come in another random order. */
export async function measure(
  way: Way,
  kinds: readonly FailureClass[],
  runs: number,
): Promise<readonly Measured[]> {
  const measured = kinds.map((kind) => ({
    kind,
    times: new Float64Array(runs),
    mistakes: new Set<string>(),
  }));
  for (let round = -WARM_UP; round < runs; round += 1) {
    for (const { kind, times, mistakes } of shuffled(measured)) {
      const token = kind.tokens[(round + WARM_UP) % kind.tokens.length] as string; // the index is below the length
      const start = process.hrtime.bigint();
      const outcome = await way.take(token);
      const end = process.hrtime.bigint();
      if (outcome !== way.expected(kind)) mistakes.add(outcome);
      if (round >= 0) times[round] = Number(end - start) / 1000;
    }
  }
  return measured;
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = randomInt(i + 1);
    [copy[i], copy[j]] = [copy[j] as Item, copy[i] as Item]; // both are below the length
  }
  return copy;
}
