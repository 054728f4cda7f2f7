import { expect, test } from 'vitest';
import { displayWidth, wrap } from './display-width.js';

test.each([
  ['plain', 5],
  ['Łódź', 4],
  ['e\u0301', 1],
  ['読書会', 6],
  ['👩‍👩‍👧', 2],
  ['a\u200Db', 2],
])('%s takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('a text is cut at its last line, between letters', () => {
  expect(wrap('abcdefgh', 3, 2)).toEqual(['abc', 'de…']);
  expect(wrap('読書会', 3, 3)).toEqual(['読', '書', '会']);
  expect(wrap('abcdef', 3, 2)).toEqual(['abc', 'def']);
});
