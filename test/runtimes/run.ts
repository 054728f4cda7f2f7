/**
 * Runs the tests of vitest.config.ts, beside this file, in Deno and in Bun, which come from their npm packages. Prints how
 * many have passed in each; fails when one has failed, or when none has run.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUN, DENO } from '../../scripts/check-packages/runtimes.js';

interface Runtime {
  /** Of its npm package, which is also its command. */
  readonly name: string;
  readonly version: string;
  /** What goes before the script to run. */
  readonly args: readonly string[];
}

const RUNTIMES: readonly Runtime[] = [
  { name: 'deno', version: DENO, args: ['run', '--allow-all'] },
  { name: 'bun', version: BUN, args: ['--bun'] },
];

const VITEST = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/runtimes/vitest.config.ts'];
const temporary = mkdtempSync(join(tmpdir(), 'e2ee-runtimes-'));

/** Runs the tests in one runtime and prints what it printed, with the counts. Resolves to whether all is well. */
function passesIn({ name, version, args }: Runtime): Promise<boolean> {
  const report = join(temporary, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const options = {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, E2EE_RUNTIME: name, DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1' },
    maxBuffer: 2 ** 26,
  };
  return new Promise((resolve) => {
    execFile(
      'npx',
      ['--yes', `${name}@${version}`, ...args, ...VITEST, ...reporters],
      options,
      (error, ...output) => {
        const { passed, failed } = countsOf(report);
        console.log(`${output.join('')}${name} ${version}: ${passed} passed, ${failed} failed\n`);
        resolve(!error && passed > 0 && failed === 0);
      },
    );
  });
}

/** The counts of vitest's report; none where there is no report. */
function countsOf(report: string): { readonly passed: number; readonly failed: number } {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

try {
  const outcomes = await Promise.all(RUNTIMES.map(passesIn));
  if (outcomes.includes(false)) process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true });
}
