import { defineConfig } from 'vitest/config';

/** What tests of the core hold properties: files of their own, and files that have them among other tests. */
const PROPERTIES = [
  '**/*.properties',
  'exchange/round-trip',
  'fields/{depth,encoding,path,redact,select}',
  'jwe/{base64url,decrypt,encrypt}',
  'keys/import-key',
  'logging/log-serializers',
  'policy/{operation-path,policy.node}',
];

/** `pnpm nightly:properties`: every property of the core 10,000 times, from another seed each night. */
export default defineConfig({
  // As in the root's vitest.config.ts: Vite's own conditions for servers, and the source of workspace packages.
  ssr: { resolve: { conditions: ['@e2ee/source', 'module', 'node'] } },
  test: {
    include: PROPERTIES.map((name) => `packages/core/src/${name}.test.ts`),
    provide: { propertyRuns: 10_000 },
    testTimeout: 60 * 60_000,
    hookTimeout: 60_000,
  },
});
