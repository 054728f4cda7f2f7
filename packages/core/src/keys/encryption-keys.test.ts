import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decryptionKeyOf, encryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { newestValidKey, staticKeys } from './encryption-keys.js';
import type { EncryptionKey, ImportedKey } from './key.js';

const [pair] = RSA;
const base = await encryptionKeyOf(pair);
const NOW = 1_700_000_000;

const key = (kid: string, times: Pick<EncryptionKey, 'issuedAt' | 'expiresAt'> = {}): EncryptionKey => ({
  ...base,
  kid,
  ...times,
});
const currentKid = async (...keys: EncryptionKey[]): Promise<string> =>
  (await staticKeys(keys).current()).kid;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('staticKeys', () => {
  it('takes one key or several', async () => {
    expect((await staticKeys(base).current()).kid).toBe(base.kid);
    expect(await currentKid(key('a'), key('b'))).toBe('a');
  });

  it('chooses the newest by issue time, wherever it stands', async () => {
    const [old, mid, young] = [
      key('old', { issuedAt: 1 }),
      key('mid', { issuedAt: 5 }),
      key('young', { issuedAt: 9 }),
    ];
    expect(await currentKid(old, mid, young)).toBe('young');
    expect(await currentKid(young, old, mid)).toBe('young');
  });

  it('chooses the first of those issued at the same time, and one with a time before those without', async () => {
    expect(await currentKid(key('a', { issuedAt: 5 }), key('b', { issuedAt: 5 }))).toBe('a');
    expect(await currentKid(key('a'), key('b', { issuedAt: 5 }), key('c'))).toBe('b');
    expect(await currentKid(key('a'), key('b', { issuedAt: -5 }))).toBe('b');
  });

  it('passes over expired keys, also newer ones', async () => {
    const expired = key('newer', { issuedAt: 9, expiresAt: NOW - 1 });
    expect(await currentKid(expired, key('valid', { issuedAt: 1, expiresAt: NOW + 1 }))).toBe('valid');
  });

  it('passes over keys from the future, unless there is no other', async () => {
    const soon = key('soon', { issuedAt: NOW + 1 });
    expect(await currentKid(soon, key('now', { issuedAt: NOW }))).toBe('now');
    expect(await currentKid(soon, key('timeless'))).toBe('timeless');
    expect(await currentKid(soon, key('expired', { issuedAt: 1, expiresAt: NOW }))).toBe('soon');
  });

  it('looks at the clock at each use: a key is over at the very second of its expiry', async () => {
    const keys = staticKeys([
      key('first', { issuedAt: 2, expiresAt: NOW + 10 }),
      key('second', { expiresAt: NOW + 20 }),
    ]);
    expect((await keys.current()).kid).toBe('first');
    vi.setSystemTime((NOW + 10) * 1000 - 1);
    expect((await keys.current()).kid).toBe('first');
    vi.setSystemTime((NOW + 10) * 1000);
    expect((await keys.current()).kid).toBe('second');
    vi.setSystemTime((NOW + 20) * 1000);
    expect(await errorOf(keys.current())).toMatchObject({ code: 'keys_unavailable', status: 503 });
  });

  it('has nothing to refresh, and stays as it was', async () => {
    const keys = staticKeys(base);
    await expect(keys.refresh()).resolves.toBeUndefined();
    expect(Object.isFrozen(keys)).toBe(true);
    const list = [base];
    const listed = staticKeys(list);
    list.pop();
    expect((await listed.current()).kid).toBe(base.kid);
  });

  it('refuses a private key, no key, and what is not a key', async () => {
    const privateKey = await decryptionKeyOf(pair);
    const notKeys = [privateKey, [base, privateKey], [], undefined, null, {}, 'PEM', [undefined]];
    for (const value of notKeys) {
      expect(await errorOf(() => staticKeys(value as ImportedKey))).toMatchObject({ code: 'key_invalid' });
    }
  });
});

describe('newestValidKey', () => {
  it('finds nothing among no keys, or expired ones', () => {
    expect(newestValidKey([])).toBeUndefined();
    expect(newestValidKey([key('a', { expiresAt: NOW })])).toBeUndefined();
    expect(newestValidKey([key('a', { expiresAt: NOW })], (NOW - 1) * 1000)?.kid).toBe('a');
  });
});
