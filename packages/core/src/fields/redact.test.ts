import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { isRedacted, redact } from './redact.js';

const MASK = '[REDACTED]';
/** What must survive redaction: everything but the scalars. */
const shapeOf = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, item) =>
    item === null || typeof item === 'object' ? item : 'scalar',
  );

describe('redact', () => {
  it('masks every scalar and keeps the shape', () => {
    const payee = {
      name: 'John Doe',
      sort_code: 123456,
      active: true,
      tags: ['a', { b: '' }],
      empty: {},
      none: [],
    };
    expect(redact(payee, MASK)).toEqual({
      name: MASK,
      sort_code: MASK,
      active: MASK,
      tags: [MASK, { b: MASK }],
      empty: {},
      none: [],
    });
  });

  it.each(['text', '', 0, 12.5, true, false])('masks the scalar %o', (value) => {
    expect(redact(value, MASK)).toBe(MASK);
  });

  it('leaves null as it is, on the outside and inside', () => {
    expect(redact(null, MASK)).toBeNull();
    expect(redact({ a: null, b: [null, 1] }, MASK)).toEqual({ a: null, b: [null, MASK] });
  });

  it('leaves no scalar of any JSON value, and no change of shape or order', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const masked = redact(value, MASK);
        expect(JSON.stringify(shapeOf(masked))).toBe(JSON.stringify(shapeOf(value)));
        JSON.stringify(masked, (_, item) => {
          if (item !== null && typeof item !== 'object') expect(item).toBe(MASK);
          return item;
        });
      }),
      runs(100),
    );
  });

  it('keeps a member called __proto__ as a member, masked', () => {
    const masked = redact(JSON.parse('{"__proto__":{"name":"John"},"constructor":"x"}'), MASK) as object;
    expect(JSON.stringify(masked)).toBe(`{"__proto__":{"name":"${MASK}"},"constructor":"${MASK}"}`);
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  });

  it('does not touch its input', () => {
    const input = Object.freeze({ list: Object.freeze(['a']) });
    redact(input, MASK);
    expect(input).toEqual({ list: ['a'] });
  });
});

describe('isRedacted', () => {
  it('knows whatever redact made', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => isRedacted(redact(value, MASK), MASK)),
      runs(100),
    );
  });

  it.each([
    ['text'],
    [0],
    [false],
    [''],
    [{ a: MASK, b: 'John' }],
    [[[MASK], ['x']]],
    [`${MASK} `],
    [undefined],
  ])('finds what is still in plain in %j', (value) => {
    expect(isRedacted(value, MASK)).toBe(false);
  });

  it('reads 50,000 levels, which a hostile response may have, without running out of stack', () => {
    const deep = (leaf: string): unknown => JSON.parse(`${'['.repeat(50_000)}"${leaf}"${']'.repeat(50_000)}`);
    expect(isRedacted(deep(MASK), MASK)).toBe(true);
    expect(isRedacted(deep('John'), MASK)).toBe(false);
  });
});
