import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from './projects.js';
import { ROOT } from './public-packages.js';
import { CommandError, run } from './run.js';

const LOWEST = '5.7.2';
/** The last that is written in JavaScript and that most users have. */
const COMMON = '5.9.3';
const NEWEST = '7.0.2';

const alias = (version: string): string => `typescript-${version}`;

/** What the project needs besides our packages. */
export const TYPE_TEST_DEPENDENCIES: readonly string[] = [
  ...[LOWEST, COMMON, NEWEST].map((version) => `${alias(version)}@npm:typescript@${version}`),
  '@types/express@5',
  '@types/koa@3',
  '@types/node@20',
];

/** How users compile: with which TypeScript, how it finds modules, and whether `undefined` may be given for an absent option. */
const COMPILATIONS = [
  { version: LOWEST, resolution: 'node16', exact: true },
  { version: COMMON, resolution: 'bundler', exact: false },
  { version: NEWEST, resolution: 'nodenext', exact: false },
  { version: NEWEST, resolution: 'bundler', exact: true },
] as const;

type Compilation = (typeof COMPILATIONS)[number];

/** A line that blames a declaration of another package, and those that explain it. */
const OF_OTHERS = /^node_modules\/(?!@e2ee\/).*\n(?: .*\n)*/gm;

/**
 * Compiles `test/types/` against the packed declarations in every way of the table. The declarations themselves are checked,
 * too (`skipLibCheck: false`); only what is wrong in other packages is passed over.
 */
export async function checkTypes({ directory }: Project): Promise<void> {
  await cp(join(ROOT, 'test/types'), join(directory, 'types'), { recursive: true });
  for (const compilation of COMPILATIONS) {
    await compile(directory, compilation);
    const { version, resolution, exact } = compilation;
    console.log(
      `TypeScript ${version}, ${resolution}, ${exact ? 'exact' : 'loose'} optional properties: pass`,
    );
  }
}

async function compile(directory: string, compilation: Compilation): Promise<void> {
  const { version, resolution } = compilation;
  const tsc = join('node_modules', alias(version), 'bin/tsc');
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(await configOf(directory, compilation)));
  try {
    await run(process.execPath, [tsc, '--pretty', 'false'], { cwd: directory });
  } catch (error) {
    if (!(error instanceof CommandError) || error.output === '') throw error;
    const ours = error.output.replace(OF_OTHERS, '');
    if (ours !== '') throw new Error(`TypeScript ${version}, ${resolution}:\n${ours}`);
  }
}

async function configOf(directory: string, { resolution, exact }: Compilation): Promise<object> {
  const all = await readdir(join(directory, 'types'));
  const files = all.filter((file) => exact || file !== 'optional.ts');
  const compilerOptions = {
    module: resolution === 'bundler' ? 'esnext' : resolution,
    moduleResolution: resolution,
    exactOptionalPropertyTypes: exact,
    target: 'es2022',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    experimentalDecorators: true,
  };
  return { compilerOptions, files: files.map((file) => `types/${file}`) };
}
