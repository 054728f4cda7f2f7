import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Where a command runs, and for how long. */
export interface RunOptions {
  readonly cwd: string;
  /** Milliseconds until it is stopped, and has failed. Default: it has all the time. */
  readonly timeout?: number;
}

/** A command failed; the message says which, and holds all that it printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** What it printed to its standard output. */
  readonly output: string;

  constructor(command: string, { cwd }: RunOptions, failure: Failure) {
    const { message, stdout = '', stderr = '', killed = false } = failure;
    const outcome = killed ? 'took too long' : 'failed';
    super(`${command} ${outcome} in ${cwd}\n${stdout}${stderr || message}`);
    this.output = stdout;
  }
}

/** What `execFile` rejects with. */
interface Failure extends Error {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly killed?: boolean;
}

const execute = promisify(execFile);

/** Runs a command to its end. Resolves to its standard output; rejects with a {@link CommandError}. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { ...options, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    // execFile rejects with nothing else.
    throw new CommandError([command, ...args].join(' '), options, error as Failure);
  }
}

/** As `Promise.all`, but waits also for the others when one fails, so that nothing is left running. */
export async function all<Result>(works: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
