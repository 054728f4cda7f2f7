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
