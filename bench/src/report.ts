import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import colors from 'picocolors';
import { figure } from './chart.js';
import { chartsOf } from './charts.js';
import type { Finding, Verdict } from './goals.js';
import type { Machine } from './machine.js';
import { type Row, UNITS } from './measure.js';
import type { Results } from './results.js';

/** All that a run has to say. */
export interface Report {
  readonly mode: string;
  readonly machine: Machine;
  readonly findings: readonly Finding[];
  readonly results: Results;
}

const MARKS: Readonly<Record<Verdict, string>> = {
  met: '✔ met',
  'not met': '✘ not met',
  'cannot tell': '? cannot tell',
  'not measured': '– not measured',
};

const PAINT: Readonly<Record<Verdict, (text: string) => string>> = {
  met: colors.green,
  'not met': colors.red,
  'cannot tell': colors.yellow,
  'not measured': colors.dim,
};

/** What a terminal shows of it. */
export function printed({ findings }: Pick<Report, 'findings'>): string {
  const lines = findings.map((finding) => {
    const { goal, of, wanted, unit, verdict } = finding;
    const value = `${measuredText(finding)}${unit && ` ${unit}`}`.padStart(16);
    return `${PAINT[verdict](MARKS[verdict].padEnd(15))} ${value}  ${wanted.padEnd(7)} ${goal} ${colors.dim(`(${of})`)}`;
  });
  return lines.join('\n');
}

/** What a group showed, as lines for a terminal. */
export function progress(rows: readonly Row[]): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => `${colors.bold(group)}\n${linesOf(rows.filter((row) => row.group === group))}`)
    .join('\n');
}

function linesOf(rows: readonly Row[]): string {
  const shown = (row: Row): string =>
    `  ${row.name.padEnd(40)} ${figure(row.median).padStart(9)} ${UNITS[row.metric]}  (${figure(row.low)} – ${figure(row.high)}) ${colors.dim(row.metric)}`;
  return rows.map(shown).join('\n');
}

/** Writes `results.json`, the charts, and a README that shows them. */
export function write(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true });
  const { results, ...rest } = report;
  const rows = results.rows.map((row) => ({ ...row, unit: UNITS[row.metric] }));
  const rounded = (_name: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value;
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ ...rest, rows }, rounded, 1)}\n`);
  const charts = chartsOf(results);
  for (const [file, svg] of charts) writeFileSync(join(folder, file), svg);
  writeFileSync(join(folder, 'README.md'), readme(report, [...charts.keys()]));
}

function readme({ mode, machine, findings, results }: Report, charts: readonly string[]): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const goals = findings.map(
    (finding) =>
      `| ${finding.goal} | ${finding.of} | ${finding.wanted} | ${measuredText(finding)} ${finding.unit} | ${MARKS[finding.verdict]} |`,
  );
  const groups = [...new Set(results.rows.map(({ group }) => group))];
  return `# Benchmarks

Written by \`pnpm bench\` on ${machine.date} (${mode} run). Do not edit.

| | |
|---|---|
| processor | ${machine.processor}, ${machine.cores} cores, ${machine.memory} |
| system | ${machine.system}, Node ${machine.node}, OpenSSL ${machine.openssl} |
| packages | ${packages.join(', ')} |
| load before | ${machine.loadBefore.toFixed(1)} processes that want to run; above ${(machine.cores / 5).toFixed(1)}, doubt the figures |

Contestants take turns in every round, in an order that changes, after rounds that do not count. Figures are medians, with
the tenth and the ninetieth percentile; ratios are medians of the rounds' ratios. Servers run in processes of their own; what
sends them requests runs on the same machine, so that it takes processor time from them: compare them with the bare server.

${charts.map((file) => `![${file.replace('.svg', '')}](${file})`).join('\n\n')}

## Goals

| goal | of | wanted | measured | |
|---|---|---|---|---|
${goals.join('\n')}

## Figures

${groups
  .map((group) =>
    tableOf(
      group,
      results.rows.filter((row) => row.group === group),
    ),
  )
  .join('\n\n')}
`;
}

/** A line for each name, a column for each metric. */
function tableOf(group: string, rows: readonly Row[]): string {
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const cell = (row: Row | undefined): string =>
    row
      ? `${figure(row.median)}${row.rounds.length > 1 ? ` (${figure(row.low)} – ${figure(row.high)})` : ''}`
      : '';
  const lines = names.map((name) => {
    const cells = metrics.map((metric) =>
      cell(rows.find((row) => row.name === name && row.metric === metric)),
    );
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  const heads = metrics.map((metric) => `${metric}${UNITS[metric] && `, ${UNITS[metric]}`}`);
  return `### ${group}\n\n| ${['', ...heads].join(' | ')} |\n|${'---|'.repeat(heads.length + 1)}\n${lines.join('\n')}`;
}

function measuredText({ value, noise, idle }: Finding): string {
  const text = value === undefined ? '–' : figure(value);
  if (idle !== undefined) return `${text} (idle ${figure(idle)})`;
  return noise === undefined ? text : `${text} (noise ${figure(noise * 100)} %)`;
}
