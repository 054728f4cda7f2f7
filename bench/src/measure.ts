import { summaryOf } from './statistics.js';

/** What can be measured, and its unit. */
export const UNITS = {
  rate: '/s',
  p50: 'ms',
  p99: 'ms',
  delay50: 'ms',
  delay99: 'ms',
  delayMax: 'ms',
  rss: 'MB',
  heap: 'MB',
  cpu: 'µs each',
  time: 'ms',
  ns: 'ns',
  exponent: '',
} as const;

export type Metric = keyof typeof UNITS;

/** What one slice of time showed. */
export type Sample = Readonly<Partial<Record<Metric, number>>>;

export interface Contestant {
  readonly name: string;
  /** Works for a slice of time. */
  sample(): Promise<Sample>;
}

/** One metric of one contestant. Contestants of a group were measured in turns, so their rounds compare one to one. */
export interface Row {
  readonly group: string;
  readonly name: string;
  readonly metric: Metric;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: readonly number[];
}

export interface Rounds {
  readonly rounds: number;
  /** Rounds before, which are not counted. */
  readonly warmUp: number;
}

/** In every round each contestant has a slice, in an order that changes. */
export async function interleave(
  group: string,
  contestants: readonly Contestant[],
  { rounds, warmUp }: Rounds,
): Promise<Row[]> {
  const samples = new Map(contestants.map(({ name }): [string, Sample[]] => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const contestant of shuffled(contestants)) {
      const sample = await contestant.sample();
      if (round >= 0) samples.get(contestant.name)?.push(sample);
    }
  }
  return [...samples].flatMap(([name, taken]) => rowsOf(group, name, taken));
}

/** A row for each metric of some samples. */
export function rowsOf(group: string, name: string, samples: readonly Sample[]): Row[] {
  const metrics = Object.keys(samples[0] ?? {}) as Metric[]; // that is what samples have for keys
  return metrics.map((metric) => {
    const rounds = samples.map((sample) => sample[metric] ?? Number.NaN);
    return { group, name, metric, ...summaryOf(rounds), rounds };
  });
}

/** How a turn is spent. */
export interface Turn {
  /** How many are under way at once. */
  readonly inFlight: number;
  /** Milliseconds, at least. */
  readonly slice: number;
}

/** How many times a second something can be done, and what processor time, of all threads, each takes. */
export async function rateOf(run: () => unknown, { inFlight, slice }: Turn): Promise<Sample> {
  let done = 0;
  const processor = process.cpuUsage();
  const start = performance.now();
  const worker = async (): Promise<void> => {
    do {
      await run();
      done += 1;
    } while (performance.now() - start < slice);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(processor);
  return { rate: done / seconds, cpu: (user + system) / done };
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
