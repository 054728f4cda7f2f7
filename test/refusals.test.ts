import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/*
 * The page for auditors says which test shows what. It is held to that here: each row names tests, and each of them is
 * there.
 */

const PAGE = new URL('../docs/refusals.md', import.meta.url);
const PACKAGES = new URL('../packages/', import.meta.url);

interface Evidence {
  /** As the page writes it: below `packages/`, or below the root where it begins with `/`. */
  readonly file: string;
  /** Titles from the outside to the inside. */
  readonly titles: readonly string[];
}

interface Row {
  readonly id: string;
  readonly cells: readonly string[];
  readonly evidence: readonly Evidence[];
}

const rows = readRows(readFileSync(PAGE, 'utf8'));

/** Rows are the lines of tables that begin with an id: `| T1 | input | outcome | tests |`. */
function readRows(page: string): Row[] {
  return page
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')))
    .filter(([, id = '']) => /^[A-Z]\d+[a-z]?$/.test(id))
    .map(([, id = '', ...cells]) => ({
      id,
      cells: cells.slice(0, -1),
      evidence: (cells.at(-2) ?? '').split('<br>').flatMap(readEvidence),
    }));
}

/** `` `file`: title · title › inner title ``. A `…` in a title stands for what varies. */
function readEvidence(text: string): Evidence[] {
  const [, file, titles] = /^`([^`]+)`: (.+)$/.exec(text.trim()) ?? [];
  if (file === undefined || titles === undefined) return [{ file: text, titles: [] }];
  return titles.split(' · ').map((path) => ({ file, titles: path.split(' › ') }));
}

function urlOf(file: string): URL {
  return file.startsWith('/') ? new URL(`..${file}`, import.meta.url) : new URL(file, PACKAGES);
}

/** What stands for a value in a title: `%s` and `$name` of vitest, `${…}` of a template. */
const VARYING = /\$\{[^}]*\}|%[sdifjoO#%]|\$\w+/g;

/** The titles of the tests and groups of a file, as its source has them. */
function titlesOf(file: URL): Set<string> {
  const source = readFileSync(file, 'utf8');
  const literals = source.matchAll(/\(\s*(['"`])((?:\\.|(?!\1)[^\\\n])*)\1\s*,/g);
  const texts = Array.from(literals, ([, , text = '']) => text.replace(/\\(['"`\\])/g, '$1'));
  return new Set(texts.map((text) => text.replace(VARYING, '…')));
}

/** The names of the conformance cases of a file. */
async function casesOf(file: URL): Promise<string[]> {
  const module: Record<string, unknown> = await import(file.href);
  return Object.values(module)
    .filter(Array.isArray)
    .flatMap((cases: readonly { readonly name: string }[]) => cases.map(({ name }) => name));
}

/** Which titles are not there. */
async function missing({ file, titles }: Evidence): Promise<string[]> {
  const url = urlOf(file);
  if (titles.length === 0 || !existsSync(url)) return [file];
  if (file.includes('/cases/')) {
    const names = await casesOf(url);
    return titles.filter((title) => !names.some((name) => patternOf(title).test(name)));
  }
  const there = titlesOf(url);
  return titles.filter((title) => !there.has(title));
}

function patternOf(title: string): RegExp {
  const parts = title.split('…').map((text) => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`, 's');
}

describe('docs/refusals.md', () => {
  it('has its rows, each under an id of its own', () => {
    const ids = rows.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(80);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it.each(rows)('shows by tests that are there what it says: $id', async ({ cells, evidence }) => {
    expect(cells, 'input, outcome, tests').toHaveLength(3);
    for (const cell of cells) expect(cell).not.toBe('');
    const lost = await Promise.all(
      evidence.map(async (one) => (await missing(one)).map((title) => `${one.file}: ${title}`)),
    );
    expect(lost.flat(), 'files or titles that are not there').toEqual([]);
  });
});

describe('the check', () => {
  const evidence = (file: string, ...titles: string[]): Evidence => ({ file, titles });
  const decrypt = 'core/src/jwe/decrypt.test.ts';
  const cases = 'conformance/src/server/cases/tokens.ts';

  it('finds a title in full only, and a case by its pattern', async () => {
    expect(await missing(evidence(decrypt, 'a kid', 'is only missed where it is required'))).toEqual([]);
    expect(await missing(evidence(decrypt, 'a kid', 'is only missed'))).toEqual(['is only missed']);
    expect(await missing(evidence(cases, 'bad token, tampered: …'))).toEqual([]);
    expect(await missing(evidence(cases, 'bad token, tampered'))).toEqual(['bad token, tampered']);
  });

  it('misses a file that is not there, and a row without tests', async () => {
    expect(await missing(evidence('core/src/gone.test.ts', 'x'))).toEqual(['core/src/gone.test.ts']);
    const [row] = readRows('| T1 | input | outcome | – |');
    expect(row?.evidence).toEqual([{ file: '–', titles: [] }]);
  });
});
