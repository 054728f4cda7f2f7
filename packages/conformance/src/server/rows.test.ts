import { expect, it } from 'vitest';
import { groups } from './groups.js';
import { BODY_ROWS, OTHER_ROWS } from './rows.js';

const cases = Object.values(groups).flat();

it.each(Object.entries({ ...BODY_ROWS, ...OTHER_ROWS }))('there is a case for the row "%s": %s', (row) => {
  expect(cases.some((one) => one.row === row)).toBe(true);
});
