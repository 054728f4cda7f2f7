import { join } from 'node:path';
import { build, defaultClientConditions } from 'vite';
import { aggregatorOrigin } from './server/aggregator-url.js';

/** The same place from `src` and from `dist`. */
const PAGE = join(import.meta.dirname, '../src/page');

/**
 * Builds the page into a folder. Where the aggregator is becomes part of it, so that a server which only hands the files
 * on cannot name another. Rejects when the URL is more than an origin.
 */
export async function buildPage(aggregatorUrl: string, outDir: string): Promise<void> {
  await build({
    root: PAGE,
    configFile: false,
    logLevel: 'error',
    define: { AGGREGATOR_URL: JSON.stringify(aggregatorOrigin(aggregatorUrl)) },
    // Workspace packages as their source, so that a fresh clone needs no other build.
    resolve: { conditions: ['@e2ee/source', ...defaultClientConditions] },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      modulePreload: false,
      assetsInlineLimit: 0, // `data:` URLs are not in the page's policy
    },
  });
}
