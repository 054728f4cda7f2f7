import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT: string = join(import.meta.dirname, '../..');

/** A package that is published. */
export interface PublicPackage {
  /** `@e2ee/core` */
  readonly name: string;
  /** Its directory, absolute. */
  readonly directory: string;
  /** Subpath (`.`, `./node`) → what the repository's own `exports` say of it. */
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Every package of the repository that is published, in alphabetical order. */
export function publicPackages(): readonly PublicPackage[] {
  const directories = readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name));
  return directories.sort().flatMap((directory) => {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return manifest.private ? [] : [{ name: manifest.name, directory, exports: manifest.exports }];
  });
}

/** What users import of a package as code: `@e2ee/core`, `@e2ee/core/node`. */
export function entryPoints({ name, exports }: PublicPackage): readonly string[] {
  const code = Object.keys(exports).filter((subpath) => typeof exports[subpath] === 'object');
  return code.map((subpath) => name + subpath.slice(1));
}
