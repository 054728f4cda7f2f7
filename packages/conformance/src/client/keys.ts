import {
  createKeyRing,
  decryptJwe,
  E2eeError,
  type EncryptionKey,
  type EncryptionKeys,
  importKey,
  type KeyRing,
  remoteJwks,
  staticKeys,
} from '@e2ee/core';

/** The keys of both parties. Made once for a file of tests: RSA keys take their time. */
export interface ClientKeys {
  /** The provider's keys: those that it has first, and those that it has after a rotation. */
  readonly provider: Readonly<Record<Generation, KeyRing>>;
  readonly published: Readonly<Record<Generation, EncryptionKey>>;
  /** The client's own. */
  readonly ring: KeyRing;
  /** What responses are encrypted to. */
  readonly client: EncryptionKey;
  /** The content of a token for the provider, and its protected header. */
  readonly open: (token: string) => Promise<{ text: string; header: object }>;
  /** The content of a token for the client. */
  readonly openOwn: (token: string) => Promise<string>;
}

export type Generation = 'first' | 'second';

export async function makeClientKeys(): Promise<ClientKeys> {
  const rings = await Promise.all([createKeyRing(), createKeyRing(), createKeyRing()]);
  const [first, second, ring] = rings;
  const keys = await Promise.all(rings.map(published));
  const [firstKey, secondKey, client] = keys as [EncryptionKey, EncryptionKey, EncryptionKey]; // one for each
  const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return {
    provider: { first, second },
    published: { first: firstKey, second: secondKey },
    ring,
    client,
    open: async (token) => {
      const opened = await Promise.any(
        [first, second].map((keyRing) => decryptJwe(token, keyRing, { tokenLength: 4_000_000 })),
      );
      return { text: textOf(opened.plaintext), header: opened.header };
    },
    openOwn: async (token) => textOf((await decryptJwe(token, ring)).plaintext),
  };
}

async function published(ring: KeyRing): Promise<EncryptionKey> {
  const key = await importKey(ring.jwks().keys[0] ?? {});
  if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  return key;
}

/** Where a client has the provider's keys from. */
export interface KeySource {
  readonly keys: EncryptionKeys;
  readonly close: () => void;
}

/** By name. `url` is where the provider publishes its keys. */
const SOURCES = {
  /** Fetched, as most clients do. */
  remote: (_, url) => fetched(url),
  /** Known beforehand. */
  static: ({ published }) => fixed(staticKeys(published.first)),
  /** Nobody listens there. */
  'out of reach': () => fetched('http://127.0.0.1:9/jwks.json'),
  expired: ({ published }) => fixed(staticKeys({ ...published.first, expiresAt: 1_700_000_000 })),
  broken: ({ published }) => fixed(only(broken(published.first))),
  'broken after a refresh': ({ published }) => fixed(inTurn([published.first, broken(published.second)])),
  'for another algorithm': ({ published }) =>
    fixed(only({ ...published.first, alg: 'ECDH-ES+A256KW' } as EncryptionKey)),
  'failing with an error of ours': () =>
    fixed({
      current: () => Promise.reject(new E2eeError('keys_unavailable', 'The keys cannot be had')),
      refresh: async () => {},
    }),
  'failing with any error': () =>
    fixed({ current: () => Promise.reject(new Error('down')), refresh: async () => {} }),
} satisfies Readonly<Record<string, (keys: ClientKeys, url: string) => KeySource>>;

export type KeySourceName = keyof typeof SOURCES;

export function keySource(name: KeySourceName, keys: ClientKeys, url: string): KeySource {
  return SOURCES[name](keys, url);
}

function fetched(url: string): KeySource {
  const keys = remoteJwks(url, { timeout: 500 });
  return { keys, close: () => keys.close() };
}

function fixed(keys: EncryptionKeys): KeySource {
  return { keys, close: () => {} };
}

function only(key: EncryptionKey): EncryptionKeys {
  return { current: async () => key, refresh: async () => {} };
}

/** Each refresh brings the next key. */
function inTurn(keys: EncryptionKey[]): EncryptionKeys {
  let at = 0;
  return {
    current: async () => keys[at] as EncryptionKey, // it stops at the last one
    refresh: async () => {
      at = Math.min(at + 1, keys.length - 1);
    },
  };
}

/** A key that looks like one, and with which nothing can be encrypted. */
function broken(key: EncryptionKey): EncryptionKey {
  return { ...key, publicKey: {} as EncryptionKey['publicKey'] };
}
