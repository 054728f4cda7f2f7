import { playwright } from '@vitest/browser-playwright';
import type { LaunchOptions } from 'playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { chromiumLaunch } from './packages/chromium/src/index.js';
import { nest11 } from './packages/nest/nest-11/plugin.js';

const EXCLUDED = ['**/node_modules/**', '**/dist/**'];

/** RSA key generation on a busy two-core machine takes seconds. */
const TIMEOUTS = { testTimeout: 20_000, hookTimeout: 30_000 };

/** Tests in Node, but for those of browsers and of other runtimes. */
function inNode(test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    // Tests of @e2ee/nest run on two versions of Nest.
    plugins: [nest11()],
    // Workspace packages resolve to their source, so that tests need no build.
    ssr: { resolve: { conditions: ['@e2ee/source', ...defaultServerConditions] } },
    test: {
      ...TIMEOUTS,
      ...test,
      exclude: [...EXCLUDED, '**/*.browser.test.ts', '**/*.runtime.test.ts', ...(test?.exclude ?? [])],
    },
  };
}

/** Prints which subject has passed how many of the conformance cases. */
const CONFORMANCE = ['packages/conformance/src/matrix.ts'];
const PACKAGES = ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'];
/** Some of them put another Axios in the place of ours. */
const AXIOS = ['packages/axios-interceptor/**/*.test.ts', 'packages/conformance/src/client/**/*.test.ts'];

const packages = inNode({
  name: 'node',
  include: PACKAGES,
  exclude: AXIOS,
  // A process for each file would take as long again.
  isolate: false,
  globalSetup: CONFORMANCE,
});

/** Many of them start whole programs. */
const programs = inNode({
  name: 'programs',
  include: [
    ...AXIOS,
    'apps/*/**/*.test.ts',
    'test/**/*.test.ts',
    'docs/**/*.test.ts',
    'bench/src/**/*.test.ts',
    'nightly/src/**/*.test.ts',
  ],
  globalSetup: CONFORMANCE,
});

/** Without a browser, the tests in Node run all the same; those in the browser fail. */
async function launchOptions(): Promise<LaunchOptions> {
  try {
    return await chromiumLaunch();
  } catch (error) {
    console.error(`The tests in Chromium will fail: ${error}`);
    return { executablePath: 'there-is-no-chromium' };
  }
}

/** The core's tests once more, in a real browser: all but those of what only Node has. And fetch as pages have it. */
const chromium: TestProjectInlineConfiguration = {
  resolve: { conditions: ['@e2ee/source', ...defaultClientConditions] },
  // The same for what starts before the tests, in Node.
  environments: { __vitest__: { resolve: { conditions: ['@e2ee/source', ...defaultServerConditions] } } },
  // All that these tests import of others: to find one of them during a run would reload the page.
  optimizeDeps: {
    noDiscovery: true,
    include: ['ajv/dist/2020.js', 'fast-check', 'jose', 'jose-jwe-jws/dist/jose.min.js'].map(
      (dependency) => `@e2ee/core > ${dependency}`,
    ),
  },
  test: {
    ...TIMEOUTS,
    name: 'chromium',
    include: ['packages/core/src/**/*.test.ts', 'packages/fetch/src/**/*.browser.test.ts'],
    exclude: [...EXCLUDED, '**/*.node.test.ts'],
    // What a page fetches keys from.
    globalSetup: ['packages/core/test/key-server.ts', 'packages/fetch/test/page-bank.ts'],
    browser: {
      enabled: true,
      provider: playwright({ launchOptions: await launchOptions() }),
      instances: [{ browser: 'chromium' }],
      headless: true,
      isolate: false,
      screenshotFailures: false,
    },
  },
};

// Every core has a worker: many tests wait for sockets and clocks. Vitest's own choice leaves one core out.
export default defineConfig({ test: { projects: [packages, programs, chromium], maxWorkers: '100%' } });
