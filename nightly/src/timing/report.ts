import type { Row, Verdict } from './judge.js';

const HEAD = ['class', 'n', 'median µs', 'p10–p90', 'ratio', ''];

/** Two tables in Markdown, and what they show in one sentence. */
export function timingReport(title: string, { rows, noise }: Verdict): string {
  const compared = rows.filter(({ group }) => group !== 'known to the sender');
  const open = rows.filter(({ group }) => group === 'known to the sender');
  const outstanding = rows
    .filter(({ standsOut }) => standsOut)
    .map(({ name, ratio }) => `${name} (${fixed(ratio, 2)})`);
  const verdict = outstanding.length > 0 ? `stand out: ${outstanding.join('; ')}` : 'none stands out';
  return [
    `## ${title}`,
    table(compared),
    'Refused for what the sender knows by himself:',
    table(open),
    `${title}: two equal classes differ by ${fixed(100 * noise, 1)} %; of the classes that reach the key ${verdict}.`,
    '',
  ].join('\n\n');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, n, median, p10, p90, ratio, standsOut }) => [
    name,
    n,
    fixed(median, 0),
    `${fixed(p10, 0)}–${fixed(p90, 0)}`,
    fixed(ratio, 3),
    standsOut ? '◀' : '',
  ]);
  return [HEAD, HEAD.map((_, i) => (i === 0 ? '---' : '--:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}
