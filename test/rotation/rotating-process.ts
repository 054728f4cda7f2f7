import { readFile } from 'node:fs/promises';
import { createKeyRing, type PublishedJwk } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import type { RsaJwk } from './quick-keys.js';

/*
 * Changes a key store without end, until it is killed. Tells its parent what it has published, and what it revokes.
 */

export interface Settings {
  readonly directory: string;
  readonly passphrase?: string;
  /** A JSON file of private keys, and which of them are for this process. */
  readonly keyFile: string;
  readonly keys: readonly [from: number, to: number];
}

export type Report =
  | { type: 'opening' }
  | { type: 'published'; keys: readonly PublishedJwk[] }
  | { type: 'revoking' | 'revoked'; kid: string }
  | { type: 'failed'; why: string };

const say = (report: Report): void => void process.send?.(report);

/** Making a key takes hundreds of milliseconds, and writing it a few: most kills are to come in the middle of a write. */
async function useQuickKeys({ keyFile, keys }: Settings): Promise<void> {
  const spare: RsaJwk[] = JSON.parse(await readFile(keyFile, 'utf8')).slice(...keys);
  const { subtle } = crypto;
  const slow = subtle.generateKey.bind(subtle) as (...args: readonly unknown[]) => Promise<unknown>;
  const quick = async (...args: readonly unknown[]): Promise<unknown> => {
    const jwk = spare.shift();
    if (!jwk) return slow(...args);
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
    const publicJwk = { kty: jwk.kty, n: jwk.n, e: jwk.e };
    return {
      publicKey: await subtle.importKey('jwk', publicJwk, algorithm, true, ['encrypt']),
      privateKey: await subtle.importKey('jwk', jwk, algorithm, true, ['decrypt']),
    };
  };
  Object.defineProperty(subtle, 'generateKey', { value: quick });
}

async function run(settings: Settings): Promise<void> {
  const { directory, passphrase } = settings;
  await useQuickKeys(settings);
  const store = fileKeyStore(directory, { pollInterval: 5, ...(passphrase !== undefined && { passphrase }) });
  say({ type: 'opening' });
  const ring = await createKeyRing({ store });
  const publish = (): void => say({ type: 'published', keys: ring.jwks().keys });
  publish();
  for (let turn = 1; ; turn += 1) {
    await ring.rotate();
    publish();
    for (let i = 0; i < 3; i += 1) await store.update(async (keys) => [...keys]); // a version, of the same keys
    const kids = ring.decryptionKeys().map(({ kid }) => kid);
    const kid = turn % 2 === 0 ? kids[0] : kids[5];
    if (kid === undefined) continue;
    say({ type: 'revoking', kid });
    await ring.revoke(kid);
    say({ type: 'revoked', kid });
    publish();
  }
}

process.on('disconnect', () => process.exit());
run(JSON.parse(process.argv[2] ?? '{}')).catch((error: unknown) =>
  say({ type: 'failed', why: String(error) }),
);
