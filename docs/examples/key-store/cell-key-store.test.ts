import { createKeyRing } from '@e2ee/core';
import { keyStoreContract } from '@e2ee/core/testing';
import { describe, expect, test } from 'vitest';
import { cellKeyStore } from './cell-key-store.js';
import { memoryCell } from './memory-cell.js';

describe('a store of one cell', () => {
  test.each(keyStoreContract)('$name', async ({ run }) => {
    const cell = memoryCell();
    await run(() => cellKeyStore(cell));
  });

  test('is shared by rings that rotate at the same time: there is one new key, and every ring has it', async () => {
    const cell = memoryCell();
    const open = () => createKeyRing({ store: cellKeyStore(cell, { pollInterval: 20 }) });
    const rings = await Promise.all([open(), open()]);
    const made = await Promise.all(rings.map((ring) => ring.rotate()));
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
    for (const ring of rings) {
      expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual([made[0]?.kid]);
      expect(ring.describe().map(({ state }) => state)).toEqual(['active', 'retiring']);
      ring.close();
    }
  });
});
