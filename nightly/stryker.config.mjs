import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How mutants are made and shown to tests. Runs from the repository's root; which part of the core, and which tests, is
 * said on the command line by src/mutation/main.ts.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'vitest',
  plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner'))],
  vitest: { configFile: 'nightly/src/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  incremental: true,
  ignoreStatic: true,
  concurrency: 2,
  // A test that waits for a mutant must not be mistaken for one that hangs while the machine is busy.
  timeoutMS: 25_000,
  timeoutFactor: 2,
  dryRunTimeoutMinutes: 15,
  // Outside of the repository, where no other tool's search for files finds the copies.
  tempDirName: join(tmpdir(), 'e2ee-mutation'),
  ignorePatterns: ['/*', '!/packages', '/packages/*', '!/packages/core', '!/nightly', '!/tsconfig*.json'],
  // None: the copies need no tsconfig rewritten, and TypeScript 7 has not what Stryker would do it with.
  tsconfigFile: 'none',
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  allowConsoleColors: false,
};
