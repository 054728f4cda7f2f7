import { join } from 'node:path';
import { entryPoints, type PublicPackage, publicPackages } from '../check-packages/public-packages.js';
import { type Surface, surfaceOf } from './surface.js';

/** File name (`core.node.api.md`) → report, for every entry point of every public package. */
export function apiReports(): ReadonlyMap<string, string> {
  return new Map(publicPackages().flatMap(reportsOf));
}

function reportsOf(one: PublicPackage): readonly (readonly [string, string])[] {
  const main = surfaceOf(sourceOf(one, '.'));
  return entryPoints(one).map((entry) => {
    const subpath = `.${entry.slice(one.name.length)}`;
    const surface = subpath === '.' ? main : surfaceOf(sourceOf(one, subpath), main);
    const file = `${entry.replace('@e2ee/', '').replaceAll('/', '.')}.api.md`;
    return [file, reportOf(entry, surface)] as const;
  });
}

function sourceOf({ name, directory, exports }: PublicPackage, subpath: string): string {
  const target = exports[subpath];
  const source = typeof target === 'object' ? target['@e2ee/source'] : undefined;
  if (source === undefined) throw new Error(`${name} does not say where the source of ${subpath} is`);
  return join(directory, source);
}

function reportOf(entry: string, { exported, mentioned }: Surface): string {
  const declarations = [...exported].sort(([a], [b]) => compare(a, b)).map(([, text]) => text);
  const sections = [
    `# ${entry}`,
    'What `pnpm api` found to be public. Do not edit.',
    '## Exported',
    code(declarations),
  ];
  if (mentioned.length > 0) sections.push('## Mentioned, not exported', code([...mentioned].sort(compare)));
  return `${sections.join('\n\n')}\n`;
}

const code = (declarations: readonly string[]): string => `\`\`\`ts\n${declarations.join('\n\n')}\n\`\`\``;

/** By code units, so that every machine sorts alike. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
