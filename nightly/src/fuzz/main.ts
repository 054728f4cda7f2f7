import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { findingsReport, subjectReport } from './report.js';
import { FAULT_NAMES, selfCheck } from './self-check.js';
import { SUBJECTS } from './subjects.js';

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly adapter?: string;
  readonly subject?: string;
  readonly only?: number;
  readonly selfCheck?: true;
}

const command = new Command('fuzz')
  .description(
    'Sends hostile requests to every server adapter, and hostile answers to every client adapter, over loopback.',
  )
  .option('--minutes <number>', 'for all subjects together', positive, 5)
  .option('--seed <number>', 'of what is chosen', positive, randomInt(1, 1e9))
  .option('--adapter <name>', 'express, koa, nest-express, nest-fastify, axios or fetch; default all')
  .option('--subject <name>', 'an adapter and its profile, such as "koa strict"')
  .option('--only <number>', 'nothing but the input of that number', Number)
  .option('--self-check', 'plant faults in a server, and see that each is found')
  .action(run);

async function run(options: Options): Promise<void> {
  if (options.selfCheck) return check();
  const { minutes, seed, adapter = '', subject, only } = options;
  const subjects = SUBJECTS.filter(({ name }) =>
    subject ? name === subject : `${name} `.startsWith(adapter && `${adapter} `),
  );
  if (subjects.length === 0) throw new Error('There is no such subject');
  const time = (minutes * 60_000) / subjects.length;
  const bounds = only === undefined ? { time } : { time, first: only, inputs: 1 };
  let [inputs, failed] = [0, 0];
  print(`Seed ${seed}, ${Math.round(time / 1000)} s each\n\n`);
  for (const { name, fuzz } of subjects) {
    const outcome = await fuzz(seed, bounds);
    inputs += outcome.tally.inputs;
    failed += outcome.tally.findings.length;
    print(subjectReport(name, outcome));
    print(pc.red(findingsReport(name, seed, outcome)));
  }
  print(`\n${inputs} inputs to ${subjects.length} subjects, ${failed} findings\n`);
  if (failed > 0) process.exitCode = 1;
}

async function check(): Promise<void> {
  for (const name of FAULT_NAMES) {
    const { fault, isFound } = await selfCheck(name);
    print(`${isFound ? pc.green('found') : pc.red('NOT FOUND')} ${fault}\n`);
    if (!isFound) process.exitCode = 1;
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function positive(value: string): number {
  const number = Number(value);
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}

await command.parseAsync();
