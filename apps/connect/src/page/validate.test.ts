import { describe, expect, test } from 'vitest';
import type { Field } from './bank.js';
import { formatOf, problemOf } from './validate.js';

const FIELD: Field = { name: 'login', label: 'Customer number', type: 'text', required: true };

test.each([
  ['\\d{6}', '6 digits'],
  ['\\d{1}', '1 digit'],
  ['\\d{8,11}', '8 to 11 digits'],
  ['\\d{2}/\\d{2}/\\d{4}', 'as in 00/00/0000'],
  ['\\d{2}\\.\\d{2}\\/33', 'as in 00.00/33'],
  ['\\d{1,2}/\\d{4}', undefined],
  ['[a-z]+', undefined],
  ['(\\d{2})?', undefined],
  ['33', undefined],
  ['', undefined],
  [undefined, undefined],
])('%s is told as %s', (regex, format) => {
  expect(formatOf(regex === undefined ? {} : { regex })).toBe(format);
});

describe('a value', () => {
  test.each<[string, Partial<Field>, string, string | undefined]>([
    ['is enough where nothing else is asked for', {}, ' ', undefined],
    ['must be there where it is required', {}, '', 'Enter your customer number'],
    ['must be chosen where it is required', { type: 'list' }, '', 'Choose your customer number'],
    ['may be left out otherwise', { required: false, regex: '\\d{2}' }, '', undefined],
    ['must fit as a whole', { regex: '\\d{2}' }, '123', 'Enter it with 2 digits'],
    ['must not be shorter either', { regex: '\\d{2}' }, '1', 'Enter it with 2 digits'],
    ['has no digits but 0 to 9', { regex: '\\d{2}' }, '٣٣', 'Enter it with 2 digits'],
    ['keeps its spaces', { regex: '\\d{2}' }, '12 ', 'Enter it with 2 digits'],
    ['must look as in the picture', { regex: '\\d{2}/\\d{2}' }, '1/2', 'Enter it as in 00/00'],
    [
      'is told to be looked at where words are missing',
      { regex: '\\d{1,2}/33' },
      '1',
      'Check the customer number',
    ],
    ['fits', { regex: '\\d{2}' }, '00', undefined],
    ['fits whichever way the digits are shared out', { regex: '\\d{1,3}\\d{2}0' }, '1230', undefined],
    ['may leave out what may be left out', { regex: '\\d{0,3}/' }, '/', undefined],
    ['must be one of the list', { values: [{ label: 'A', value: 'a' }] }, 'b', 'Choose one of the list'],
  ])('%s', (_, field, value, problem) => {
    expect(problemOf({ ...FIELD, ...field }, value)).toBe(problem);
  });

  test.each([
    '(?i)x',
    '1|22',
    '\\w+',
    '\\d{2}.\\d{2}',
    '\\d{3,2}',
    '\\d{2',
    '\\d{1,}',
    '^\\d{2}$',
    '\\d{40}\\d{40}',
  ])('is left to the aggregator where the expression is %s', (regex) => {
    expect(problemOf({ ...FIELD, regex }, 'y')).toBe(undefined);
  });

  test('is not left behind in the engine', () => {
    problemOf({ ...FIELD, regex: '\\d{1,9}' }, 'canary');
    expect(Reflect.get(RegExp, 'input')).not.toContain('canary');
  });
});

/* The descriptions come through a server that is not trusted. */
test.each([
  ['a count that no text can have', 'x\\d{99999999999}', 'a'],
  ['a count that fills the memory', '\\d{400000000}', 'a'],
  ['one that tries every way to share out a text', '(a+)+b', 'a'.repeat(40)],
  ['one of allowed pieces that does', '\\d{0,9}'.repeat(40), `${'1'.repeat(63)}x`],
  ['as many of them as there may be', '\\d{0,2}'.repeat(32), `${'1'.repeat(63)}x`],
  ['pieces without an end', '\\d{0,0}'.repeat(1e6), 'a'],
  ['a very long value', '\\d{1,9}', '1'.repeat(1e7)],
])('an expression cannot hold the page up: %s', (_, regex, value) => {
  const begun = performance.now();
  const said = [formatOf({ regex }), problemOf({ ...FIELD, regex }, value)];
  expect(performance.now() - begun).toBeLessThan(500);
  expect(`${said}`.length).toBeLessThan(100);
});
