import { DemoError } from './demo-error.js';
import { type DemoOptions, readCommandLine } from './options.js';
import { createPalette, wantsColour } from './palette.js';
import { readPayloads } from './payloads.js';
import { renderReport } from './render.js';
import { runDemo } from './run.js';

const WIDTH = { min: 40, default: 100, max: 140 } as const;

async function main(): Promise<number> {
  const commandLine = readCommandLine(process.argv.slice(2));
  if ('exitStatus' in commandLine) return commandLine.exitStatus;
  const { options } = commandLine;
  try {
    const report = await runDemo(readPayloads(options.payload));
    process.stdout.write(
      options.json
        ? `${JSON.stringify(report, null, 2)}\n`
        : renderReport(report, { width: screenWidth(), palette: palette() }),
    );
    return report.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    complain(error, options);
    return 1;
  }
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
