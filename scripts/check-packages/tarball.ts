import type { Packed } from './pack.js';
import { ROOT } from './public-packages.js';
import { run } from './run.js';

/** What `package.json` says for use in the repository only. */
const LEFTOVERS = ['@e2ee/source', 'workspace:', 'catalog:'];
const ATTW = ['--profile', 'esm-only', '--no-summary', '--no-emoji', '--format', 'ascii'];

/**
 * Checks one tarball: publint (strict), attw (ESM only), that it holds the licence and a README, that it will be published
 * with provenance, and that nothing in it points at the source tree. Throws for the first fault.
 */
export async function checkTarball({ name, tarball }: Packed): Promise<void> {
  await run('publint', ['run', tarball, '--strict'], { cwd: ROOT });
  await run('attw', [tarball, ...ATTW], { cwd: ROOT });
  const faults = faultsOf(await filesOf(tarball), await manifestOf(tarball));
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
}

/** What is wrong with a tarball beyond what publint and attw look at. */
function faultsOf(files: readonly string[], manifest: string): readonly string[] {
  const misplaced = files.filter((file) => /^package\/src\/|\.test\.|tsconfig/.test(file));
  const missing = ['package/LICENSE', 'package/README.md'].filter((file) => !files.includes(file));
  const leftover = LEFTOVERS.filter((text) => manifest.includes(text));
  return [
    ...misplaced.map((file) => `${file} does not belong in it`),
    ...missing.map((file) => `${file} is missing`),
    ...leftover.map((text) => `package.json still says ${text}`),
    ...(JSON.parse(manifest).publishConfig?.provenance === true ? [] : ['it has no provenance']),
  ];
}

/** The text of a tarball's `package.json`. */
export function manifestOf(tarball: string): Promise<string> {
  return run('tar', ['-xzOf', tarball, 'package/package.json'], { cwd: ROOT });
}

async function filesOf(tarball: string): Promise<readonly string[]> {
  return (await run('tar', ['-tzf', tarball], { cwd: ROOT })).trim().split('\n');
}
