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
  [['--only', 'aggregator'], { payload: [], json: false, only: 'aggregator' }],
  [['--only', 'bank', '--payload', 'a'], { payload: ['a'], json: false, only: 'bank' }],
])('%o', (argv, options) => {
  expect(readCommandLine(argv)).toEqual({ options });
});

test.each([
  [['--bogus']],
  [['--payload']],
  [['extra']],
  [['--only']],
  [['--only', 'shop']],
  [['--only', 'aggregator', '--payload', 'a']],
])('%o is wrong usage: 2', (argv) => {
  expect(readCommandLine(argv)).toEqual({ exitStatus: 2 });
  expect(printed).toMatch(/^error: /);
});

test('--help tells which demos there are and how payloads are read: 0', () => {
  expect(readCommandLine(['--help'])).toEqual({ exitStatus: 0 });
  expect(printed).toMatch(/^ {2}bank +\w.*\n {2}merchant +\w.*\n {2}aggregator +\w/m);
  expect(printed).toContain('{ "operation": "POST /v2/mandates", "body": { … } }');
});
