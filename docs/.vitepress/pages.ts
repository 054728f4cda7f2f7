import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

const docs = join(import.meta.dirname, '..');

/**
 * Which page of the site shows which file of the repository. A page that only includes a file says so in its front
 * matter: `source: packages/express/README.md`. A folder is shown as its README.
 */
export function sourcePages(): ReadonlyMap<string, string> {
  const pages = markdownFiles(docs).map((page) => [page, sourceOf(readFileSync(join(docs, page), 'utf8'))]);
  const shown = pages.map(([page = '', source]): [string, string] => [
    source ?? posix.join('docs', page),
    page,
  ]);
  const folders = shown
    .filter(([file]) => basename(file) === 'README.md')
    .map(([file, page]): [string, string] => [dirname(file), page]);
  return new Map([...shown, ...folders]);
}

/** The file that a page includes, from the root of the repository. */
function sourceOf(markdown: string): string | undefined {
  return /^---\n(?:.*\n)*?source: (\S+)\n(?:.*\n)*?---\n/.exec(markdown)?.[1];
}

/**
 * Where a link leads on the site. `page` is the page, from `docs/`; `source` the file that it includes. Resolves to
 * nothing for a file of the repository that the site does not show.
 */
export function siteLink(
  link: string,
  from: { readonly page: string; readonly source?: string | undefined },
  pages: ReadonlyMap<string, string>,
): string | undefined {
  if (/^([a-z][a-z\d+.-]*:|#|\/)/i.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const base = posix.dirname(from.source ?? posix.join('docs', from.page));
  const target = posix.join(base, decodeURI(path)).replace(/\/$/, '');
  // A page that is missing stays a link, so that the build finds it dead.
  const own = target.startsWith('docs/') && target.endsWith('.md') ? target.slice('docs/'.length) : undefined;
  const page = pages.get(target) ?? own;
  if (page === undefined) return undefined;
  return `/${page}${anchor === undefined ? '' : `#${anchor}`}`;
}

/** The pages of the generated reference, one for each entry point. None until it is generated. */
export function referencePages(): { readonly text: string; readonly link: string }[] {
  const root = join(docs, 'reference');
  if (!existsSync(root)) return [];
  return markdownFiles(root)
    .filter((file) => file !== 'index.md')
    .sort()
    .map((file) => ({
      text: file.replace(/(\/index)?\.md$/, ''),
      link: `/reference/${file.replace(/(index)?\.md$/, '')}`,
    }));
}

/** Below a folder, from there, with slashes. */
function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.md') && !/(^|\/)(node_modules|\.vitepress)\//.test(file));
}
