import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { nest11 } from './packages/nest/nest-11/plugin.js';

export default defineConfig({
  // Tests of @e2ee/nest run on two versions of Nest.
  plugins: [nest11()],
  // Workspace packages resolve to their source, so that tests need no build.
  ssr: { resolve: { conditions: ['@e2ee/source', ...defaultServerConditions] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'apps/*/**/*.test.ts',
      'test/**/*.test.ts',
      'docs/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Prints which subject has passed how many of the conformance cases.
    globalSetup: ['packages/conformance/src/matrix.ts'],
    // RSA key generation on a busy two-core machine takes seconds.
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
