import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileKeyStore } from './file-key-store.node.js';
import { createKeyRing } from './key-ring.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-tidying-'));
});

afterAll(() => rm(directory, { recursive: true }));

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
