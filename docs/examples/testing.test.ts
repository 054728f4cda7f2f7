import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';

/*
 * The code of docs/testing.md: each block is a file of tests, and these run here.
 */
const docs = join(import.meta.dirname, '..');
// Below the repository, so that the packages are found as a user's project finds them. Git ignores the name.
const directory = await mkdtemp(join(docs, '../test/.readme-testing-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

const text = await readFile(join(docs, 'testing.md'), 'utf8');
const blocks = [...text.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)];
for (const [, name = '', code = ''] of blocks) await writeFile(join(directory, name), code);

for (const [, name = ''] of blocks.filter(([, file = '']) => file.endsWith('.test.ts'))) {
  describe(name, async () => {
    await import(/* @vite-ignore */ join(directory, name));
  });
}
