import { defineConfig } from 'vitest/config';

/** The tests that mutants are shown to: those of the core in Node. Which folders of them, Stryker says. */
export default defineConfig({
  // As in the root's vitest.config.ts: Vite's own conditions for servers, and the source of workspace packages.
  ssr: { resolve: { conditions: ['@e2ee/source', 'module', 'node'] } },
  test: {
    include: ['packages/core/src/**/*.test.ts'],
    // Without those that measure time, which mutants beside each other do not leave alone, and those that try hundreds of values.
    exclude: ['**/node_modules/**', '**/*.{browser,speed,properties}.test.ts', '**/round-trip.test.ts'],
    // A mutant that leaves a test waiting is noticed this soon, without a new process. The longest test takes about a second.
    testTimeout: 12_000,
    hookTimeout: 12_000,
  },
});
