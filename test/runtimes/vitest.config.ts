import { join } from 'node:path';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/** By these conditions a package tells which runtime it is in; Vite knows Node's alone. */
const { bun, deno } = process.versions;
const conditions = [...(bun ? ['bun'] : deno ? ['deno'] : []), ...defaultServerConditions];

const SHARED = { testTimeout: 20_000, hookTimeout: 30_000, isolate: false };

/**
 * What runs on Deno and Bun as well (run.ts): the tests of the core and of fetch but for those of Node and of browsers alone, from
 * the source, and checks of the built packages, as their users get them.
 */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    projects: [
      {
        ssr: { resolve: { conditions: ['@e2ee/source', ...conditions] } },
        test: {
          ...SHARED,
          name: 'core',
          include: ['packages/core/src/**/*.test.ts', 'packages/fetch/src/**/*.test.ts'],
          exclude: ['**/*.node.test.ts', '**/*.browser.test.ts'],
        },
      },
      {
        ssr: { resolve: { conditions } },
        test: { ...SHARED, name: 'built', include: ['test/runtimes/**/*.runtime.test.ts'] },
      },
    ],
  },
});
