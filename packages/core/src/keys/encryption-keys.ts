import { E2eeError } from '../errors.js';
import { asEncryptionKey, type EncryptionKey, type ImportedKey } from './key.js';

/** Where the other party's public keys come from: {@link staticKeys}, {@link remoteJwks}, or your own. */
export interface EncryptionKeys {
  /**
   * The key to encrypt to now: the newest valid one. Rejects with `keys_unavailable` when there is none; never resolves
   * to an expired key.
   */
  current(): Promise<EncryptionKey>;
  /**
   * The peer said that it does not know the key in use: look for another one. Resolves when that has been tried (or was
   * tried too recently), whether or not the key changed; never rejects.
   */
  refresh(): Promise<void>;
}

/**
 * Keys that are known beforehand. Of several, the newest valid one by its issue time is used; without times, the first.
 *
 * Throws `key_invalid` for a private key, or for none at all.
 *
 * @example
 * const encryptionKeys = staticKeys(await importKey(await readFile('bank-public.pem')))
 */
export function staticKeys(keyOrKeys: ImportedKey | readonly ImportedKey[]): EncryptionKeys {
  const keys = [keyOrKeys].flat().map(asEncryptionKey);
  if (keys.length === 0) throw new E2eeError('key_invalid', 'staticKeys() needs at least one key');
  return Object.freeze({
    current: async () => newestValidKey(keys) ?? unavailable('Every encryption key has expired'),
    refresh: async () => {},
  });
}

/**
 * The key to use among several, or none when all have expired: of those whose time has come, the one issued last. `now`
 * is in milliseconds since the epoch. A key from the future is used only when there is no other: clocks differ.
 */
export function newestValidKey(
  keys: readonly EncryptionKey[],
  now: number = Date.now(),
): EncryptionKey | undefined {
  const issued = (key: EncryptionKey): number => key.issuedAt ?? Number.NEGATIVE_INFINITY;
  const valid = keys.filter((key) => key.expiresAt === undefined || key.expiresAt * 1000 > now);
  const begun = valid.filter((key) => issued(key) * 1000 <= now);
  return (begun.length > 0 ? begun : valid).reduce<EncryptionKey | undefined>(
    (best, key) => (best && issued(best) >= issued(key) ? best : key),
    undefined,
  );
}

export function unavailable(message: string, cause?: unknown): never {
  throw new E2eeError('keys_unavailable', message, { cause });
}
