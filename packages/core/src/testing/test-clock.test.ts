import { afterEach, expect, test } from 'vitest';
import { createE2eeClient } from '../exchange/client.js';
import { memoryReplayStore } from '../exchange/replay.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { remoteJwks } from '../keys/remote-jwks.js';
import type { Profile } from '../profiles/profile.js';
import { strict } from '../profiles/strict.js';
import { publicKeysOf } from './public-keys.js';
import { type TestClock, testClock } from './test-clock.js';
import { createTestProvider } from './test-provider.js';

const NOW = '2027-01-01T00:00:00.000Z';
/** With keys that take no time to make. */
const curve: Profile = { ...strict, encrypt: { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' } };
let clock: TestClock | undefined;

afterEach(() => clock?.restore());

function started(): TestClock {
  clock = testClock({ now: NOW });
  return clock;
}

test('time stands still until it is moved, for Date and performance alike', async () => {
  const { advance } = started();
  const before = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([Date.now(), new Date().toISOString()]).toEqual([Date.parse(NOW), NOW]);
  expect(performance.now()).toBe(before);
  advance(1.5);
  expect(new Date().toISOString()).toBe('2027-01-01T00:00:01.500Z');
  expect(performance.now()).toBe(before + 1500);
});

test('dates of their own time stay what they are', () => {
  started();
  expect(new Date(0).getTime()).toBe(0);
  expect(new Date(2027, 0).getMonth()).toBe(0);
  expect(Date.UTC(1970, 0)).toBe(0);
  expect(new Date()).toBeInstanceOf(Date);
  expect(Date()).toContain('2027');
});

test('set() moves the wall clock, to and fro, and not the monotonic one', () => {
  const made = started();
  const before = performance.now();
  made.set(0);
  expect([made.now, Date.now(), performance.now()]).toEqual([0, 0, before]);
});

test('restore() gives the real clocks back, and another one can be made', () => {
  const real = [globalThis.Date, performance.now];
  started().restore();
  expect([globalThis.Date, performance.now]).toEqual(real);
  expect(Date.now()).not.toBe(Date.parse(NOW));
  started();
  expect(() => testClock()).toThrow('restore()');
});

test('a clock that was restored leaves a later one alone', () => {
  const first = started();
  first.restore();
  const real = globalThis.Date;
  started();
  first.restore();
  expect(Date.now()).toBe(Date.parse(NOW));
  expect(() => testClock()).toThrow('restore()');
  clock?.restore();
  expect(globalThis.Date).toBe(real);
});

test('what is no time is refused, and changes nothing', () => {
  expect(() => testClock({ now: 'soon' })).toThrow(TypeError);
  expect(() => started().advance(-1)).toThrow(TypeError);
  for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, '60' as never])
    expect(() => clock?.advance(seconds)).toThrow(TypeError);
  expect(Date.now()).toBe(Date.parse(NOW));
});

test('a key ring follows it: keys are replaced in time, and retired keys decrypt no more', async () => {
  const { advance } = started();
  const keyRing = await createKeyRing({ alg: 'ECDH-ES', lifetime: 3600, grace: 60 });
  const [{ kid = '' } = {}] = keyRing.jwks().keys;
  advance(3599);
  await keyRing.rotateIfDue();
  expect(keyRing.jwks().keys[0]?.kid).not.toBe(kid);
  expect(keyRing.find(kid)).toBeDefined();
  advance(61 + 3600);
  expect(keyRing.find(kid)).toBeUndefined();
  keyRing.close();
});

test('a remote JWKS follows it: it is fetched again when its time is over', async () => {
  const { advance } = started();
  const provider = await createTestProvider({ profile: curve });
  let fetches = 0;
  const keys = remoteJwks(`https://api.example.com${strict.publication.path}`, {
    algs: ['ECDH-ES+A256KW'],
    fetch: (input, init) => {
      fetches += 1;
      return provider.fetch(input, init);
    },
  });
  await keys.current();
  await keys.current();
  expect(fetches).toBe(1);
  expect(keys.status().state).toBe('fresh');
  advance(strict.publication.maxAge + 1);
  expect(keys.status().state).toBe('stale');
  await keys.current();
  expect(fetches).toBe(2);
});

test('bindings follow it: a token is refused when its time is over', async () => {
  const { advance } = started();
  const policy = { 'POST /pay': { card: { request: 'encrypt' } } } as const;
  const provider = await createTestProvider({ profile: curve, policy, replay: false });
  provider.handle('POST /pay', () => ({ status: 201 }));
  const client = createE2eeClient({ profile: curve, policy, encryptionKeys: provider.encryptionKeys });
  const sent = await client.encryptRequest({
    method: 'POST',
    path: '/pay',
    headers: {},
    body: { card: '4242' },
  });
  expect((await provider.send(sent)).status).toBe(201);
  advance(3600);
  expect(await provider.send(sent)).toMatchObject({ status: 400 });
});

test('replay stores and the expiry of keys follow it', async () => {
  const { advance } = started();
  const store = memoryReplayStore();
  const until = Date.now() / 1000 + 60;
  expect([store.add('a', until), store.add('a', until)]).toEqual([true, false]);
  const keyRing = await createKeyRing({ alg: 'ECDH-ES', lifetime: 60 });
  const keys = publicKeysOf(keyRing);
  const fixed = staticKeys({ ...(await keys.current()) });
  advance(120);
  expect(store.add('a', until + 120)).toBe(true);
  await expect(fixed.current()).rejects.toMatchObject({ code: 'keys_unavailable' });
  keyRing.close();
});
