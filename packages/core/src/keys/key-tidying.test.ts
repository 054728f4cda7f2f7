import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fileKeyStore } from './file-key-store.node.js';
import { createKeyRing } from './key-ring.js';
import { memoryKeyStore } from './key-store.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-tidying-'));
});

afterAll(() => rm(directory, { recursive: true }));

test('the bytes of a key leave the store when its grace is over', async () => {
  const store = { ...memoryKeyStore(), pollInterval: 20 };
  const ring = await createKeyRing({ store, grace: 0.05 });
  const [before] = ring.describe();
  await ring.rotate();
  await vi.waitFor(async () => {
    const old = (await store.read()).find(({ kid }) => kid === before?.kid);
    expect(old).toBeDefined();
    expect(old).not.toHaveProperty('pkcs8');
  });
  expect(ring.describe().map(({ state }) => state)).toEqual(['active', 'retired']);
  ring.close();
});

test('opening a ring removes what a killed process has left', async () => {
  const store = fileKeyStore(directory);
  (await createKeyRing({ store })).close();
  const draft = join(directory, '.keyring-left.draft');
  await writeFile(draft, 'half a file', { mode: 0o600 });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(draft, longAgo, longAgo);
  (await createKeyRing({ store: fileKeyStore(directory) })).close();
  expect(await readdir(directory)).toEqual(['keyring-1.json']);
});
