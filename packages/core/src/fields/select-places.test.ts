import { describe, expect, it } from 'vitest';
import { parseFieldPath } from './path.js';
import { type FieldSlot, type Selection, selectFields } from './select.js';
import { buildFieldTree } from './tree.js';

const isToken = (value: unknown): boolean => typeof value === 'string' && value.startsWith('token:');

/** Of a body, by paths that are encrypted; one that begins with `!` is an exception. */
function select(body: unknown, paths: readonly string[], prefix = 'enc_', elements?: number): Selection {
  const rules = paths.map((text) => {
    const path = text.replace(/^!/, '');
    const treatment = text.startsWith('!') ? 'none' : 'encrypt';
    return { path, segments: parseFieldPath(path), treatment, as: 'json', required: false } as const;
  });
  const bound = elements === undefined ? {} : { elements };
  return selectFields(body, buildFieldTree(rules), { prefix, isToken, ...bound });
}

const placesOf = ({ slots }: Selection): string[] => slots.map(({ place }) => place);
const formsOf = ({ slots }: Selection): unknown[] =>
  slots.map(({ place, plain, wire }: FieldSlot) => [place, plain?.value, wire?.value]);

describe('the place of a field', () => {
  it.each<[string, unknown, readonly string[], readonly string[]]>([
    ['of a member', { a: 1 }, ['a'], ['a']],
    ['of a member of a member', { a: { b: { c: 1 } } }, ['a.b.c'], ['a.b.c']],
    ['of elements', { a: [1, 2] }, ['a.#'], ['a.0', 'a.1']],
    ['within elements, where it is there', { a: [{ b: 1 }, {}, { b: 2 }] }, ['a.#.b'], ['a.0.b', 'a.2.b']],
    [
      'within elements of elements',
      [[{ b: 1 }], [{ b: 2 }, { b: 3 }]],
      ['#.#.b'],
      ['0.0.b', '1.0.b', '1.1.b'],
    ],
    ['of whatever there is', { x: 1, y: 2 }, ['*'], ['x', 'y']],
    ['of what is encrypted', { enc_a: 'token:1' }, ['a'], ['a']],
    ['of a member with a dot', { 'a.b': { c: 1 } }, ['a\\.b.c'], ['a\\.b.c']],
    ['of a member with a backslash', { 'a\\b': 1 }, ['*'], ['a\\\\b']],
    ['of members that are called like an index', { 0: 1, 12: 2 }, ['*'], ['\\0', '\\12']],
    ['of members that are nearly called so', { '1a': 1, a1: 2, '-1': 3 }, ['*'], ['1a', 'a1', '-1']],
    ['of members that are called like the whole body', { $: 1, $a: 2, a$: 3 }, ['*'], ['\\$', '$a', 'a$']],
  ])('%s', (_what, body, paths, places) => {
    expect(placesOf(select(body, paths))).toEqual(places);
  });
});

describe('an array with more elements than two', () => {
  it.each<[string, unknown, readonly string[], string | undefined]>([
    ['is told by a field behind it', { a: [1, 2], b: [1, 2, 3] }, ['a.#', 'b.#'], 'b.#'],
    ['may be one in another', [[1, 2, 3], [1]], ['#.#'], '#.#'],
    ['is the first of several', { b: [1, 2, 3], a: [1, 2, 3] }, ['a.#', 'b.#'], 'b.#'],
    ['does not count where no field is', { a: 1, b: [1, 2, 3] }, ['a'], undefined],
    ['does not count where fields are excepted only', { a: { b: [1, 2, 3] } }, ['*.*', '!a.b'], undefined],
  ])('%s', (_what, body, paths, path) => {
    expect(select(body, paths, 'enc_', 2).tooLong?.path).toBe(path);
  });
});

describe('a member whose name begins with the prefix', () => {
  it('is the encrypted form of the field without it', () => {
    expect(formsOf(select({ enc_a: 'token:1' }, ['a']))).toEqual([['a', undefined, 'token:1']]);
  });

  it('is in plain, where another rule than an exception covers it by `*`', () => {
    expect(formsOf(select({ enc_a: 'x' }, ['*']))).toEqual([['enc_a', 'x', undefined]]);
    expect(formsOf(select({ enc_a: 'token:1' }, ['*']))).toEqual([['a', undefined, 'token:1']]);
    expect(formsOf(select({ enc_a: 'token:1' }, ['*', '!a']))).toEqual([['enc_a', 'token:1', undefined]]);
  });
});

describe('a token under the name of the field', () => {
  it('is a plain value where encrypted fields have a prefix', () => {
    expect(formsOf(select({ a: 'token:1' }, ['a']))).toEqual([['a', 'token:1', undefined]]);
  });

  it('is the encrypted form where they have none', () => {
    expect(formsOf(select({ a: 'token:1', b: 'x' }, ['a', 'b'], ''))).toEqual([
      ['a', undefined, 'token:1'],
      ['b', 'x', undefined],
    ]);
  });
});
