import { padTo, wrapWords } from './display-width.js';
import type { Palette } from './palette.js';
import type { Check, Choice, KeyForm, Report, Step, TimelineEntry, WireMessage } from './report.js';
import { onlyAnswered, rowsOf } from './rows.js';
import { renderSummary } from './summary.js';
import { renderTable } from './table.js';
import { tokensIn } from './tokens.js';

export interface Screen {
  readonly width: number;
  readonly palette: Palette;
}

/** The report for a person to read. */
export function renderReport(report: Report, screen: Screen): string {
  const sections = sectionsOf(report.steps);
  const parts = [
    ...introduction(screen),
    ...sections.flatMap((steps, i) => renderSection(steps, i + 1, screen)),
    ...conclusion(report, screen),
  ];
  return `${parts.map((line) => line.trimEnd()).join('\n')}\n`;
}

function introduction({ width, palette }: Screen): string[] {
  const { strong, secret, token, mask, note } = palette;
  const text =
    'A merchant calls a bank. Between them stands a recorder that writes down every byte; what is shown as "on the ' +
    'wire" was read from there.';
  return [
    '',
    strong('  End-to-end encryption of JSON fields'),
    ...indented(text, width),
    `  ${secret('in plain')}   ${token('encrypted')}   ${mask('redacted')}   ${note('not sensitive')}`,
  ];
}

/** Steps that belong under one heading follow one another. */
function sectionsOf(steps: readonly Step[]): Step[][] {
  const sections: Step[][] = [];
  for (const step of steps) {
    const last = sections.at(-1);
    if (last?.[0]?.choice === step.choice && last[0].about === step.about) last.push(step);
    else sections.push([step]);
  }
  return sections;
}

const TITLES: Readonly<Record<Choice, readonly [title: string, meaning: string]>> = {
  redact: ['Redaction', 'sensitive values come back as [REDACTED]'],
  encrypt: ['Field encryption', 'sensitive fields come back as tokens that only it can open'],
  message: ['Message encryption', 'the whole answer comes back as one application/jose token'],
};

function renderSection(steps: readonly Step[], number: number, screen: Screen): string[] {
  const [first] = steps;
  if (!first) return [];
  const { strong } = screen.palette;
  const isKeyChange = first.about === 'key change';
  const [title, meaning] = isKeyChange ? KEY_CHANGE : TITLES[first.choice];
  const key = first.partnerKey === null ? 'no key' : KEYS[first.partnerKey];
  const who = isKeyChange ? first.partner : `${first.partner} registered ${key}`;
  return [
    '',
    '',
    strong(heading(`━━ ${number} ${title} `, screen.width)),
    ...indented(`${who}: ${meaning}`, screen.width),
    ...steps.flatMap((step) => [
      '',
      ...(isKeyChange ? renderKeyChange(step, screen) : renderCall(step, screen)),
    ]),
  ];
}

const KEYS: Readonly<Record<KeyForm, string>> = { SPKI: 'an SPKI key', 'PKCS#1': 'a PKCS#1 key' };
const KEY_CHANGE = [
  'The bank changes its key',
  'notices nothing of a rotation, and recovers from a revocation',
] as const;

export function heading(text: string, width: number): string {
  return text + '━'.repeat(Math.max(0, width - text.length));
}

function renderCall(step: Step, screen: Screen): string[] {
  const { palette, width } = screen;
  const { strong, note, good, bad } = palette;
  const path = step.wireRequest?.startLine.split(' ').slice(0, 2).join(' ') ?? step.operation;
  const answer = step.wireResponse?.startLine.split(' ').slice(1).join(' ') ?? 'no answer';
  const paint = step.status < 300 ? good : bad;
  const others = onlyAnswered(step);
  return [
    ...(path.length + answer.length + 4 <= width
      ? [`  ${strong(path)}  ${paint(answer)}`]
      : [`  ${strong(path)}`, `  ${paint(answer)}`]),
    ...tokenLine('→', step.wireRequest, screen),
    ...tokenLine('←', step.wireResponse, screen),
    ...renderTable(rowsOf(step), screen),
    ...(others.length > 0 ? indented(`came back besides: ${others.join(', ')}`, width).map(note) : []),
    ...renderChecks(step.checks, screen),
  ];
}

/** What anyone can read of the tokens of a message: their headers. */
function tokenLine(arrow: string, message: WireMessage | null, { width, palette }: Screen): string[] {
  const text = typeof message?.body === 'string' ? message.body : JSON.stringify(message?.body ?? '');
  const tokens = tokensIn(text);
  if (tokens.length === 0) return [];
  const headers = [
    ...new Set(
      tokens.map(({ header }) => `alg ${header.alg}, enc ${header.enc}, kid ${shortKid(header.kid)}`),
    ),
  ];
  const form =
    typeof message?.body === 'string'
      ? `the body is one token, ${message.headers['content-type']}`
      : `${tokens.length} encrypted_… ${tokens.length === 1 ? 'field' : 'fields'}`;
  return indented(`${arrow} ${form}: ${headers.join('; ')}`, width).map(palette.token);
}

function renderKeyChange(step: Step, screen: Screen): string[] {
  const { strong } = screen.palette;
  return [
    `  ${strong(step.name)}`,
    ...(step.timeline ?? []).flatMap((entry) => renderEntry(entry, screen)),
    ...renderChecks(step.checks, screen),
  ];
}

function renderEntry({ who, what, outcome, kid }: TimelineEntry, { palette, width }: Screen): string[] {
  const isRejection = outcome.startsWith('422');
  const paint = isRejection ? palette.bad : palette.good;
  const actor = palette.note(padTo(who, 9));
  const key = kid === undefined ? '' : palette.secret(`kid ${shortKid(kid)}`);
  if (width < 100) return [`  ${actor} ${what}`, `            ${paint(padTo(outcome, 26))}${key}`];
  return [`  ${actor} ${padTo(what, 47)} ${paint(padTo(outcome, 25))} ${key}`];
}

function shortKid(kid: unknown): string {
  return `${String(kid).slice(0, 8)}…`;
}

export function renderChecks(checks: readonly Check[], { palette, width }: Screen): string[] {
  const passed = checks.filter(({ ok }) => ok);
  const failed = checks.filter(({ ok }) => !ok);
  const names = passed
    .map(({ name }) => (name.length + 8 > width ? name : name.replaceAll(' ', '\u00A0')))
    .join('\u00A0· ');
  const [first = '', ...rest] = wrapWords(`✓ ${names}`, width - 4).map((line) =>
    line.replaceAll('\u00A0', ' '),
  );
  return [
    ...(passed.length > 0
      ? [`  ${palette.good(first)}`, ...rest.map((line) => `    ${palette.good(line)}`)]
      : []),
    ...failed.flatMap(({ name, detail }) =>
      indented(`✗ ${name}: ${detail ?? ''}`, width).map((line) => palette.bad(line)),
    ),
  ];
}

function conclusion(report: Report, { palette, width }: Screen): string[] {
  return ['', '', palette.strong(heading('━━ Summary ', width)), ...renderSummary(report, width, palette)];
}

export function indented(text: string, width: number): string[] {
  return wrapWords(text, width - 2).map((line) => `  ${line}`);
}
