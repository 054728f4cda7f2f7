import { DemoError } from './demo-error.js';
import { DEMOS, type Demo, type Shown } from './demos.js';
import { type DemoOptions, readCommandLine } from './options.js';
import { createPalette, wantsColour } from './palette.js';

const WIDTH = { min: 40, default: 100, max: 140 } as const;

async function main(): Promise<number> {
  const commandLine = readCommandLine(process.argv.slice(2));
  if ('exitStatus' in commandLine) return commandLine.exitStatus;
  const { options } = commandLine;
  try {
    return (await show(options)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    complain(error, options);
    return 1;
  }
}

/** Runs what was asked for, prints it and tells whether all of it is as it should be. */
async function show(options: DemoOptions): Promise<boolean> {
  const demos: readonly Demo[] = options.only === undefined ? Object.values(DEMOS) : [DEMOS[options.only]];
  const shown: Shown[] = [];
  for (const demo of demos) {
    const one = await demo.run(options);
    shown.push(one);
    if (!options.json) process.stdout.write(one.render({ width: screenWidth(), palette: palette() }));
  }
  const ok = shown.every((one) => one.ok);
  const document = Object.assign({ ok }, ...shown.map(({ json }) => json));
  if (options.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  return ok;
}

function palette(): ReturnType<typeof createPalette> {
  return createPalette(wantsColour(process.stdout.isTTY === true, process.env));
}

function screenWidth(): number {
  const width = process.stdout.columns || Number(process.env.COLUMNS) || WIDTH.default;
  return Math.min(Math.max(width, WIDTH.min), WIDTH.max);
}

function complain({ message }: DemoError, { json }: DemoOptions): void {
  process.stderr.write(`${message}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: message, steps: [] }, null, 2)}\n`);
}

// A reader that has seen enough (`pnpm demo | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main();
