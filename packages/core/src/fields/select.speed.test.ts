import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { parseFieldPath } from './path.js';
import { selectFields } from './select.js';
import { buildFieldTree } from './tree.js';

it('fields are found and replaced in time in proportion to the number of elements', () => {
  const rules = ['list.#.source', 'list.#.meta.*'].map(
    (path) =>
      ({ path, segments: parseFieldPath(path), treatment: 'encrypt', as: 'json', required: false }) as const,
  );
  const fields = buildFieldTree(rules);
  const seal = (body: unknown): unknown => {
    const selection = selectFields(body, fields, { prefix: 'enc_', isToken: () => false });
    for (const slot of selection.slots) slot.setWire('token');
    return selection.result();
  };
  const bodyOf = (length: number): unknown => ({
    list: Array.from({ length }, (_, i) => ({ source: i, meta: { a: i }, rest: 'x' })),
  });
  const time = (length: number): number => {
    const input = bodyOf(length);
    return fastest(() => seal(input));
  };
  time(1_000);
  // Ten times the elements: about 10 when linear, about 100 when quadratic.
  expect(time(10_000) / time(1_000)).toBeLessThan(40);
});

it.each([
  ['elements', 'list.#.a', { list: Array.from({ length: 100_000 }, () => ({})) }],
  [
    'elements of elements',
    'list.#.#.a',
    { list: Array.from({ length: 100 }, () => Array.from({ length: 1_000 }, () => ({}))) },
  ],
  [
    'members',
    'list.*.a',
    { list: Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`k${i}`, {}])) },
  ],
])('%s without a field in them take little more than to look at each of them', (_what, path, body) => {
  const segments = parseFieldPath(path);
  const fields = buildFieldTree([{ path, segments, treatment: 'encrypt', as: 'json', required: false }]);
  const looking = fastest(() => look(body));
  const finding = fastest(() => selectFields(body, fields, { prefix: 'enc_', isToken: () => false }));
  // About 1 to 2; it was 20 and more while each had a slot of its own.
  expect(finding / looking).toBeLessThan(10);
});

function look(value: unknown): void {
  if (typeof value === 'object' && value !== null)
    for (const [, member] of Object.entries(value)) look(member);
}
