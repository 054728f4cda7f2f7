import { beforeAll, expect, test } from 'vitest';
import { displayWidth } from './display-width.js';
import { createPalette, wantsColour } from './palette.js';
import { readPayloads } from './payloads.js';
import { renderReport } from './render.js';
import type { Report } from './report.js';
import { runDemo } from './run.js';

let report: Report;
beforeAll(async () => {
  report = await runDemo(readPayloads([]));
});

function rendered(width: number, hasColour = false): string {
  return renderReport(report, { width, palette: createPalette(hasColour) });
}

test.each([60, 80, 100, 120])('fits into %i columns; from 100 on, all sides stand side by side', (width) => {
  const text = rendered(width);
  expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(width);
  const isOneTable = /merchant wrote +on the wire → +handler saw +came back ←/.test(text);
  expect(isOneTable).toBe(width >= 100);
});

test('no line ends in spaces', () => {
  expect(rendered(100)).not.toMatch(/ \n/);
});

test('plaintext, tokens and masks have a colour each, where the policy says that they are sensitive', () => {
  const text = rendered(100, true);
  expect(text).toContain('\u001B[33m"Łódź Books Ltd"');
  expect(text).toContain('\u001B[32meyJhbGci…');
  expect(text).toContain('\u001B[35m[REDACTED]');
  expect(text).toContain('\u001B[2m"ORDER-2031"');
});

test('a plaintext on the wire stands out', () => {
  const steps = report.steps.map((step) => ({
    ...step,
    wireRequest: step.wireRequest && { ...step.wireRequest, body: step.merchantWrote },
  }));
  const text = renderReport({ ok: false, steps }, { width: 100, palette: createPalette(true) });
  expect(text).toContain('\u001B[7m\u001B[31m"Łódź Books Ltd"');
});

test('what a failed check says is shown, and the verdict is not a good one', () => {
  const [first, ...rest] = report.steps;
  if (!first) throw new Error('There are no steps');
  const checks = [{ name: 'a check', ok: false, detail: 'its reason' }];
  const text = renderReport(
    { ok: false, steps: [{ ...first, checks }, ...rest] },
    { width: 100, palette: createPalette(false) },
  );
  expect(text).toContain('✗ a check: its reason');
  expect(text).toMatch(/✗ 201 /);
  expect(text).toMatch(/✗ 1 of \d+ checks failed/);
});

test('what moves a cursor or turns text round is spelled out', () => {
  const [first] = report.steps;
  if (!first) throw new Error('There are no steps');
  const merchantWrote = { payee: 'a\u001B[2Jb\u009B1mc\u202Ed' };
  const text = renderReport(
    { ok: true, steps: [{ ...first, merchantWrote }] },
    { width: 100, palette: createPalette(false) },
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  expect(text).not.toMatch(/[\u001B\u0080-\u009F\u202E]/);
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { TERM: 'dumb' }, false],
  [false, { CI: 'true' }, false],
])('terminal %s, environment %o: colour %s', (isTerminal, env, expected) => {
  expect(wantsColour(isTerminal, env)).toBe(expected);
});
