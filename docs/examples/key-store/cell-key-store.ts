import type { KeyStore, StoredKey } from '@e2ee/core';

/** One text with a version: a row of Postgres, a Redis key under WATCH, an entry of etcd or DynamoDB. */
export interface Cell {
  /** Nothing when it was never written. */
  read(): Promise<{ readonly text: string; readonly version: string } | undefined>;
  /** Writes only if the version is still the one that was read. Resolves to whether it did. */
  write(text: string, version: string | undefined): Promise<boolean>;
}

export function cellKeyStore(cell: Cell, { pollInterval = 2_000 } = {}): KeyStore {
  const parse = (found?: { text: string }): readonly StoredKey[] => {
    try {
      return found ? JSON.parse(found.text) : [];
    } catch {
      throw new Error('The stored keys are damaged'); // JSON.parse would quote them
    }
  };
  return {
    pollInterval,
    read: async () => parse(await cell.read()),
    update: async (change) => {
      for (;;) {
        const found = await cell.read();
        const keys = parse(found);
        const changed = await change(keys);
        if (changed === keys) return keys;
        if (await cell.write(JSON.stringify(changed), found?.version)) return changed;
        // Another process was faster: once more, with what it wrote.
      }
    },
  };
}
