import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { slugify } from '../docs/.vitepress/slugify.js';

/* `pnpm check:links`: every link of every Markdown file leads to a file, and its anchor to a heading. No network. */

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', 'screenshots']);
/** Generated from doc comments. */
const GENERATED = join('docs', 'reference');
/** `[text](target)`, `[name]: target`, and what a page includes. */
const LINKS = /\]\(([^()\s]+(?:\([^()\s]*\))?)\)|^\[[^\]]+\]: (\S+)|<!--\s*@include:\s*(\S+?)\s*-->/gm;

/** What is wrong, a line each: `README.md: docs/nowhere.md`. Takes some 50 ms. */
export function brokenLinks(root: string): string[] {
  return markdownFiles(root).flatMap((file) =>
    linksOf(readFileSync(file, 'utf8'))
      .filter((link) => !leadsSomewhere(link, file))
      .map((link) => `${relative(root, file)}: ${link}`),
  );
}

function markdownFiles(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return entry.name.endsWith('.md') ? [path] : [];
    const skipped =
      NOT_OURS.has(entry.name) || entry.name.startsWith('.') || relative(root, path) === GENERATED;
    return entry.isDirectory() && !skipped ? markdownFiles(root, path) : [];
  });
}

export function linksOf(markdown: string): string[] {
  const prose = withoutFences(markdown).replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '`');
  return [...prose.matchAll(LINKS)].map(
    ([, inline, defined, included]) => inline ?? defined ?? included ?? '',
  );
}

function leadsSomewhere(link: string, file: string): boolean {
  if (/^[a-z][a-z\d+.-]*:/i.test(link)) return /^(https?|mailto):/.test(link) && URL.canParse(link);
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : join(dirname(file), decodeURI(path));
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const page = statSync(target).isDirectory() ? join(target, 'README.md') : target;
  return page.endsWith('.md') && existsSync(page) && anchorsOf(readFileSync(page, 'utf8')).includes(anchor);
}

/** As code hosts make them: a title that comes again gets a number. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(markdown).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)].map(([, title = '']) => {
    const slug = slugify(title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, ''));
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const broken = brokenLinks(join(import.meta.dirname, '..'));
  for (const line of broken) console.error(line);
  process.exitCode = broken.length > 0 ? 1 : 0;
  if (broken.length === 0) console.log('Every link leads somewhere');
}
