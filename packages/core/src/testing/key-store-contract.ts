import { exportPKCS8, generateKeyPair } from 'jose';
import type { KeyStore, StoredKey } from '../keys/key-store.js';

/** One thing that a key store must do. */
export interface KeyStoreCase {
  /** A sentence: the title of a test. */
  readonly name: string;
  /**
   * Rejects with an `Error` saying what is wrong. `open` opens the same, empty storage each time it is called, as
   * processes that share a store do.
   */
  readonly run: (open: () => KeyStore | Promise<KeyStore>) => Promise<void>;
}

/**
 * What every key store must do, for any test runner. Each case needs a storage of its own.
 *
 * @example
 * for (const { name, run } of keyStoreContract) {
 *   test(name, async () => {
 *     const directory = await mkdtemp(join(tmpdir(), 'keys-'))
 *     await run(() => fileKeyStore(directory))
 *   })
 * }
 */
export const keyStoreContract: readonly KeyStoreCase[] = [
  {
    name: 'an empty store holds no keys',
    run: async (open) => same(await (await open()).read(), [], 'read()'),
  },
  {
    name: 'what is written is read again, exactly, by whoever shares the store',
    run: async (open) => {
      const retiring = {
        ...(await key('b')),
        replacedAt: 1_763_784_000.123,
        decryptsUntil: 1_763_871_300.123,
      };
      const revoked = { ...withoutBytes('c'), alg: 'ECDH-ES+A256KW', revokedAt: 1_763_784_000.456 } as const;
      const keys = [await key('a'), retiring, revoked, withoutBytes('d')];
      same(await (await open()).update(async () => keys), keys, 'what update() resolves to');
      same(await (await open()).read(), keys, 'read()');
    },
  },
  {
    name: 'a change is given what is stored',
    run: async (open) => {
      await (await open()).update(async () => [await key('a')]);
      let given: readonly StoredKey[] = [];
      await (await open()).update(async (keys) => {
        given = keys;
        return keys;
      });
      same(given, [await key('a')], 'what the change is given');
    },
  },
  {
    name: 'a change that returns what it was given changes nothing',
    run: async (open) => {
      const written = [await key('a'), await key('b')];
      await (await open()).update(async () => written);
      for (const store of [await open(), await open()])
        same(await store.update(async (keys) => keys), written, 'what update() resolves to');
      same(await (await open()).read(), written, 'read()');
    },
  },
  {
    name: 'a change that fails changes nothing, and its error goes through',
    run: async (open) => {
      const store = await open();
      await store.update(async () => [await key('a')]);
      const failure = new Error('no');
      const error = await store.update(() => Promise.reject(failure)).catch((reason: unknown) => reason);
      if (error !== failure) throw new Error('update() must reject with what the change rejects with');
      same(await (await open()).read(), [await key('a')], 'read() after a failed change');
      same(
        await store.update(async (keys) => [...keys, await key('b')]),
        [await key('a'), await key('b')],
        'update() after a failed change',
      );
    },
  },
  {
    name: 'of many changes at once none is lost, and each is applied once',
    run: async (open) => {
      const stores = [await open(), await open(), await open()];
      const kids = Array.from({ length: 12 }, (_, i) => String(i));
      await Promise.all(
        kids.map((kid, i) => stores[i % stores.length]?.update(async (keys) => [...keys, await key(kid)])),
      );
      const found = (await (await open()).read()).map(({ kid }) => kid);
      same(found.toSorted(), kids.toSorted(), 'the keys after 12 changes at once');
    },
  },
  {
    name: 'keys that a change leaves out are gone',
    run: async (open) => {
      await (await open()).update(async () => [await key('a'), await key('b')]);
      await (await open()).update(async (keys) => keys.filter(({ kid }) => kid !== 'a'));
      same(await (await open()).read(), [await key('b')], 'read()');
    },
  },
];

let pkcs8: Promise<string> | undefined;

/** A key as a ring makes it. The bytes are the same in all. */
async function key(kid: string): Promise<StoredKey> {
  pkcs8 ??= generateKeyPair('RSA-OAEP-256', { extractable: true }).then(({ privateKey }) =>
    exportPKCS8(privateKey),
  );
  return { ...withoutBytes(kid), pkcs8: await pkcs8 };
}

function withoutBytes(kid: string): StoredKey {
  return {
    kid,
    alg: 'RSA-OAEP-256',
    createdAt: 1_763_784_000.789,
    publishAt: 1_763_784_002.789,
    expiresAt: 1_766_376_002.789,
  };
}

function same(actual: readonly unknown[], expected: readonly unknown[], what: string): void {
  if (normal(actual) === normal(expected)) return;
  // Counts only: the keys must not end in the log of a test.
  throw new Error(
    `${what} must be the ${expected.length} keys that were written; it is ${actual.length}, or others`,
  );
}

/** JSON with members in one order, and without the line break at the end of a PEM text. */
function normal(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (typeof item === 'string') return item.trim();
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
