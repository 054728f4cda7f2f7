import type { Context } from '../context.js';
import { endsFor, fieldsRequest } from '../ends.js';
import { interleave, type Row, type Sample } from '../measure.js';
import { GROUPS, IDLE, OURS } from '../names.js';
import { quantile } from '../statistics.js';

const MESSAGES = 20;

/** The longest time between two turns of the event loop, which tells how long something else would have to wait. */
export async function client({ effort, pair }: Context): Promise<Row[]> {
  const ends = await endsFor(await pair('RSA-2048'));
  const plain = fieldsRequest(64);
  const encrypt = async (): Promise<void> => {
    for (let i = 0; i < MESSAGES; i += 1) await ends.client.encryptRequest(plain);
  };
  const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, MESSAGES * 8));
  return interleave(
    GROUPS.client,
    [
      { name: OURS, sample: () => gapsDuring(encrypt) },
      { name: IDLE, sample: () => gapsDuring(idle) },
    ],
    effort.rounds,
  );
}

async function gapsDuring(work: () => Promise<void>): Promise<Sample> {
  const gaps: number[] = [];
  let last = performance.now();
  let isOver = false;
  const turn = (): void => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return { delayMax: Math.max(...gaps.slice(1)), delay99: quantile(gaps, 0.99) };
}
