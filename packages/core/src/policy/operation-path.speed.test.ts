import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { pathReadings } from './operation-path.js';

it.each(['/..', '/%2e', ';/', '%2f', '\\.', '//'])(
  'reads %s in proportion to how often it is repeated',
  (part) => {
    const time = (length: number): number => {
      const path = part.repeat(length / part.length);
      return fastest(() => pathReadings(path));
    };
    time(1_000);
    // Ten times the length: about 10 when linear, about 100 when quadratic.
    expect(time(100_000) / time(10_000)).toBeLessThan(50);
  },
);
