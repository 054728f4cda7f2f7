/**
 * Bundles what a page loads of the built packages, one file for each of `scripts/size/`, for size-limit to measure.
 *
 * Fails when a bundle needs something of Node, or makes code out of text, which a strict Content-Security-Policy forbids.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const ENTRIES = join(import.meta.dirname, 'size');
const OUTPUT = join(import.meta.dirname, '../node_modules/.cache/size');
const FORBIDDEN =
  /\beval\(|\bFunction\(|(?:from|import|require)[ (]*["'`]node:|__vite-browser-external|\bBuffer\.|\bprocess\./;

for (const entry of readdirSync(ENTRIES)) {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: OUTPUT,
      emptyOutDir: false,
      rolldownOptions: {
        input: join(ENTRIES, entry),
        external: ['axios'],
        output: { entryFileNames: '[name].js' },
      },
    },
  });
  const output = 'output' in result ? result.output : [];
  const [chunk, ...more] = output;
  if (chunk?.type !== 'chunk' || more.length > 0) throw new Error(`${entry} does not make one file`);
  const found = FORBIDDEN.exec(chunk.code);
  if (found) throw new Error(`The bundle of ${entry} holds ${found[0]}`);
}
