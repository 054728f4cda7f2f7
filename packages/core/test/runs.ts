import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** How often properties are tried, where the configuration says it. */
    propertyRuns?: number;
  }
}

/** For fast-check. */
export interface Runs {
  readonly numRuns: number;
  readonly seed?: number;
}

/**
 * How often a property is tried: `usual` times from one seed, so that every run of the tests does the same; as often as
 * the configuration says and from another seed each time, where it says so. A nightly run says 10,000.
 */
export function runs(usual: number, seed = 7516): Runs {
  const numRuns = inject('propertyRuns');
  return numRuns === undefined ? { numRuns: usual, seed } : { numRuns };
}
