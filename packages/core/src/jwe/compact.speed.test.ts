import { expect, it } from 'vitest';
import { looksLikeCompactJwe } from './compact.js';

it('takes one pass over a long text', () => {
  for (const text of [
    `eyJ${'A'.repeat(5_000_000)}`,
    `eyJ${'.A'.repeat(2_500_000)}`,
    'eyJ'.repeat(1_000_000),
  ]) {
    const start = performance.now();
    expect(looksLikeCompactJwe(text)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000); // a quadratic pattern would take hours
  }
});
