import { wrapWords } from '../display-width.js';
import { heading, indented, renderChecks, type Screen } from '../render.js';
import { type Piece, plainPieces, type Row, wirePieces } from '../rows.js';
import { type Column, renderTable } from '../table.js';
import type { AggregatorReport, AggregatorStep } from './report.js';
import { nameOf, type Secret, secretsOf } from './secrets.js';

const VIEWS: readonly Column[] = [
  { title: 'the user typed', of: (row) => row.wrote },
  { title: 'the intermediate server saw', of: (row) => row.wire },
  { title: 'the aggregator confirmed', of: (row) => row.back },
];

/** The report for a person to read. */
export function renderAggregator(report: AggregatorReport, screen: Screen): string {
  const { palette, width } = screen;
  const lines = [
    '',
    '',
    palette.strong(heading('━━ Aggregator ', width)),
    ...indented(
      'A user signs in to banks through an aggregator. What is typed passes an intermediate server that adds the token, ' +
        'logs every byte and has no key.',
      width,
    ),
    ...report.steps.flatMap((step) => ['', ...renderStep(step, screen)]),
    '',
    ...conclusion(report, screen),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function renderStep(step: AggregatorStep, screen: Screen): string[] {
  const { palette, width } = screen;
  const paint = step.status < 300 ? palette.good : palette.bad;
  return [
    ...wrapWords(step.name, width - 2).map((line) => `  ${palette.strong(line)}`),
    `  ${palette.note(step.call)}  ${paint(String(step.status))}`,
    ...renderTable(rowsOf(step), screen, VIEWS),
    ...renderChecks(step.checks, screen),
  ];
}

function rowsOf(step: AggregatorStep): Row[] {
  const confirmations = Reflect.get(Object(step.confirmed), 'credentials');
  return secretsOf(step.typed).map(
    ({ path, value }: Secret): Row => ({
      label: nameOf(path),
      depth: 0,
      isCovered: true,
      wrote: plainPieces(value, true),
      wire: wirePieces(at(step.intermediateSaw, path), true),
      saw: [],
      back: confirmation(Reflect.get(Object(confirmations), nameOf(path))),
    }),
  );
}

function confirmation(value: unknown): Piece[] {
  if (typeof value !== 'object' || value === null) return [{ text: 'used, not kept', kind: 'note' }];
  const { length, ends_with } = value as { length: unknown; ends_with: unknown }; // the aggregator's, checked elsewhere
  const end = ends_with === null ? '' : `, ends in ${JSON.stringify(ends_with)}`;
  return [{ text: `${length} characters${end}`, kind: 'plain' }];
}

function at(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => Reflect.get(Object(value), name), body);
}

function conclusion({ ok, steps }: AggregatorReport, { palette, width }: Screen): string[] {
  const checks = steps.flatMap((step) => step.checks);
  const failed = checks.filter((check) => !check.ok).length;
  const values = steps.flatMap(({ typed }) => secretsOf(typed)).length;
  const text = ok
    ? `✓ ${values} values were typed, the server between read none of them, and the aggregator got every one as it was ` +
      `typed. All ${checks.length} checks of ${steps.length} calls passed.`
    : `✗ ${failed} of ${checks.length} checks failed; they are marked ✗ above.`;
  return indented(text, width).map((line) => palette[ok ? 'good' : 'bad'](line));
}
