import { describe, expect, it } from 'vitest';
import { type Goal, judge } from './goals.js';
import { rowsOf } from './measure.js';
import { GROUPS, LIMIT_ASYNC, LIMIT_SYNC, OURS, RAW } from './names.js';
import { Results } from './results.js';

const noResults = new Results([]);

function verdictOf(goal: Partial<Goal>, value: number | undefined, more: object = {}): string | undefined {
  const figures = () => [{ of: 'it', value, ...more }];
  return judge(noResults, [{ title: 'a goal', ...goal, figures }])[0]?.verdict;
}

describe('a goal', () => {
  it('is met from its bound on', () => {
    expect(verdictOf({ least: 0.95 }, 0.95)).toBe('met');
    expect(verdictOf({ least: 0.95 }, 0.949)).toBe('not met');
    expect(verdictOf({ most: 10 }, 10)).toBe('met');
    expect(verdictOf({ most: 10 }, 10.1)).toBe('not met');
  });

  it('cannot be judged where chance makes as much of a difference, unless the figure is clearly bad', () => {
    expect(verdictOf({ least: 0.98 }, 1.01, { noise: 0.03 })).toBe('cannot tell');
    expect(verdictOf({ least: 0.98 }, 0.96, { noise: 0.03 })).toBe('cannot tell');
    expect(verdictOf({ least: 0.98 }, 0.94, { noise: 0.03 })).toBe('not met');
    expect(verdictOf({ least: 0.98 }, 0.99, { noise: 0.01 })).toBe('met');
  });

  it('cannot be judged where the machine by itself is as bad', () => {
    expect(verdictOf({ most: 10 }, 9, { idle: 11 })).toBe('cannot tell');
    expect(verdictOf({ most: 10 }, 11, { idle: 9 })).toBe('not met');
  });

  it('that nothing was measured for is not met', () => {
    expect(verdictOf({ least: 1 }, undefined)).toBe('not measured');
    expect(verdictOf({ least: 1 }, Number.NaN)).toBe('not measured');
    expect(new Set(judge(noResults).map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
  });
});

describe('the goals', () => {
  const group = GROUPS.decrypt(16);
  const rates = (name: string, ...rounds: number[]) =>
    rowsOf(
      group,
      name,
      rounds.map((rate) => ({ rate })),
    );

  it('take the faster way to use the private key as the limit', () => {
    const measured = [...rates(OURS, 90, 95, 99), ...rates(LIMIT_ASYNC, 100, 100, 100)];
    const findingOf = (rows: typeof measured) =>
      judge(new Results(rows)).find(({ goal }) => goal === 'decrypt ÷ raw private-key limit');
    expect(findingOf([...measured, ...rates(LIMIT_SYNC, 50, 50, 50)])).toMatchObject({
      value: 0.95,
      verdict: 'met',
    });
    expect(findingOf([...measured, ...rates(LIMIT_SYNC, 190, 190, 190)])).toMatchObject({
      value: 0.5,
      verdict: 'not met',
    });
  });

  it('divide times the other way round than rates', () => {
    const { encryptMessage } = GROUPS;
    const rows = [
      ...rowsOf(encryptMessage, OURS, [{ rate: 50 }]),
      ...rowsOf(encryptMessage, 'AES-GCM, base64url and JSON alone', [{ rate: 100 }]),
    ];
    const found = judge(new Results(rows)).find(({ of }) => of === encryptMessage);
    expect(found).toMatchObject({ value: 2, wanted: '≤ 1.5', verdict: 'not met' });
  });

  it('say of each what it is about', () => {
    expect(judge(new Results(rates(RAW, 1))).every(({ goal, wanted }) => goal && wanted)).toBe(true);
  });
});
