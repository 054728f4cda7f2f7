import { wrapWords } from '../display-width.js';
import { heading, indented, renderChecks, type Screen } from '../render.js';
import { plainPieces, type Row, wirePieces } from '../rows.js';
import { type Column, renderTable } from '../table.js';
import type { ShopReport, ShopStep } from './report.js';

const VIEWS: readonly Column[] = [
  { title: 'customer typed', of: (row) => row.wrote },
  { title: 'on the wire to shop', of: (row) => row.wire },
  { title: 'on the wire to bank', of: (row) => row.saw },
  { title: 'the bank saw', of: (row) => row.back },
];

/** The report for a person to read. */
export function renderShop(report: ShopReport, screen: Screen): string {
  const { palette, width } = screen;
  const lines = [
    '',
    '',
    palette.strong(heading('━━ Merchant ', width)),
    ...indented(
      "A customer pays in a shop. The front end encrypts the card-holder to the shop; the shop's handler works with plain " +
        'values and pays through the bank, where they are encrypted to the bank. A recorder stands on both ways.',
      width,
    ),
    ...report.steps.flatMap((step) => ['', ...renderStep(step, screen)]),
    '',
    ...conclusion(report, screen),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function renderStep(step: ShopStep, screen: Screen): string[] {
  const { palette, width } = screen;
  const paint = step.status < 300 ? palette.good : palette.bad;
  return [
    ...wrapWords(step.name, width - 2).map((line) => `  ${palette.strong(line)}`),
    `  ${palette.note(step.call)}  ${paint(String(step.status))}`,
    ...renderTable(step.typed ? rowsOf(step) : answerRows(step), screen, step.typed ? VIEWS : [ANSWER]),
    ...renderChecks(step.checks, screen),
  ];
}

/** The members of the card-holder. On both wires they are one token. */
function rowsOf({ typed, wireToShop, wireToBank, bankSaw }: ShopStep): Row[] {
  return Object.entries(typed?.card_holder ?? {}).map(([name, value]) => ({
    label: name,
    depth: 0,
    isCovered: true,
    wrote: plainPieces(value, true),
    wire: wirePieces(onWire(wireToShop, 'card_holder', name), true),
    saw: wirePieces(onWire(wireToBank, 'payer', name), true),
    back: plainPieces(member(member(bankSaw, 'payer'), name), true),
  }));
}

const ANSWER: Column = { title: 'came back', of: (row) => row.back };

function answerRows({ customerGot }: ShopStep): Row[] {
  return Object.entries(Object(member(customerGot, 'card_holder'))).map(([name, value]) => ({
    label: name,
    depth: 0,
    isCovered: true,
    wrote: [],
    wire: [],
    saw: [],
    back: plainPieces(value, true),
  }));
}

/** The token that a field is in, or the field where it is in plain. */
function onWire(body: unknown, field: string, name: string): unknown {
  return member(body, `encrypted_${field}`) ?? member(member(body, field), name);
}

function member(value: unknown, name: string): unknown {
  return Reflect.get(Object(value), name);
}

function conclusion({ ok, steps }: ShopReport, { palette, width }: Screen): string[] {
  const checks = steps.flatMap((step) => step.checks);
  const failed = checks.filter((check) => !check.ok).length;
  const paid = steps.filter(({ bankSaw }) => bankSaw !== null).length;
  const text = ok
    ? `✓ ${paid} customers have paid; nobody between them, the shop and the bank could read from whose account, and both ` +
      `got every value as it was typed. All ${checks.length} checks of ${steps.length} calls passed.`
    : `✗ ${failed} of ${checks.length} checks failed; they are marked ✗ above.`;
  return indented(text, width).map((line) => palette[ok ? 'good' : 'bad'](line));
}
