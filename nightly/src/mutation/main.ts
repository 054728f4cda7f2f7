import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { PARTS, type Part } from './parts.js';
import { percentage, readScore, type Score, sum } from './score.js';

/** Of 100 mutants of a part, how many must be noticed. */
const LEAST = 85;
const ROOT = join(import.meta.dirname, '../../..');
const CACHE = 'node_modules/.cache/mutation';
const STRYKER = join(
  dirname(createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json')),
  'bin/stryker.js',
);

/** Runs Stryker on one part; it prints what survived. */
function mutate({ name, mutate, tests }: Part): Promise<void> {
  const options = [
    '--mutate',
    mutate,
    '--testFiles',
    tests.join(),
    '--incrementalFile',
    `${CACHE}/${name}.json`,
  ];
  const args = [STRYKER, 'run', 'nightly/stryker.config.mjs', ...options];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`Stryker has failed on ${name}, with ${code}`)),
    );
  });
}

function line(name: string, score: Score): string {
  const { killed, timeout, survived, noCoverage } = score;
  const cells = [killed, timeout, survived, noCoverage].map((count) => String(count).padStart(9));
  return `${name.padEnd(10)}${percentage(score).toFixed(1).padStart(7)} %${cells.join('')}`;
}

async function run(wanted: readonly string[]): Promise<void> {
  const parts = PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  await mkdir(join(ROOT, CACHE), { recursive: true });
  const scored: [name: string, score: Score][] = [];
  for (const part of parts) {
    await mutate(part);
    scored.push([part.name, await readScore(join(ROOT, CACHE, `${part.name}.json`))]);
  }
  const total = sum(scored.map(([, score]) => score));
  const lines = [...scored, ['total', total] as const].map(([name, score]) => line(name, score));
  console.log(['noticed   killed  timeout survived untested'.padStart(58), ...lines].join('\n'));
  if (scored.every(([, score]) => percentage(score) >= LEAST)) return;
  console.error(`A part has fewer than ${LEAST} of 100`);
  process.exitCode = 1;
}

await new Command('mutation')
  .description('Changes the code of the core and counts the changes that its tests notice.')
  .argument('[parts...]', `of ${PARTS.map(({ name }) => name).join(', ')}; default all`)
  .action(run)
  .parseAsync();
