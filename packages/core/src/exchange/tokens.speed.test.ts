import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { isTokenAttempt } from './tokens.js';

it.each(['.', 'a', 'a.', 'a.a.a.a.'])('decides over 5 MB of %s in one pass at the most', (part) => {
  const text = part.repeat(5_000_000 / part.length);
  const pass = fastest(() => text.lastIndexOf('eyJ'));
  expect(fastest(() => isTokenAttempt(text))).toBeLessThan(100 * pass + 100);
});
