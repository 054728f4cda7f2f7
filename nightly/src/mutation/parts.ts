/** A folder of the core that is mutated, and the tests that have to notice: those beside the code. */
export interface Part {
  readonly name: string;
  readonly mutate: string;
  readonly tests: readonly string[];
}

function part(name: string, ...alsoTestedBy: readonly string[]): Part {
  return {
    name,
    mutate: `packages/core/src/${name}/**/!(*.test).ts`,
    tests: [`packages/core/src/${name}/**/*.test.ts`, ...alsoTestedBy],
  };
}

export const PARTS: readonly Part[] = [
  // Tokens for shared secrets are tested where the secrets are made.
  part('jwe', 'packages/core/src/keys/shared-secret.test.ts'),
  part('fields'),
  part('policy'),
  part('exchange', 'packages/core/src/profiles/*.test.ts'),
];
