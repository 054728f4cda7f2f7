import type { FindingKind } from './findings.js';
import type { Subject } from './subject.js';
import type { Tally } from './tally.js';

/** How long to go on. */
export interface Bounds {
  /** In milliseconds. */
  readonly time: number;
  /** Default: as many as there is time for. */
  readonly inputs?: number | undefined;
  /** The number of the first input. Default 0. */
  readonly first?: number | undefined;
  /** Ends before that, as soon as this is found. */
  readonly until?: FindingKind | undefined;
}

/** Memory in use after collection, in bytes, and what of the time had passed. */
export interface Memory {
  readonly early: number;
  readonly late: number;
}

/** As many inputs at once as keep both processes busy while some wait for the end of a request that never comes. */
const CONCURRENCY = 24;
const SAMPLES = 5;
/** When the caches are warm, and what is measured then is compared with the end. */
const EARLY = 0.2;
/** What caches and pools may still grow by, in bytes. */
const GROWTH = 20_000_000;

/** Gives one numbered input after another to `one`, which never rejects, and measures the subject's memory. */
export async function drive(
  subject: Subject,
  tally: Tally,
  { time, inputs = Number.POSITIVE_INFINITY, first = 0, until: goal }: Bounds,
  one: (number: number) => Promise<void>,
): Promise<Memory> {
  const start = Date.now();
  let next = first;
  const until = async (share: number): Promise<void> => {
    const isOver = (): boolean =>
      !subject.isAlive ||
      tally.findings.some(({ kind }) => kind === goal) ||
      Date.now() - start >= time * share ||
      next - first >= inputs * share;
    const worker = async (): Promise<void> => {
      while (!isOver()) {
        const number = next;
        next += 1;
        tally.inputs += 1;
        await one(number);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };
  await until(EARLY);
  const early = await memoryOf(subject);
  await until(1);
  const late = await memoryOf(subject);
  if (late - early > GROWTH)
    tally.find({ kind: 'memory', detail: `It grew by ${Math.round((late - early) / 1e6)} MB` });
  return { early, late };
}

/** The median of several samples. */
async function memoryOf(subject: Subject): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES && subject.isAlive; i += 1) {
    const answer = subject.told('memory');
    subject.ask({ type: 'memory' });
    samples.push((await answer)?.bytes ?? 0);
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1] ?? 0;
}
