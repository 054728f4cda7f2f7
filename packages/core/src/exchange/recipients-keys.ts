import type { JWK } from 'jose';
import { E2eeError, invalidOption } from '../errors.js';
import { type EncryptionKeys, staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import { asEncryptionKey, type EncryptionKey } from '../keys/key.js';

/** A public key as a partner hands it in: PEM of PKCS#1, SPKI or a certificate, or a JWK. */
export type PublicKeySource = string | JWK;

/** A public key with the time in which it is used. A time is ISO 8601, or seconds since the epoch. */
export interface TimedKey {
  readonly key: PublicKeySource;
  /** Until then, the keys before it are used. */
  readonly from?: string | number | undefined;
  /** From then on it is not used any more. */
  readonly until?: string | number | undefined;
}

/** One key, or several. */
export type HandedKeys = PublicKeySource | readonly (PublicKeySource | TimedKey)[];

/** Reads the keys of a recipient. Rejects with `key_invalid`, naming the recipient. */
export async function handedKeys(id: string, keys: HandedKeys): Promise<EncryptionKeys> {
  const list: readonly (PublicKeySource | TimedKey)[] = Array.isArray(keys) ? keys : [keys];
  try {
    return staticKeys(await Promise.all(list.map(timedKey)));
  } catch (error) {
    const why = error instanceof E2eeError ? error.message : 'it is malformed';
    throw new E2eeError('key_invalid', `A key of recipient \`${id}\` cannot be used: ${why}`, {
      cause: error,
    });
  }
}

async function timedKey(source: PublicKeySource | TimedKey): Promise<EncryptionKey> {
  if (typeof source === 'string' || !('key' in source)) return asEncryptionKey(await importKey(source));
  const { key, from, until } = source as TimedKey; // a JWK has no member `key`
  return {
    ...asEncryptionKey(await importKey(key)),
    ...(from !== undefined && { issuedAt: seconds('from', from) }),
    ...(until !== undefined && { expiresAt: seconds('until', until) }),
  };
}

/** A number beyond the year 9999 is one of milliseconds. */
const LAST_SECOND = 253_402_300_799;

function seconds(option: string, time: string | number): number {
  const value = typeof time === 'number' ? time : Date.parse(time) / 1000;
  return Math.abs(value) <= LAST_SECOND
    ? value
    : invalidOption(option, 'ISO 8601, or seconds since the epoch', time);
}
