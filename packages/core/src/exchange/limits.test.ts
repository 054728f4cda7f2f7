import { describe, expect, it } from 'vitest';
import { checkLimits, type Limits } from './limits.js';

describe('checkLimits', () => {
  it('has the documented defaults', () => {
    expect(checkLimits()).toEqual({
      tokens: 64,
      tokenLength: 16_384,
      messageLength: 1_048_576,
      headerBytes: 2_048,
      depth: 64,
      elements: 1_000,
      concurrency: 16,
      queue: 1_024,
    });
  });

  it('takes some and keeps the others, in a frozen object of its own', () => {
    const given = { tokens: 3 };
    const limits = checkLimits(given);
    given.tokens = 1_000_000;
    expect(limits).toMatchObject({ tokens: 3, depth: 64 });
    expect(Object.isFrozen(limits)).toBe(true);
  });

  it.each([
    'tokens',
    'tokenLength',
    'messageLength',
    'headerBytes',
    'depth',
    'elements',
    'concurrency',
    'queue',
  ] as const)('names the limit %s when it is not a whole number from 1', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, '64', null, undefined]) {
      const limits = { [name]: value } as Partial<Limits>;
      expect(() => checkLimits(limits)).toThrow(
        expect.objectContaining({
          code: 'option_invalid',
          message: expect.stringContaining(`limits.${name}`),
        }),
      );
    }
    expect(checkLimits({ [name]: 1 })[name]).toBe(1);
  });

  it.each(['token', 'toString', 'constructor'])(
    'refuses an unknown limit %s, naming those that there are',
    (name) => {
      expect(() => checkLimits({ [name]: 7 } as Partial<Limits>)).toThrow(
        /one of tokens, tokenLength, messageLength, headerBytes, depth, elements, concurrency, queue/,
      );
    },
  );

  it.each([null, 5, 'many'])('refuses %j in the place of limits', (limits) => {
    expect(() => checkLimits(limits as Partial<Limits>)).toThrow(/`limits` must be an object/);
  });

  it('takes no depth that recursion might not bear', () => {
    expect(checkLimits({ depth: 1_000 }).depth).toBe(1_000);
    expect(() => checkLimits({ depth: 1_001 })).toThrow(/limits\.depth.*1 to 1000/);
  });
});
