import { afterEach, expect, test, vi } from 'vitest';
import { decryptionKeyOf } from '../../test/keys-fixtures.js';
import { hearUnhandled } from '../../test/runtime.js';
import { RSA, type RsaPair } from '../../test/stored-keys.js';
import { createKeyRing } from './key-ring.js';
import { type KeyStore, memoryKeyStore } from './key-store.js';
import { remoteJwks } from './remote-jwks.js';

afterEach(() => {
  vi.useRealTimers();
});

test('keys of our own that are revoked at once all stay revoked', async () => {
  const keys = await Promise.all(['a', 'b', 'c'].map((kid, i) => decryptionKeyOf(RSA[i] as RsaPair, kid)));
  const ring = await createKeyRing({ keys });
  await Promise.all([ring.revoke('a'), ring.revoke('b')]);
  expect(ring.decryptionKeys().map(({ kid }) => kid)).toEqual(['c']);
  expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual(['c']);
  ring.close();
});

test('a store that does not keep a revocation is an error, not an endless loop', async () => {
  const store = memoryKeyStore();
  const forgetful: KeyStore = {
    read: store.read,
    update: (change) =>
      store.update(async (keys) => (await change(keys)).map(({ revokedAt, ...key }) => key)),
  };
  const ring = await createKeyRing({ store: forgetful });
  const [old] = ring.describe();
  await ring.rotate();
  await expect(ring.revoke(String(old?.kid))).rejects.toMatchObject({ code: 'key_invalid' });
  ring.close();
});

test('a ring that is opened after its key has expired publishes a fresh one at once', async () => {
  const store = { ...memoryKeyStore(), pollInterval: 500 };
  (await createKeyRing({ store })).close();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * 86_400_000 });
  const ring = await createKeyRing({ store });
  expect(ring.jwks().keys).toHaveLength(1);
  expect(Number(ring.jwks().keys[0]?.exp) * 1000).toBeGreaterThan(Date.now());
  ring.close();
});

test('a fetch that does not heed its signal ends at the deadline, and the next one is made', async () => {
  let calls = 0;
  const fetch = (): Promise<Response> => {
    calls += 1;
    return new Promise(() => {});
  };
  const keys = remoteJwks('https://keys.example/jwks', { fetch, timeout: 20 });
  await expect(keys.current()).rejects.toMatchObject({ code: 'keys_unavailable' });
  await keys.refresh();
  expect(calls).toBe(2);
});

test('a listener that fails later does not end the process', async () => {
  const unhandled = hearUnhandled();
  const onEvent = async (): Promise<void> => Promise.reject(new Error('listener'));
  const keys = remoteJwks('https://keys.example/jwks', {
    fetch: () => Promise.reject(new Error('down')),
    onEvent,
  });
  await expect(keys.current()).rejects.toMatchObject({ code: 'keys_unavailable' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  unhandled.stop();
  expect(unhandled.reasons).toEqual([]);
});
