import { coveredFields } from './covered-fields.js';
import { padTo, wrapWords } from './display-width.js';
import type { Palette } from './palette.js';
import type { Choice, OperationName, Report, Step } from './report.js';

const CHOICES: readonly Choice[] = ['redact', 'encrypt', 'message'];
const LABEL = 30;
const CELL = 9;

/** The last thing on the screen, which has to be enough for a reader in a hurry. */
export function renderSummary(report: Report, width: number, palette: Palette): string[] {
  const calls = report.steps.filter(({ about }) => about === 'call');
  const operations = [...new Set(calls.map(({ operation }) => operation))];
  const line = (cells: readonly string[]): string => `  ${cells.join('')}`;
  return [
    line([padTo('', LABEL), ...CHOICES.map((choice) => palette.strong(padTo(choice, CELL)))]),
    ...operations.map((operation) =>
      line([padTo(operation, LABEL), ...CHOICES.map((choice) => cell(calls, operation, choice, palette))]),
    ),
    ...report.steps
      .filter(({ about }) => about === 'key change')
      .map((step) => line([padTo(step.name, LABEL), verdict(step, answersOf(step), palette)])),
    '',
    ...wrapWords(conclusion(report), width - 2).map((text) =>
      line([palette[report.ok ? 'good' : 'bad'](text)]),
    ),
  ];
}

function cell(steps: readonly Step[], operation: OperationName, choice: Choice, palette: Palette): string {
  const step = steps.find((candidate) => candidate.operation === operation && candidate.choice === choice);
  return step ? verdict(step, String(step.status), palette) : padTo('', CELL);
}

function verdict({ checks }: Step, text: string, palette: Palette): string {
  const ok = checks.every((check) => check.ok);
  return palette[ok ? 'good' : 'bad'](padTo(`${ok ? '✓' : '✗'} ${text}`, CELL));
}

/** `422 → new key → 201` */
function answersOf({ timeline = [] }: Step): string {
  return timeline
    .filter(({ who }) => who === 'merchant')
    .map(({ what, outcome }) => (what.includes('jwks') ? 'new key' : outcome.slice(0, 3)))
    .join(' → ');
}

function conclusion({ ok, steps }: Report): string {
  const checks = steps.flatMap((step) => step.checks);
  const failed = checks.filter((check) => !check.ok).length;
  if (!ok) return `✗ ${failed} of ${checks.length} checks failed; they are marked ✗ above.`;
  const fields = steps.flatMap(({ operation, merchantWrote }) =>
    coveredFields(operation, merchantWrote),
  ).length;
  return (
    `✓ ${fields} sensitive fields were sent, none was readable between the sockets, and the handlers saw every one ` +
    `as it was written. All ${checks.length} checks of ${steps.length} calls passed.`
  );
}
