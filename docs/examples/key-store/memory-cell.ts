import type { Cell } from './cell-key-store.js';

/** Stands in for a database in tests: each call takes a moment, and others may come between two calls. */
export function memoryCell(): Cell {
  let [text, version] = ['', 0];
  const moment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    read: async () => {
      await moment();
      return version === 0 ? undefined : { text, version: String(version) };
    },
    write: async (changed, expected) => {
      await moment();
      if (expected !== (version === 0 ? undefined : String(version))) return false;
      [text, version] = [changed, version + 1];
      return true;
    },
  };
}
