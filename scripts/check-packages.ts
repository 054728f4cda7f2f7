/**
 * Builds from nothing, packs every public package as it would be published and checks the tarball: publint (strict),
 * attw (ESM only), and that it holds the licence and nothing that points at the source tree.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const temporary = mkdtempSync(join(tmpdir(), 'e2ee-pack-'));

/** Runs a command in the repository and lets its output through; throws when it fails. */
function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' });
}

/** What is wrong with a tarball beyond what publint and attw look at. */
function faultsOf(tarball: string): string[] {
  const tar = (...args: string[]): string => execFileSync('tar', args, { encoding: 'utf8' });
  const files = tar('-tzf', tarball).trim().split('\n');
  const faults = files
    .filter((file) => /^package\/src\/|\.test\.|tsconfig/.test(file))
    .map((file) => `${file} does not belong in it`);
  if (!files.includes('package/LICENSE')) faults.push('LICENSE is missing');
  for (const leftover of ['@e2ee/source', 'workspace:', 'catalog:']) {
    if (tar('-xzOf', tarball, 'package/package.json').includes(leftover)) {
      faults.push(`package.json still says ${leftover}`);
    }
  }
  return faults;
}

try {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  for (const directory of packages) rmSync(join(directory, 'dist'), { recursive: true, force: true });
  run('turbo', 'run', 'build', '--force');
  for (const directory of packages) {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    if (manifest.private) continue;
    const tarball = join(temporary, `${manifest.name.replaceAll('/', '-')}.tgz`);
    run('pnpm', '--dir', directory, 'pack', '--out', tarball);
    run('publint', 'run', tarball, '--strict');
    run('attw', tarball, '--profile', 'esm-only', '--no-summary', '--no-emoji', '--format', 'ascii');
    const faults = faultsOf(tarball);
    if (faults.length > 0) throw new Error(`${manifest.name}: ${faults.join('; ')}`);
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
