import { wrapWords } from '../display-width.js';
import { heading, indented, renderChecks, type Screen } from '../render.js';
import { type Piece, plainPieces, type Row, wirePieces } from '../rows.js';
import { type Column, renderTable } from '../table.js';
import type { AggregatorReport, AggregatorStep } from './report.js';
import { nameOf, type Secret, secretsOf } from './secrets.js';

/** What is said about the three views. */
export interface Words {
  readonly title: string;
  readonly about: string;
  /** What stands above each view. */
  readonly views: readonly [typed: string, intermediate: string, aggregator: string];
}

const WORDS: Words = {
  title: 'Aggregator',
  about:
    'A user signs in to banks through an aggregator. What is typed passes an intermediate server that adds the token, ' +
    'logs every byte and has no key.',
  views: ['the user typed', 'the intermediate server saw', 'the aggregator confirmed'],
};

/** The report for a person to read. */
export function renderAggregator(report: AggregatorReport, screen: Screen, words: Words = WORDS): string {
  const { palette, width } = screen;
  const [typed, intermediate, aggregator] = words.views;
  const views: readonly Column[] = [
    { title: typed, of: (row) => row.wrote },
    { title: intermediate, of: (row) => row.wire },
    { title: aggregator, of: (row) => row.back },
  ];
  const lines = [
    '',
    '',
    palette.strong(heading(`━━ ${words.title} `, width)),
    ...indented(words.about, width),
    ...report.steps.flatMap((step) => ['', ...renderStep(step, screen, views)]),
    '',
    ...conclusion(report, screen),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function renderStep(step: AggregatorStep, screen: Screen, views: readonly Column[]): string[] {
  const { palette, width } = screen;
  const paint = step.status < 300 ? palette.good : palette.bad;
  return [
    ...wrapWords(step.name, width - 2).map((line) => `  ${palette.strong(line)}`),
    `  ${palette.note(step.call)}  ${paint(String(step.status))}`,
    ...renderTable(rowsOf(step), screen, views),
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
