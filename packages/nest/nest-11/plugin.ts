import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

/** What `nest-11` has another version of. */
const OTHER = /^(?:@nestjs\/|reflect-metadata$|rxjs$|class-validator$|class-transformer$)/;
const HERE = fileURLToPath(import.meta.url);
const MARK = '?nest-11';

/**
 * A second copy of source files, with Nest 11 in the place of Nest 12: `import('./application.js?nest-11')`, and whatever
 * that imports by a relative path or as `@e2ee/nest`.
 */
export function nest11(): Plugin {
  return {
    name: 'nest-11',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (!importer?.endsWith(MARK) && !source.endsWith(MARK)) return null;
      const name = source.replace(MARK, '');
      const from = importer?.replace(MARK, '');
      if (OTHER.test(name)) return this.resolve(name, HERE, { ...options, skipSelf: true });
      const found = await this.resolve(name, from, { ...options, skipSelf: true });
      const isCopied = found && (name.startsWith('.') || name === '@e2ee/nest');
      return isCopied ? { ...found, id: found.id + MARK } : found;
    },
  };
}
