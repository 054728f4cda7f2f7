import { describe, expect, it } from 'vitest';
import { exponentOf, median, noiseOf, quantile, ratios, summaryOf } from './statistics.js';

describe('quantile', () => {
  it('is a sample where one stands at that place, and lies between two otherwise', () => {
    expect(quantile([30, 10, 20], 0.5)).toBe(20);
    expect(median([1, 2, 3, 4])).toBe(2.5);
    expect(quantile([0, 10], 0.9)).toBe(9);
  });

  it('leaves the samples in their order', () => {
    const samples = [3, 1, 2];
    expect(summaryOf(samples).median).toBe(2);
    expect(samples).toEqual([3, 1, 2]);
  });

  it('of no sample is no number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('ratios', () => {
  it('compare round by round, so that a slow round changes nothing', () => {
    expect(median(ratios([200, 20, 200], [100, 10, 100]))).toBe(2);
  });
});

describe('noiseOf', () => {
  it('is nothing where both sides are always alike, and grows as they differ', () => {
    expect(noiseOf([1, 1, 1, 1])).toBe(0);
    const calm = noiseOf([0.99, 1, 1.01, 1, 0.99, 1.01]);
    const wild = noiseOf([0.8, 1, 1.2, 1, 0.8, 1.2]);
    expect(calm).toBeLessThan(0.02);
    expect(wild).toBeGreaterThan(calm);
  });
});

describe('exponentOf', () => {
  it('tells linear from quadratic growth, whatever the constant', () => {
    const sizes = [10, 100, 1000];
    expect(exponentOf(sizes.map((n) => [n, 7 * n]))).toBeCloseTo(1);
    expect(exponentOf(sizes.map((n) => [n, 0.01 * n * n]))).toBeCloseTo(2);
  });
});
