import { describe, expect, test } from 'vitest';
import type { Field } from './bank.js';
import { formatOf, problemOf } from './validate.js';

const FIELD: Field = { name: 'login', label: 'Customer number', type: 'text', required: true };

test.each([
  ['\\d{6}', '6 digits'],
  ['\\d{8,11}', '8 to 11 digits'],
  ['\\d{2}/\\d{2}/\\d{4}', 'as in 00/00/0000'],
  ['[a-z]+', undefined],
  ['(\\d{2})?', undefined],
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
    ['must fit every choice of the expression', { regex: '1|22' }, '122', 'Check the customer number'],
    ['keeps its spaces', { regex: '\\d{2}' }, '12 ', 'Enter it with 2 digits'],
    ['must look as in the picture', { regex: '\\d{2}/\\d{2}' }, '1/2', 'Enter it as in 00/00'],
    ['fits', { regex: '\\d{2}' }, '00', undefined],
    ['must be one of the list', { values: [{ label: 'A', value: 'a' }] }, 'b', 'Choose one of the list'],
    [
      'is left to the aggregator where the expression is of another language',
      { regex: '(?i)x' },
      'y',
      undefined,
    ],
  ])('%s', (_, field, value, problem) => {
    expect(problemOf({ ...FIELD, ...field }, value)).toBe(problem);
  });

  test('is not left behind in the engine', () => {
    problemOf({ ...FIELD, regex: '\\w+' }, 'canary');
    expect(Reflect.get(RegExp, 'input')).not.toContain('canary');
  });
});
