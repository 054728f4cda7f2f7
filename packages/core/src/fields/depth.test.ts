import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { runs } from '../../test/runs.js';
import { isDeeperThan, isJsonDeeperThan } from './depth.js';

/** `depth` containers, one inside the other. */
function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'leaf';
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
}

const SHAPES: readonly [name: string, wrap: (inner: unknown) => unknown][] = [
  ['arrays', (inner) => [inner]],
  ['objects', (inner) => ({ a: inner })],
  ['both in turn', (inner) => [{ a: inner, b: 1 }, 2]],
];

describe('isDeeperThan', () => {
  it.each([null, undefined, 0, false, '', 'text', 1n])('counts %o as no level at all', (value) => {
    expect(isDeeperThan(value, 0)).toBe(false);
  });

  it.each([[{}], [[]]])('counts an empty container as one level', (value) => {
    expect(isDeeperThan(value, 0)).toBe(true);
    expect(isDeeperThan(value, 1)).toBe(false);
  });

  it.each(SHAPES.slice(0, 2))('tells exactly limit and limit + 1 levels of %s apart', (_, wrap) => {
    expect(isDeeperThan(nested(64, wrap), 64)).toBe(false);
    expect(isDeeperThan(nested(65, wrap), 64)).toBe(true);
  });

  it('finds the deepest branch wherever it stands', () => {
    const body = { first: [1, 2], middle: { deep: [[['x']]] }, last: null };
    expect(isDeeperThan(body, 5)).toBe(false);
    expect(isDeeperThan(body, 4)).toBe(true);
  });

  it.each(SHAPES)('measures 50,000 levels of %s without running out of stack', (_, wrap) => {
    expect(isDeeperThan(nested(50_000, wrap), 64)).toBe(true);
    expect(isDeeperThan(nested(50_000, wrap), 1_000)).toBe(true);
    expect(isDeeperThan(nested(1_000, wrap), 2_000)).toBe(false);
  });

  it('ends on a cycle', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(isDeeperThan(cycle, 64)).toBe(true);
  });
});

describe('isJsonDeeperThan', () => {
  it('says of a text what isDeeperThan says of its value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(7), (json, limit) => {
        expect(isJsonDeeperThan(utf8(json), limit)).toBe(isDeeperThan(JSON.parse(json), limit));
      }),
      runs(300),
    );
  });

  it.each(['"[[["', '"\\"[["', '"a\\\\"', '["{\\"{", "}"]', '{"[": "\\\\\\"[["}'])(
    'reads the string in %s',
    (json) => {
      const depth = /^[[{]/.test(json) ? 1 : 0;
      expect(isJsonDeeperThan(utf8(json), depth)).toBe(false);
      expect(isJsonDeeperThan(utf8(`[[${json}]]`), depth + 1)).toBe(true);
      expect(isJsonDeeperThan(utf8(`[[${json}]]`), depth + 2)).toBe(false);
    },
  );

  it('ends within a text that is cut off', () => {
    expect(isJsonDeeperThan(utf8('["abc'), 1)).toBe(false);
  });

  it('measures a text of a million brackets', () => {
    expect(isJsonDeeperThan(utf8('['.repeat(1_000_000)), 64)).toBe(true);
    expect(isJsonDeeperThan(utf8('[],'.repeat(1_000_000)), 1)).toBe(false);
  });
});
