import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A program of the README, by the name that the README gives its file. */
export interface Program {
  readonly file: string;
  readonly code: string;
}

/** The server and the client of a README. */
export interface ReadmePrograms {
  readonly server: Program;
  readonly client: Program;
}

/** What the client of the README prints. */
const ANSWER = { id: 'ps_1', amount: 1999, payee: { name: '[REDACTED]', account_number: '[REDACTED]' } };

/** The code blocks of a README that bear the name of a file, server and client. Throws where one is missing. */
export function readmePrograms(readme: string): ReadmePrograms {
  const blocks = [...readme.matchAll(/^```[jt]s (\S+)\n([\s\S]*?)^```$/gm)];
  const named = (name: string): Program => {
    const [, file, code] = blocks.find(([, block]) => block?.startsWith(`${name}.`)) ?? [];
    if (file === undefined || code === undefined) throw new Error(`The README has no program ${name}`);
    return { file, code };
  };
  return { server: named('server'), client: named('client') };
}

/** How many lines both programs have together, without empty ones. */
export function lengthOf({ server, client }: ReadmePrograms): number {
  return [server, client].flatMap(({ code }) => code.split('\n')).filter((line) => line.trim() !== '').length;
}

/** Writes the programs to files in a directory. */
export async function writePrograms(directory: string, { server, client }: ReadmePrograms): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { file, code } of [server, client]) await writeFile(join(directory, file), code);
}

/**
 * Starts the server, lets the client call it and stops both.
 *
 * @param directory where the files are and the packages can be found from
 * @param command a runtime and its arguments: `['node']`
 * @throws when the client does not print what the README promises
 */
export async function talk(
  directory: string,
  command: readonly string[],
  { server, client }: ReadmePrograms,
): Promise<void> {
  const serving = start(directory, [...command, server.file], { PORT: '0' });
  try {
    const [, port] = await outputUntil(serving, /port: (\d+)/);
    const calling = start(directory, [...command, client.file], { API_URL: `http://localhost:${port}` });
    try {
      const [line] = await outputUntil(calling, /^\{.*\}$/m);
      if (line !== JSON.stringify(ANSWER)) throw new Error(`The client printed ${line}`);
    } finally {
      await stop(calling);
    }
  } finally {
    await stop(serving);
  }
}

/** Starts a program without a shell. */
function start(
  cwd: string,
  [command = '', ...args]: readonly string[],
  env: Record<string, string>,
): ChildProcess {
  return spawn(command, args, {
    cwd,
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits until a program has printed what fits; throws when it ends without, showing what it printed instead. */
function outputUntil(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk;
      const match = pattern.exec(text);
      if (match) resolve(match);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('error', reject);
    child.once('close', () =>
      reject(new Error(`${child.spawnargs.join(' ')} ended without printing ${pattern}:\n${text}`)),
    );
  });
}

/** Ends a program and waits until it has ended. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}
