import { type Bar, barChart, type Chart } from './chart.js';
import { GROUPS, LIMIT_ASYNC, LIMIT_SYNC, OURS, PER_MESSAGE_KEY, serverName } from './names.js';
import type { Results } from './results.js';

interface ChartOf {
  readonly file: string;
  readonly title: string;
  readonly description: string;
  readonly group: string;
  /** Which of the group, in this order. Default all, the fastest first. */
  readonly names?: readonly string[];
}

const SERVER_NAMES = ['1 field', '8 fields', 'whole message'].flatMap((scenario) =>
  ['express', 'koa', 'nest'].map((framework) => serverName(framework, scenario)),
);

const CHARTS: readonly ChartOf[] = [
  {
    file: 'decrypt.svg',
    title: 'Decryptions a second: RSA-2048, 70 bytes, 16 at once',
    description: 'How many tokens each library decrypts in a second, beside the private-key operation alone.',
    group: GROUPS.decrypt(16),
  },
  {
    file: 'encrypt.svg',
    title: 'Encryptions a second: RSA-2048, 70 bytes, 16 at once',
    description: 'How many tokens each library makes in a second.',
    group: GROUPS.encrypt(16),
  },
  {
    file: 'fields.svg',
    title: 'Messages of 16 encrypted fields a second, decrypted',
    description: 'How many messages of 16 fields are decrypted in a second.',
    group: GROUPS.decryptFields(16),
  },
  {
    file: 'servers.svg',
    title: 'Requests a second of whole servers',
    description: 'How many requests servers of three frameworks answer in a second, by what is encrypted.',
    group: GROUPS.servers,
    names: SERVER_NAMES,
  },
];

/** File name → SVG, for all that was measured. */
export function chartsOf(results: Results): Map<string, string> {
  const charts = CHARTS.map(({ file, ...chart }) => [file, drawable(results, chart)] as const);
  return new Map(
    charts.filter(([, { bars }]) => bars.length > 0).map(([file, chart]) => [file, barChart(chart)]),
  );
}

function drawable({ rows }: Results, { title, description, group, names }: Omit<ChartOf, 'file'>): Chart {
  const measured = rows.filter((row) => row.group === group && row.metric === 'rate');
  const shown = names
    ? names.flatMap((name) => measured.filter((row) => row.name === name))
    : measured.sort((a, b) => b.median - a.median);
  const bars = shown.map(
    ({ name, median: value, low, high }): Bar => ({ label: name, value, low, high, kind: kindOf(name) }),
  );
  return { title, description, unit: 'per second', bars };
}

function kindOf(name: string): Bar['kind'] {
  if ([LIMIT_ASYNC, LIMIT_SYNC].includes(name)) return 'limit';
  return name === OURS || name === PER_MESSAGE_KEY || SERVER_NAMES.includes(name) ? 'ours' : 'other';
}
