import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { plaintextIn } from './plaintext.js';

const CANARY = 'John Doe & Sons';

test.each([
  'new Map([[1, it]])',
  'new Set([it])',
  'new Error(it)',
  'new Uint8Array(bytes)',
  'new String(it)',
])('what %s holds is found, also when it is of another realm', (code) => {
  const value = runInNewContext(code, { it: CANARY, bytes: [...Buffer.from(CANARY)] });
  expect(plaintextIn({ value }, CANARY)).toMatch(/^canary 1 stands /);
});

test('a stream of Node, and a promise of another realm, must be read first', () => {
  const stream = Readable.from([CANARY]);
  expect(() => plaintextIn({ body: stream }, CANARY)).toThrow('the stream at $.body: read it first');
  const promise = runInNewContext('Promise.resolve(it)', { it: CANARY });
  expect(() => plaintextIn(promise, CANARY)).toThrow('the promise at $: await it');
});

test('bytes are those of the view, and no others of its pool', () => {
  const pool = Buffer.from(`${CANARY}|others`);
  expect(plaintextIn(pool.subarray(0, CANARY.length), CANARY)).toContain('at $');
  expect(plaintextIn(pool.subarray(CANARY.length), CANARY)).toBeUndefined();
});
