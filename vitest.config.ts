import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
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
    // RSA key generation on a busy two-core machine takes seconds.
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
