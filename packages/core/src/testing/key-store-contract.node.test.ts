import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { fileKeyStore } from '../keys/file-key-store.node.js';
import type { KeyStore } from '../keys/key-store.js';
import { keyStoreContract } from './key-store-contract.js';

const directories: string[] = [];

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

/** A new directory, and what opens a store in it. */
async function openFiles(passphrase?: string): Promise<() => KeyStore> {
  const directory = await mkdtemp(join(tmpdir(), 'e2ee-contract-'));
  directories.push(directory);
  return () => fileKeyStore(directory, passphrase === undefined ? {} : { passphrase });
}

describe.each([
  ['files', undefined],
  ['encrypted files', 'a passphrase'],
])('the %s store', (_, passphrase) => {
  test.each(keyStoreContract)('$name', async ({ run }) => {
    await run(await openFiles(passphrase));
  });
});
