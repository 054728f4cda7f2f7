import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import colors from 'picocolors';
import { build } from './build.js';
import { EFFORTS } from './effort.js';

const OUT = fileURLToPath(new URL('../../docs/benchmarks', import.meta.url));

interface Options {
  readonly short?: true;
  readonly only?: readonly string[];
  readonly out: string;
  readonly build: boolean;
}

await new Command('bench')
  .description('Measures this library beside raw OpenSSL and its peers, in one run.')
  .option('--short', 'a run of about a minute')
  .addOption(new Option('--only <sections...>', 'these sections; nothing is written unless --out is given'))
  .option('--out <folder>', 'where results, charts and README go', OUT)
  .option('--no-build', 'measure the packages as they were built last')
  .action(run)
  .parseAsync();

async function run(options: Options, command: Command): Promise<void> {
  if (options.build) build();
  // Loaded when the packages are there.
  const { contextOf } = await import('./context.js');
  const { SECTIONS } = await import('./sections.js');
  const report = await import('./report.js');
  const { Results } = await import('./results.js');
  const { judge } = await import('./goals.js');
  const { machine } = await import('./machine.js');

  const start = machine();
  if (start.loadBefore > start.cores / 5)
    console.warn(
      colors.yellow(`This machine is busy (load ${start.loadBefore.toFixed(1)}): doubt the figures`),
    );
  const context = contextOf(options.short ? EFFORTS.short : EFFORTS.full);
  const wanted = options.only ?? Object.keys(SECTIONS);
  const rows = [];
  try {
    for (const name of wanted) {
      const section = SECTIONS[name];
      if (!section) command.error(`No such section: ${name}. There are ${Object.keys(SECTIONS).join(', ')}`);
      const started = performance.now();
      const measured = await section(context);
      rows.push(...measured);
      console.log(report.progress(measured));
      console.log(colors.dim(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`));
    }
  } finally {
    await context.close();
  }
  const results = new Results(rows);
  const findings = judge(results);
  console.log(report.printed({ findings }));
  const isPartial = options.only !== undefined && command.getOptionValueSource('out') === 'default';
  if (!isPartial) report.write(options.out, { mode: context.effort.name, machine: start, findings, results });
}
