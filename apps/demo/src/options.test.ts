import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readCommandLine } from './options.js';

let printed = '';
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
  }
});
afterEach(() => vi.restoreAllMocks());

test.each([
  [[], { payload: [], json: false }],
  [['--json'], { payload: [], json: true }],
  [['--', '--json'], { payload: [], json: true }],
  [['--payload', 'a', '--payload=b'], { payload: ['a', 'b'], json: false }],
])('%o', (argv, options) => {
  expect(readCommandLine(argv)).toEqual({ options });
});

test.each([[['--bogus']], [['--payload']], [['extra']]])('%o is wrong usage: 2', (argv) => {
  expect(readCommandLine(argv)).toEqual({ exitStatus: 2 });
  expect(printed).toMatch(/^error: /);
});

test('--help tells how payloads are read: 0', () => {
  expect(readCommandLine(['--help'])).toEqual({ exitStatus: 0 });
  expect(printed).toContain('{ "operation": "POST /v2/mandates", "body": { … } }');
});
