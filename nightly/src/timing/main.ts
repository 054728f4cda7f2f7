import { availableParallelism, loadavg } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { classesOf } from './classes.js';
import { judge } from './judge.js';
import { measure } from './measure.js';
import { timingReport } from './report.js';
import { timedSubjects } from './subjects.js';
import { waysOf } from './ways.js';

interface Options {
  readonly runs: number;
}

const command = new Command('timing')
  .description('Measures whether the time that a bad token takes tells in what way it is bad.')
  .option('--runs <number>', 'tokens of each class', positive, 2_000)
  .action(run);

async function run({ runs }: Options): Promise<void> {
  const machine = `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${availableParallelism()} CPUs`;
  print(`${machine}, load ${loadavg()[0]?.toFixed(1)} before; ${runs} runs of each class, interleaved\n\n`);
  for (const subject of await timedSubjects()) {
    const kinds = classesOf(subject);
    for (const way of await waysOf(subject)) {
      const measured = await measure(way, kinds, runs);
      print(timingReport(`${subject.name}, ${way.name}`, judge(measured)));
      for (const { kind, mistakes } of measured.filter((item) => item.mistakes.size > 0)) {
        print(`WRONG: ${kind.name} ended in ${[...mistakes].join(', ')}\n`);
        process.exitCode = 1;
      }
    }
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function positive(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

await command.parseAsync();
