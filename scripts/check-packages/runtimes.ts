import { join } from 'node:path';
import type { Project } from './projects.js';
import { type ReadmePrograms, talk, writePrograms } from './readme-programs.js';
import { run } from './run.js';

/** What programs of users run in. All come from npm. */
interface Runtime {
  /** Of its npm package, which is also its command. */
  readonly name: string;
  readonly version: string;
  /** What goes before a script to run. */
  readonly args: readonly string[];
  /** What makes it print where it is. */
  readonly locate: readonly string[];
  /** Entry points that CommonJS has to `import()` in it. */
  readonly cannotRequire?: readonly string[];
}

const WHERE = 'console.log(process.execPath)';
const node = (version: string): Runtime => ({ name: 'node', version, args: [], locate: ['-e', WHERE] });

/** The releases of other runtimes that are known to work. */
export const DENO = '2.9.6';
export const BUN = '1.4.5';

/** The oldest of each line that `engines` admits, the newest lines, and what else runs servers. */
const RUNTIMES: readonly Runtime[] = [
  node('20.19.0'),
  node('22.12.0'),
  node('24'),
  node('26'),
  {
    name: 'deno',
    version: DENO,
    args: ['run', '--allow-all'],
    locate: ['eval', WHERE],
    // Waits forever for an ES module that imports CommonJS which Deno has not seen before, here that of Nest 11.
    cannotRequire: ['@e2ee/nest'],
  },
  { name: 'bun', version: BUN, args: [], locate: ['-e', WHERE] },
];

/** For a download; and for a program, on a machine that has much else to do. */
const TIMEOUT = 120_000;

/** What the projects run. */
interface Programs {
  /** Every entry point of every package. */
  readonly entries: readonly string[];
  readonly readme: ReadmePrograms;
}

/** In each runtime, loads every entry point in each project, and lets the README's server and client talk there. */
export async function checkRuntimes(projects: readonly Project[], programs: Programs): Promise<void> {
  for (const runtime of RUNTIMES) {
    const command = [await located(runtime), ...runtime.args];
    for (const project of projects) await checkIn(project, { ...runtime, command }, programs);
    const { name, version } = runtime;
    console.log(
      `${name} ${version}: the entry points load from ESM and CommonJS, the README's programs talk`,
    );
  }
}

async function checkIn(
  { directory, type, smoke }: Project,
  { name, version, command, cannotRequire = [] }: Runtime & { readonly command: readonly string[] },
  { entries, readme }: Programs,
): Promise<void> {
  const [executable = '', ...args] = command;
  const loaded = type === 'module' ? entries : entries.filter((entry) => !cannotRequire.includes(entry));
  await run(executable, [...args, smoke, ...loaded], { cwd: directory, timeout: TIMEOUT });
  const own = join(directory, `${name}-${version}`);
  await writePrograms(own, readme);
  await talk(own, command, readme);
}

/** The path of a runtime, which npx fetches where it is not there yet. */
async function located({ name, version, locate }: Runtime): Promise<string> {
  const options = { cwd: import.meta.dirname, timeout: TIMEOUT };
  try {
    return (await run('npx', ['--yes', `${name}@${version}`, ...locate], options)).trim();
  } catch (cause) {
    throw new Error(`${name} ${version} cannot be had from npm, so nothing was checked in it`, { cause });
  }
}
