import { join } from 'node:path';
import { type PublicPackage, publicPackages } from './public-packages.js';
import { all, run } from './run.js';

/** A package as it would be published. */
export interface Packed extends PublicPackage {
  /** Its file, absolute. */
  readonly tarball: string;
}

/** Packs every public package, which must be built, into a directory. */
export function packAll(directory: string): Promise<readonly Packed[]> {
  return all(
    publicPackages().map(async (one) => {
      const tarball = join(directory, `${one.name.replace('@', '').replace('/', '-')}.tgz`);
      await run('pnpm', ['pack', '--out', tarball], { cwd: one.directory });
      return { ...one, tarball };
    }),
  );
}
