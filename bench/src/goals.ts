import {
  BARE,
  CONTROL,
  EARLY,
  FLOOR,
  GROUPS,
  IDLE,
  LATE,
  LIMIT_ASYNC,
  LIMIT_SYNC,
  OURS,
  PER_MESSAGE_KEY,
  RAW,
  serverName,
} from './names.js';
import type { Results } from './results.js';
import { SCENARIOS } from './servers/scenarios.js';
import { noiseOf } from './statistics.js';

export type Verdict = 'met' | 'not met' | 'cannot tell' | 'not measured';

/** A figure that a goal is about. */
export interface Figure {
  readonly of: string;
  readonly value: number | undefined;
  /** What the same thing measured twice differs by, where that matters. */
  readonly noise?: number | undefined;
  /** What the machine shows when nothing at all is done, where it may be as bad. */
  readonly idle?: number | undefined;
}

export interface Goal {
  readonly title: string;
  readonly unit?: string;
  /** What the figures must be at least, or at most. */
  readonly least?: number;
  readonly most?: number;
  figures(results: Results): readonly Figure[];
}

/** A figure, and whether it is as good as its goal. */
export interface Finding extends Figure {
  readonly goal: string;
  readonly wanted: string;
  readonly unit: string;
  readonly verdict: Verdict;
}

const FRAMEWORKS = ['express', 'koa', 'nest'];
const COVERED = SCENARIOS.filter(({ fields }) => fields > 0);
const [NONE, UNCOVERED] = SCENARIOS.map(({ name }) => name) as [string, string];

/** Ours in proportion to another of the same group. */
function comparedTo(other: string, group: string, of = group): (results: Results) => Figure {
  return (results) => ({ of, value: results.ratio({ group, name: OURS }, { group, name: other }) });
}

function single(figure: (results: Results) => Figure): Goal['figures'] {
  return (results) => [figure(results)];
}

/** The fastest way that Node has to use the private key, and what we are in proportion to it. */
function ofPrivateKeyLimit(results: Results): readonly Figure[] {
  const group = GROUPS.decrypt(16);
  const rate = (name: string): number => results.median({ group, name }) ?? 0;
  const limit = rate(LIMIT_SYNC) > rate(LIMIT_ASYNC) ? LIMIT_SYNC : LIMIT_ASYNC;
  return [comparedTo(limit, group, `${group}; limit: ${limit}`)(results)];
}

function ofServers(
  results: Results,
  limitOf: (scenario: string) => string,
  share: boolean,
): readonly Figure[] {
  const group = GROUPS.servers;
  return FRAMEWORKS.flatMap((framework) =>
    COVERED.map(({ name, fields }) => {
      const ours = { group, name: serverName(framework, name) };
      const ratio = results.ratio(ours, { group, name: limitOf(name) });
      return { of: ours.name, value: ratio && ratio * (share ? fields : 1) };
    }),
  );
}

function ofUncovered(results: Results, metric: 'rate' | 'cpu'): readonly Figure[] {
  return FRAMEWORKS.map((framework) => {
    const group = GROUPS.uncovered(framework);
    const series = (name: string) => ({ group, name, metric });
    const compare = (name: string): number[] | undefined =>
      metric === 'rate'
        ? results.ratios(series(name), series(NONE))
        : results.ratios(series(NONE), series(name));
    const control = compare(CONTROL);
    const value =
      metric === 'rate'
        ? results.ratio(series(UNCOVERED), series(NONE))
        : results.ratio(series(NONE), series(UNCOVERED));
    return { of: framework, value, noise: control && noiseOf(control) };
  });
}

/** All that the project promises of its speed. */
const GOALS: readonly Goal[] = [
  { title: 'decrypt ÷ raw private-key limit', least: 0.95, figures: ofPrivateKeyLimit },
  {
    title: 'decrypt ÷ jose',
    least: 1,
    figures: (results) => [1, 16, 128].map((n) => comparedTo('jose', GROUPS.decrypt(n))(results)),
  },
  { title: 'decrypt ÷ mastercard', least: 3, figures: single(comparedTo('mastercard', GROUPS.decrypt(16))) },
  { title: 'decrypt ÷ node-jose', least: 1.3, figures: single(comparedTo('node-jose', GROUPS.decrypt(16))) },
  {
    title: 'encrypt ÷ synchronous node:crypto',
    least: 0.85,
    figures: single(comparedTo(RAW, GROUPS.encrypt(16))),
  },
  { title: 'encrypt ÷ jose', least: 1.3, figures: single(comparedTo('jose', GROUPS.encrypt(16))) },
  {
    title: 'time of a 1 MB message ÷ AES-GCM, base64url and JSON',
    most: 1.5,
    figures: (results) =>
      [GROUPS.encryptMessage, GROUPS.decryptMessage].map((group) => ({
        of: group,
        value: results.ratio({ group, name: FLOOR }, { group, name: OURS }), // rates: the other way round
      })),
  },
  {
    title: 'covered servers ÷ (private-key limit ÷ fields)',
    least: 0.9,
    figures: (results) => ofServers(results, () => LIMIT_ASYNC, true),
  },
  {
    title: 'covered servers ÷ bare node:http server that does the same',
    least: 0.9,
    figures: (results) => ofServers(results, (scenario) => serverName(BARE, scenario), false),
  },
  {
    title: 'uncovered routes ÷ no middleware, throughput',
    least: 0.98,
    figures: (results) => ofUncovered(results, 'rate'),
  },
  {
    title: 'uncovered routes ÷ no middleware, by processor time',
    least: 0.98,
    figures: (results) => ofUncovered(results, 'cpu'),
  },
  {
    title: 'event-loop delay, p99, 8 fields at full load',
    unit: 'ms',
    most: 10,
    figures: (results) =>
      [...FRAMEWORKS, BARE].map((framework) => ({
        of: framework,
        value: results.median({
          group: GROUPS.servers,
          name: serverName(framework, '8 fields'),
          metric: 'delay99',
        }),
      })),
  },
  {
    title: 'exponent of time against size',
    most: 1.1,
    figures: ({ rows }) =>
      rows
        .filter(({ metric }) => metric === 'exponent')
        .map(({ name, median }) => ({ of: name, value: median })),
  },
  {
    title: 'matching an operation among 10,000',
    unit: 'ns',
    most: 1000,
    figures: ({ rows }) =>
      rows.filter(({ metric }) => metric === 'ns').map(({ name, median }) => ({ of: name, value: median })),
  },
  {
    title: 'growth of the heap over the last four fifths of the requests',
    unit: 'MB',
    most: 1,
    figures: (results) => {
      const heap = (name: string) => results.median({ group: GROUPS.memory, name, metric: 'heap' });
      const [early, late] = [heap(EARLY), heap(LATE)];
      return [
        { of: 'server end', value: early !== undefined && late !== undefined ? late - early : undefined },
      ];
    },
  },
  {
    title: '16 fields under one key ÷ a key each',
    least: 8,
    figures: (results) =>
      ['RSA-2048', 'RSA-3072', 'RSA-4096'].map((key) => {
        const group = GROUPS.capacity(key);
        const series = (name: string) => ({ group, name: `${name}, 16 fields` });
        return { of: key, value: results.ratio(series(PER_MESSAGE_KEY), series(OURS)) };
      }),
  },
  {
    title: 'longest block of the event loop while a client encrypts 64 fields',
    unit: 'ms',
    most: 10,
    figures: single((results) => {
      const longest = (name: string): number | undefined => {
        const row = results.find({ group: GROUPS.client, name, metric: 'delayMax' });
        return row && Math.max(...row.rounds);
      };
      return { of: OURS, value: longest(OURS), idle: longest(IDLE) };
    }),
  },
];

/** Every figure of every goal, judged. */
export function judge(results: Results, goals: readonly Goal[] = GOALS): Finding[] {
  return goals.flatMap((goal) => {
    const { title, unit = '' } = goal;
    const wanted = goal.least === undefined ? `≤ ${goal.most}` : `≥ ${goal.least}`;
    const figures = goal.figures(results);
    const all = figures.length > 0 ? figures : [{ of: '–', value: undefined }];
    return all.map((figure) => ({ ...figure, goal: title, wanted, unit, verdict: verdictOf(figure, goal) }));
  });
}

/** Where chance, or the machine by itself, may make the difference, a figure that is not clearly bad says nothing. */
function verdictOf(
  { value, noise = 0, idle = 0 }: Figure,
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Goal,
): Verdict {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  if (value + noise < least) return 'not met';
  if (noise > Math.abs(1 - least) || idle > most) return 'cannot tell';
  return value >= least && value <= most ? 'met' : 'not met';
}
