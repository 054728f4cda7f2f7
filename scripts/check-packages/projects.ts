import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Packed } from './pack.js';
import { run } from './run.js';
import { manifestOf } from './tarball.js';

/** A project of a user, with all packages installed. */
export interface Project {
  readonly directory: string;
  readonly type: 'module' | 'commonjs';
  /** The program that imports every entry point. */
  readonly smoke: string;
}

const NPM_INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** An empty ESM project with our packages, the newest frameworks that they take, and what else it is given. */
export async function esmProject(
  directory: string,
  packed: readonly Packed[],
  more: readonly string[],
): Promise<Project> {
  const frameworks = (await peersOf(packed)).map(({ name, range }) => `${name}@${range}`);
  return project(directory, 'module', [...tarballs(packed), ...frameworks, ...more]);
}

/** An empty CommonJS project with our packages and the oldest frameworks that they take. */
export async function commonJsProject(directory: string, packed: readonly Packed[]): Promise<Project> {
  const frameworks = (await peersOf(packed)).map(({ name, range }) => `${name}@${lowest(range)}`);
  return project(directory, 'commonjs', [...tarballs(packed), ...frameworks]);
}

async function project(
  directory: string,
  type: Project['type'],
  dependencies: readonly string[],
): Promise<Project> {
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), JSON.stringify({ name: 'user', private: true, type }));
  await run('npm', [...NPM_INSTALL, ...dependencies], { cwd: directory });
  const smoke = type === 'module' ? 'smoke.mjs' : 'smoke.cjs';
  await copyFile(join(import.meta.dirname, smoke), join(directory, smoke));
  return { directory, type, smoke };
}

const tarballs = (packed: readonly Packed[]): readonly string[] => packed.map(({ tarball }) => tarball);

/** The frameworks that the packages want beside them. */
async function peersOf(packed: readonly Packed[]): Promise<readonly { name: string; range: string }[]> {
  const manifests = await Promise.all(packed.map(({ tarball }) => manifestOf(tarball)));
  return manifests.flatMap((manifest) => {
    const peers: Record<string, string> = JSON.parse(manifest).peerDependencies ?? {};
    return Object.entries(peers).map(([name, range]) => ({ name, range }));
  });
}

/** The oldest version in a range like `^4.18.0 || ^5.0.0`. */
function lowest(range: string): string {
  const [version] = /\d+\.\d+\.\d+/.exec(range) ?? [];
  if (version === undefined) throw new Error(`The range ${range} names no version`);
  return version;
}
