/**
 * Builds from nothing, packs every public package as it would be published, and checks the tarballs: each by itself; their
 * types with every supported TypeScript; and that they load and work in every supported runtime, from an ESM and from a
 * CommonJS project.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAll } from './check-packages/pack.js';
import { commonJsProject, esmProject } from './check-packages/projects.js';
import { entryPoints, publicPackages, ROOT } from './check-packages/public-packages.js';
import { type ReadmePrograms, readmePrograms } from './check-packages/readme-programs.js';
import { run } from './check-packages/run.js';
import { checkRuntimes } from './check-packages/runtimes.js';
import { checkTarball } from './check-packages/tarball.js';
import { checkTypes, TYPE_TEST_DEPENDENCIES } from './check-packages/types.js';

async function build(): Promise<void> {
  for (const { directory } of publicPackages()) {
    await rm(join(directory, 'dist'), { recursive: true, force: true });
  }
  await run('turbo', ['run', 'build', '--force', ...publicPackages().map(({ name }) => `--filter=${name}`)], {
    cwd: ROOT,
  });
}

/** Says how long a step took. */
async function timed<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
  const from = performance.now();
  const result = await work();
  console.log(`${step}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}

const temporary = await mkdtemp(join(tmpdir(), 'e2ee-packages-'));
try {
  // Who has just built says so: others may be using what is built.
  if (!process.argv.includes('--built')) await timed('Build', build);
  const packed = await timed('Pack', () => packAll(temporary));
  await timed('publint, attw, contents', async () => {
    for (const one of packed) await checkTarball(one);
  });
  const esm = await timed('Install into an ESM project', () =>
    esmProject(join(temporary, 'esm'), packed, TYPE_TEST_DEPENDENCIES),
  );
  const commonJs = await timed('Install into a CommonJS project', () =>
    commonJsProject(join(temporary, 'commonjs'), packed),
  );
  await timed('Types', () => checkTypes(esm));
  const readme: ReadmePrograms = readmePrograms(await readFile(join(ROOT, 'README.md'), 'utf8'));
  await timed('Runtimes', () =>
    checkRuntimes([esm, commonJs], { entries: packed.flatMap(entryPoints), readme }),
  );
} finally {
  await rm(temporary, { recursive: true, force: true });
}
