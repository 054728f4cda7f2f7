import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { definePolicy } from '../policy/define-policy.js';
import type { Operation } from '../policy/policy.js';
import { refuseEcho } from './echo.js';

it('the search for protected values is bounded: with more to look for, the body is given up at once', () => {
  const operation = definePolicy({ 'POST /': { $: { request: 'encrypt' } } }).match('POST', '/') as Operation; // it is there
  const request = { list: Array.from({ length: 20_000 }, (_, i) => `secret number ${i}`) };
  const body = { errors: Array.from({ length: 20_000 }, (_, i) => `list.${i} is too long`) };
  const search = (): void => refuseEcho(body, request, operation);
  const given = (): void => expect(search).toThrow('too large to be searched');
  const pass = fastest(() => JSON.stringify([request, body]));
  // To look for each of them would take more than a thousand times as long as to read them.
  expect(fastest(given, 3)).toBeLessThan(500 * pass);
});
