import { calculateJwkThumbprint, type JWK } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { derOf, fromBase64url, utf8 } from '../../test/bytes.js';
import {
  decryptionKeyOf,
  encryptionKeyOf,
  errorOf,
  everythingOf,
  secretsOf,
} from '../../test/keys-fixtures.js';
import { isBun, nextTurn } from '../../test/runtime.js';
import { RSA } from '../../test/stored-keys.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import type { PublishedJwk } from './held-keys.js';
import { importKey } from './import-key.js';
import type { ImportedKey } from './key.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import type { KeyRingEvent } from './key-ring-events.js';
import type { KeyRingOptions } from './key-ring-options.js';
import { type KeyStore, memoryKeyStore, type StoredKey } from './key-store.js';
import { makeKey } from './make-key.js';

vi.mock('jose', async (importOriginal) => {
  const { reusingKeyPairs } = await import('../../test/keys-pool.js');
  return reusingKeyPairs(await importOriginal());
});

const [pair, second] = RSA;
const START = 1_700_000_000;
const DAY = 86_400;

const rings: KeyRing[] = [];
afterEach(() => {
  for (const ring of rings.splice(0)) ring.close();
  vi.useRealTimers();
});

async function open(options: KeyRingOptions = {}): Promise<KeyRing> {
  const ring = await createKeyRing(options);
  rings.push(ring);
  return ring;
}

function published(ring: KeyRing): PublishedJwk {
  const [jwk, ...others] = ring.jwks().keys;
  expect(others).toEqual([]);
  if (!jwk) throw new Error('nothing is published');
  return jwk;
}

const kidOf = (ring: KeyRing): string => String(published(ring).kid);
const states = (ring: KeyRing): Record<string, string> =>
  Object.fromEntries(ring.describe().map(({ kid, state }) => [kid, state]));

async function tokenFor(ring: KeyRing): Promise<string> {
  return encryptJwe(utf8('x'), await importKey(published(ring)));
}

function stopClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: START * 1000 });
}

describe('a new ring', () => {
  it('makes its first key by itself, and publishes its public members only', async () => {
    const before = Math.floor(Date.now() / 1000);
    const ring = await open();
    const jwk = published(ring);
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'e', 'exp', 'iat', 'kid', 'kty', 'n', 'use']);
    expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RSA-OAEP-256', use: 'enc', e: 'AQAB' });
    expect(fromBase64url(String(jwk.n))).toHaveLength(256);
    expect(jwk.kid).toBe(await calculateJwkThumbprint(jwk));
    expect(jwk.iat).toBeGreaterThanOrEqual(before);
    expect(Number(jwk.exp) - Number(jwk.iat)).toBe(30 * DAY);
    expect((await decryptJwe(await tokenFor(ring), ring)).kid).toBe(jwk.kid);
  });

  it('makes keys of the size that is asked for, and expiring as asked', async () => {
    const jwk = published(await open({ modulusLength: 2176, lifetime: 7 * DAY }));
    expect(fromBase64url(String(jwk.n))).toHaveLength(272);
    expect(Number(jwk.exp) - Number(jwk.iat)).toBe(7 * DAY);
  });

  it('may name its keys by the time, each one differently', async () => {
    stopClock();
    const ring = await open({ kid: 'timestamp' });
    expect(kidOf(ring)).toBe(String(START));
    await ring.rotate();
    expect(kidOf(ring)).toBe(String(START + 1));
  });

  it('takes the keys of its store, and makes none', async () => {
    const store = memoryKeyStore();
    const first = await open({ store });
    const token = await tokenFor(first);
    const [stored] = await store.read();
    const again = await open({ store });
    expect(await store.read()).toEqual([stored]);
    expect((await decryptJwe(token, again)).kid).toBe(kidOf(first));
  });

  it('shares its first key with a ring that opens at the same time', async () => {
    const store = memoryKeyStore();
    const [a, b] = await Promise.all([open({ store }), open({ store })]);
    expect(await store.read()).toHaveLength(1);
    expect(kidOf(a)).toBe(kidOf(b));
  });

  it.skipIf(isBun)('makes keys off the event loop', async () => {
    let turns = 0;
    let isMade = false;
    const made = makeKey({ alg: 'RSA-OAEP-256', crv: 'P-256', modulusLength: 2176 }).finally(() => {
      isMade = true;
    });
    while (!isMade) {
      await nextTurn();
      turns += 1;
    }
    await made;
    expect(turns).toBeGreaterThan(10); // made on the loop, it would take one or two
  });

  it('looks keys up without asking its store', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const kid = kidOf(ring);
    const calls = [vi.spyOn(store, 'read'), vi.spyOn(store, 'update')];
    for (let i = 0; i < 1000; i += 1)
      expect([ring.find(kid), ring.jwks().keys.length]).toEqual([expect.anything(), 1]);
    for (const call of calls) expect(call).not.toHaveBeenCalled();
  });

  it('hands out copies: what a caller changes is not published', async () => {
    const ring = await open({ keys: await decryptionKeyOf(pair) });
    const { keys } = ring.jwks();
    Object.assign(keys[0] ?? {}, { n: 'AAAA' });
    keys.pop();
    ring.describe().pop();
    expect(published(ring).n).toBe(pair.publicJwk.n);
  });
});

describe('rotate', () => {
  it('publishes a new key, and the one before decrypts until its grace is over', async () => {
    stopClock();
    const ring = await open({ grace: 100 });
    const old = kidOf(ring);
    const token = await tokenFor(ring);
    vi.setSystemTime((START + 1000) * 1000);
    const made = await ring.rotate();
    expect(kidOf(ring)).toBe(made.kid);
    expect(made).toMatchObject({ state: 'active', createdAt: new Date((START + 1000) * 1000).toISOString() });
    expect(made.kid).not.toBe(old);
    expect(states(ring)).toEqual({ [made.kid]: 'active', [old]: 'retiring' });
    expect(ring.decryptionKeys().map(({ kid }) => kid)).toEqual([made.kid, old]);

    vi.setSystemTime((START + 1100) * 1000 - 1);
    expect((await decryptJwe(token, ring)).kid).toBe(old);
    vi.setSystemTime((START + 1100) * 1000);
    expect(ring.find(old)).toBeUndefined();
    expect(states(ring)).toEqual({ [made.kid]: 'active', [old]: 'retired' });
    expect(await errorOf(decryptJwe(token, ring))).toMatchObject({ code: 'key_rejected' });
  });

  it('called 100 times at once makes one key', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const made = await Promise.all(Array.from({ length: 100 }, () => ring.rotate()));
    expect(new Set(made.map(({ kid }) => kid))).toEqual(new Set([kidOf(ring)]));
    expect(await store.read()).toHaveLength(2);
  });

  it('called in two rings on one store at once makes one key', async () => {
    const store = memoryKeyStore();
    const [a, b] = [await open({ store }), await open({ store })];
    const [one, other] = await Promise.all([a.rotate(), b.rotate()]);
    expect(one.kid).toBe(other.kid);
    expect(kidOf(a)).toBe(kidOf(b));
    expect(await store.read()).toHaveLength(2);
  });

  it('makes one key also in a store that must try a change again after it was written', async () => {
    const memory = memoryKeyStore();
    const store: KeyStore = {
      ...memory,
      update: async (change) => memory.update(change).then(() => memory.update(change)),
    };
    const ring = await open({ store });
    const { kid } = await ring.rotate();
    expect((await store.read()).map((key) => key.kid)).toEqual([kid, expect.any(String)]);
    expect(kidOf(ring)).toBe(kid);
  });

  it('works on a clock that stands still, or is set back in between', async () => {
    stopClock();
    const ring = await open();
    const { kid } = await ring.rotate();
    expect(kidOf(ring)).toBe(kid);
    vi.setSystemTime((START - DAY) * 1000);
    const made = await ring.rotate();
    expect(made.state).toBe('active');
    expect([made.kid, kidOf(ring)]).not.toContain(kid);
  });

  it('makes two keys when it is called twice, one after the other', async () => {
    const ring = await open();
    const kids = [kidOf(ring), (await ring.rotate()).kid, (await ring.rotate()).kid];
    expect(new Set(kids).size).toBe(3);
    for (const kid of kids) expect(ring.find(kid)).toBeDefined();
  });

  it('leaves the ring as it was when the store fails, and works the next time', async () => {
    const memory = memoryKeyStore();
    let broken = false;
    const disk = new Error('disk full');
    const store: KeyStore = {
      ...memory,
      update: (change) => (broken ? Promise.reject(disk) : memory.update(change)),
    };
    const ring = await open({ store });
    const kid = kidOf(ring);
    broken = true;
    expect(await errorOf(ring.rotate())).toBe(disk);
    expect(await errorOf(ring.revoke(kid))).toBe(disk);
    expect(kidOf(ring)).toBe(kid);
    broken = false;
    expect((await ring.rotate()).kid).toBe(kidOf(ring));
    expect(kidOf(ring)).not.toBe(kid);
  });

  it('says so when the store loses the new key', async () => {
    const memory = memoryKeyStore();
    const ring = await open({
      store: { ...memory, update: (change) => memory.update(change).then(() => memory.read()) },
    });
    const forgetful = await open({ store: { ...memory, update: async () => memory.read() } });
    expect(await errorOf(forgetful.rotate())).toMatchObject({ code: 'key_invalid' });
    expect(kidOf(forgetful)).toBe(kidOf(ring));
  });
});

describe('in a store that processes share', () => {
  const shared = (): KeyStore => ({ ...memoryKeyStore(), pollInterval: 25 });

  it('what is published can be decrypted by every process at every instant of a rotation', async () => {
    const store = shared();
    const all = [await open({ store, grace: 60 }), await open({ store, grace: 60 })];
    const [a, b] = all as [KeyRing, KeyRing]; // two were just opened
    const before = kidOf(a);
    let done = false;
    const rotated = Promise.all([a.rotate(), b.rotate()]).finally(() => {
      done = true;
    });
    const seen = new Set<string>();
    while (!done) {
      for (const publisher of all) {
        const kid = kidOf(publisher);
        seen.add(kid);
        for (const ring of all) expect(ring.find(kid), `${kid} is published but not held`).toBeDefined();
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const [made] = await rotated;
    expect(made.state).toBe('active');
    expect([kidOf(a), kidOf(b)]).toEqual([made.kid, made.kid]);
    expect(seen).toContain(before); // the new one was not published at once
  });

  it('a rotation joins one of another process that is on its way to publication', async () => {
    const store = shared();
    const [a, b] = [await open({ store }), await open({ store })];
    const first = a.rotate();
    while ((await store.read()).length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    const [one, other] = await Promise.all([first, b.rotate()]);
    expect(other.kid).toBe(one.kid);
    expect(await store.read()).toHaveLength(2);
  });

  it('a rotation and a revocation reach the other process without a call', async () => {
    const store = shared();
    const [a, b] = [await open({ store }), await open({ store })];
    const old = kidOf(a);
    const { kid } = await a.rotate();
    expect(kidOf(b)).toBe(kid);
    await a.revoke(old);
    await vi.waitFor(() => expect(b.find(old)).toBeUndefined(), { timeout: 2000, interval: 5 });
  });

  it('a closed ring stops looking', async () => {
    const store = shared();
    const read = vi.spyOn(store, 'read');
    const ring = await createKeyRing({ store });
    await vi.waitFor(() => expect(read).toHaveBeenCalled(), { timeout: 2000, interval: 5 });
    ring.close();
    read.mockClear();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(read).not.toHaveBeenCalled();
    expect(kidOf(ring)).toBeDefined();
  });

  it('a store that cannot be read for a while changes nothing', async () => {
    const store = shared();
    const ring = await open({ store, onEvent: () => {} });
    const read = vi.spyOn(store, 'read').mockRejectedValue(new Error('out of reach'));
    const kid = kidOf(ring);
    await vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThan(2), { timeout: 2000, interval: 5 });
    expect(kidOf(ring)).toBe(kid);
  });

  it('an answer of the store that was on its way does not bring a revoked key back', async () => {
    const memory = memoryKeyStore();
    let answer: () => void = () => {};
    let asked = 0;
    const store: KeyStore = {
      ...memory,
      pollInterval: 25,
      read: async () => {
        const keys = await memory.read();
        asked += 1;
        if (asked === 2)
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
        return keys;
      },
    };
    const given = await decryptionKeyOf(pair);
    const ring = await open({ store, keys: given });
    const { kid } = await (await open({ store: memory })).rotate();
    await vi.waitFor(() => expect(asked).toBe(2), { timeout: 2000, interval: 5 });
    const revoked = ring.revoke(kid);
    await new Promise((resolve) => setTimeout(resolve, 30));
    answer();
    await revoked;
    ring.close();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(ring.find(kid)).toBeUndefined();
  });
});

describe('revoke', () => {
  it('takes a key that is retiring out of use at once, and its bytes out of the store', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const old = kidOf(ring);
    const token = await tokenFor(ring);
    await ring.rotate();
    const active = kidOf(ring);
    await ring.revoke(old);
    expect(ring.find(old)).toBeUndefined();
    expect(kidOf(ring)).toBe(active);
    expect(states(ring)).toEqual({ [active]: 'active', [old]: 'revoked' });
    expect(await errorOf(decryptJwe(token, ring))).toMatchObject({ code: 'key_rejected' });
    expect((await store.read()).find(({ kid }) => kid === old)).not.toHaveProperty('pkcs8');
  });

  it('of the only key puts another one in its place', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const old = kidOf(ring);
    await ring.revoke(old);
    expect(ring.find(old)).toBeUndefined();
    expect(kidOf(ring)).not.toBe(old);
    expect((await decryptJwe(await tokenFor(ring), ring)).kid).toBe(kidOf(ring));
    expect((await open({ store })).find(old)).toBeUndefined();
  });

  it('called at once for all that a ring has leaves exactly one new key', async () => {
    const ring = await open();
    const old = [kidOf(ring), (await ring.rotate()).kid];
    await Promise.all([...old, ...old].map((kid) => ring.revoke(kid)));
    for (const kid of old) expect(ring.find(kid)).toBeUndefined();
    expect(ring.decryptionKeys()).toHaveLength(1);
    expect(kidOf(ring)).toBe(ring.decryptionKeys()[0]?.kid);
  });

  it('during a rotation does what both were to do', async () => {
    const ring = await open();
    const old = kidOf(ring);
    const [made] = await Promise.all([ring.rotate(), ring.revoke(old)]);
    expect(ring.find(old)).toBeUndefined();
    expect(kidOf(ring)).toBe(made.kid);
  });

  it('of a key that another ring has just made leaves one in its place', async () => {
    const store = memoryKeyStore();
    const [unaware, other] = [await open({ store }), await open({ store })];
    await other.rotate();
    const latest = kidOf(other);
    await other.revoke(kidOf(unaware));
    await unaware.revoke(latest);
    for (const ring of [unaware, await open({ store })]) {
      expect(ring.find(latest)).toBeUndefined();
      expect(ring.find(kidOf(ring))).toBeDefined();
      expect(kidOf(ring)).not.toBe(latest);
    }
    expect((await store.read()).filter((key) => key.pkcs8)).toHaveLength(1);
  });

  it('of a key that nobody knows is an error that names it, and changes nothing', async () => {
    for (const ring of [await open({ keys: await decryptionKeyOf(pair) }), await open()]) {
      const before = ring.describe();
      for (const kid of ['unknown', '', '__proto__', 'constructor', 'a\r\nb']) {
        const message = expect.stringContaining(JSON.stringify(kid));
        expect(await errorOf(ring.revoke(kid))).toMatchObject({ code: 'key_invalid', message });
      }
      expect(ring.describe()).toEqual(before);
    }
  });

  it('of a key that is revoked already changes nothing', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const old = kidOf(ring);
    await ring.revoke(old);
    const before = await store.read();
    await ring.revoke(old);
    expect(await store.read()).toEqual(before);
  });
});

describe('rotateIfDue', () => {
  it('does nothing before the time, and rotates once when it has come', async () => {
    stopClock();
    const ring = await open({ lifetime: 15 * DAY });
    const kid = kidOf(ring);
    vi.setSystemTime((START + 14 * DAY) * 1000);
    await ring.rotateIfDue();
    expect(kidOf(ring)).toBe(kid);
    vi.setSystemTime((START + 14 * DAY) * 1000 + 1);
    await Promise.all(Array.from({ length: 20 }, () => ring.rotateIfDue()));
    expect(kidOf(ring)).not.toBe(kid);
    expect(ring.describe()).toHaveLength(2);
    expect(ring.find(kid)).toBeDefined();
  });

  it('of several rings on one store makes one key, whatever each of them has seen', async () => {
    stopClock();
    const store = memoryKeyStore();
    const all = [await open({ store }), await open({ store }), await open({ store })];
    vi.setSystemTime((START + 29 * DAY) * 1000);
    for (const ring of all) await ring.rotateIfDue();
    expect(await store.read()).toHaveLength(2);
    expect(new Set(all.map(kidOf)).size).toBe(1);
  });

  it('leaves given keys alone: the ring does not know when they expire', async () => {
    stopClock();
    const ring = await open({ keys: await decryptionKeyOf(pair) });
    vi.setSystemTime((START + 3650 * DAY) * 1000);
    await ring.rotateIfDue();
    expect(kidOf(ring)).toBe((await encryptionKeyOf(pair)).kid);
  });

  it('happens by itself, without a request', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: START * 1000 });
    const ring = await open({ lifetime: 15 * DAY });
    const kid = kidOf(ring);
    vi.setSystemTime((START + 14 * DAY) * 1000 + 1);
    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(ring.describe()).toHaveLength(2), { timeout: 10_000, interval: 10 });
    expect(states(ring)[kid]).not.toBe('active');
  });
});

describe('the grace of a replaced key', () => {
  async function graceOf(ring: KeyRing): Promise<number> {
    const old = kidOf(ring);
    await ring.rotate();
    const { decryptsUntil } = ring.describe().find(({ kid }) => kid === old) ?? {};
    return Date.parse(String(decryptsUntil)) / 1000 - START;
  }
  const profile = (maxAge: number): NonNullable<KeyRingOptions['profile']> => {
    return { encrypt: { alg: 'RSA-OAEP-256' }, publication: { maxAge } };
  };
  const REST = 86_400 + 300; // the clients' stale limit, and clock skew

  it('is the max-age of the publication, the stale limit of clients, and the skew of clocks', async () => {
    stopClock();
    expect(await graceOf(await open())).toBe(600 + REST);
    expect(await graceOf(await open({ profile: profile(0) }))).toBe(REST);
    expect(await graceOf(await open({ profile: profile(7200) }))).toBe(7200 + REST);
  });

  it('grows with what a server end publishes for, and never shrinks', async () => {
    stopClock();
    const ring = await open();
    for (const maxAge of [60, 3600, 900]) ring.publishedFor?.(maxAge);
    expect(await graceOf(ring)).toBe(3600 + REST);
  });

  it('is what the option says, where it says something', async () => {
    stopClock();
    const ring = await open({ grace: 5, profile: profile(7200) });
    ring.publishedFor?.(3600);
    expect(await graceOf(ring)).toBe(5);
  });
});

describe('what a profile says of keys', () => {
  it('is followed: the form of ids, and what keys are for', async () => {
    stopClock();
    const publication = { maxAge: 600, kid: 'timestamp' } as const;
    const profile = { encrypt: { alg: 'ECDH-ES+A256KW' }, publication } as const;
    expect(published(await open({ profile }))).toMatchObject({ kid: String(START), kty: 'EC', crv: 'P-256' });
    expect(kidOf(await open({ profile, kid: 'thumbprint', alg: 'RSA-OAEP-256' }))).toHaveLength(43);
  });

  it('gives no id twice, in whatever ring of a store a key is made', async () => {
    stopClock();
    const store = memoryKeyStore();
    const given = await decryptionKeyOf(pair, String(START + 2));
    const options = { store, kid: 'timestamp', keys: given } as const;
    const [a, b] = [await open(options), await open(options)];
    await a.rotate();
    const made = [kidOf(a), (await a.rotate()).kid, (await b.rotate()).kid, (await a.rotate()).kid];
    expect(made.map((kid) => Number(kid) - START)).toEqual([0, 1, 3, 4]);
  });
});

describe('what a ring reports', () => {
  it('is each key that it made or revoked, once, and no other', async () => {
    const events: KeyRingEvent[] = [];
    const memory = memoryKeyStore();
    const store: KeyStore = {
      ...memory,
      // What a store does when another writer was faster.
      update: (change) => memory.update(async (keys) => [await change(keys), await change(keys)][1] ?? keys),
    };
    const ring = await open({ store, onEvent: (event) => events.push(event) });
    const old = kidOf(ring);
    const { kid } = await ring.rotate();
    await ring.revoke(old);
    await ring.revoke(old);
    await (await open({ store })).rotate(); // not this ring's doing
    expect(events).toEqual([
      { type: 'made', kid: old },
      { type: 'made', kid },
      { type: 'revoked', kid: old },
    ]);
  });

  it('is a store that fails, on the console when nobody listens; a listener that fails does no harm', async () => {
    const console = vi.spyOn(globalThis.console, 'warn').mockImplementation(() => {});
    const memory = memoryKeyStore();
    const store: KeyStore = { ...memory, pollInterval: 5 };
    const heard: KeyRingEvent[] = [];
    const onEvent = (event: KeyRingEvent): never => {
      heard.push(event);
      throw new Error('listener');
    };
    const rings = [await open({ store, onEvent }), await open({ store })];
    heard.length = 0;
    const read = vi.spyOn(store, 'read').mockRejectedValue(new Error('connection lost'));
    const outage = (): Promise<unknown> => {
      const before = read.mock.calls.length;
      return vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThan(before + 6), { timeout: 4000 });
    };
    await outage();
    expect([heard.length, console.mock.calls.length]).toEqual([1, 1]); // not at each look
    read.mockResolvedValueOnce(await memory.read()).mockResolvedValueOnce(await memory.read());
    await outage();
    expect(heard.length + console.mock.calls.length).toBe(4);
    expect(heard[0]).toMatchObject({ type: 'store_failed', error: { message: 'connection lost' } });
    expect(String(console.mock.calls[0])).toContain('connection lost');
    for (const ring of rings) expect(ring.find(kidOf(ring))).toBeDefined();
    console.mockRestore();
  });
});

describe('a store that hangs', () => {
  it('is asked once, not anew at each interval, and the keys at hand serve on', async () => {
    const store: KeyStore = { ...memoryKeyStore(), pollInterval: 2 };
    const ring = await open({ store });
    const read = vi.spyOn(store, 'read').mockReturnValue(new Promise(() => {}));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(read).toHaveBeenCalledTimes(1);
    expect(ring.find(kidOf(ring))).toBeDefined();
  });

  it('is given up after 30 s; the next time it may work', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store });
    const old = kidOf(ring);
    const read = vi.spyOn(store, 'read').mockReturnValue(new Promise(() => {}));
    vi.useFakeTimers();
    const failed = errorOf(ring.rotate());
    await vi.advanceTimersByTimeAsync(29_999);
    expect(await Promise.race([failed, 'waiting'])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1);
    expect(await failed).toMatchObject({
      code: 'keys_unavailable',
      message: expect.stringContaining('30 s'),
    });
    expect(kidOf(ring)).toBe(old);
    vi.useRealTimers();
    read.mockRestore();
    expect((await ring.rotate()).kid).not.toBe(old);
  });
});

describe('a store that loses its keys', () => {
  it('takes none from a ring that has them, and is reported', async () => {
    let keys: readonly StoredKey[] | undefined;
    const memory = memoryKeyStore();
    const events: KeyRingEvent[] = [];
    const store: KeyStore = {
      pollInterval: 5,
      read: async () => keys ?? memory.read(),
      update: (change) => memory.update(change),
    };
    const ring = await open({ store, onEvent: (event) => events.push(event) });
    const kid = kidOf(ring);
    keys = [];
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['made', 'store_failed']));
    expect(kidOf(ring)).toBe(kid);
    expect(ring.find(kid)).toBeDefined();
  });

  it('or holds one that cannot be read still tells of revocations', async () => {
    const store: KeyStore = { ...memoryKeyStore(), pollInterval: 5 };
    const ring = await open({ store, onEvent: () => {} });
    const kid = kidOf(ring);
    await store.update(async (keys) => {
      const [key] = keys as [StoredKey]; // the ring has just made it
      const strange = { ...key, kid: 'strange', pkcs8: 'of a later version' };
      return [strange, { ...key, revokedAt: key.createdAt }];
    });
    await vi.waitFor(() => expect(ring.find(kid)).toBeUndefined());
    expect(ring.find('strange')).toBeUndefined();
  });
});

describe('a store that can be read and not written', () => {
  it('costs no new key at every look and every publication', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START * 1000 });
    const store: KeyStore = { ...memoryKeyStore(), pollInterval: 5 };
    const ring = await open({ store, onEvent: () => {} });
    vi.spyOn(store, 'update').mockImplementation(async (change) => {
      await change(await store.read());
      throw new Error('read-only');
    });
    const generate = vi.spyOn(crypto.subtle, 'generateKey');
    const exported = vi.spyOn(crypto.subtle, 'exportKey');
    vi.setSystemTime((START + 29 * DAY) * 1000);
    for (let i = 0; i < 10; i += 1) await expect(ring.rotateIfDue()).rejects.toThrow('read-only');
    expect(generate.mock.calls.length + exported.mock.calls.length).toBeLessThanOrEqual(4); // of one key
    expect(ring.find(kidOf(ring))).toBeDefined();
  });
});

describe('a store that takes its time to write', () => {
  it('publishes nothing that another process cannot decrypt yet', async () => {
    const memory = memoryKeyStore();
    const inTurn: Promise<unknown>[] = [];
    const slow: KeyStore = {
      pollInterval: 25,
      read: () => memory.read(),
      update: async (change) => {
        await Promise.allSettled(inTurn);
        const work = (async () => {
          const before = await memory.read();
          const after = await change(before);
          if (after === before) return before;
          await new Promise((resolve) => setTimeout(resolve, 300)); // four times the lead
          return memory.update(async () => after);
        })();
        inTurn.push(work);
        return work;
      },
    };
    const [a, b] = [await open({ store: slow }), await open({ store: slow })];
    const old = kidOf(a);
    let done = false;
    const rotated = a.rotate().finally(() => {
      done = true;
    });
    while (!done) {
      for (const ring of [a, b])
        for (const other of [a, b]) expect(other.find(kidOf(ring)), 'published, not held').toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect((await rotated).state).toBe('active');
    expect(kidOf(a)).not.toBe(old);
  });

  it('and a process that dies after the first write leave a key that another one publishes', async () => {
    const memory = memoryKeyStore();
    const dying: KeyStore = { ...memory, pollInterval: 25 };
    const ring = await open({ store: dying });
    const old = kidOf(ring);
    const survivor = await open({ store: { ...memory, pollInterval: 25 } });
    let writes = 0;
    vi.spyOn(dying, 'update').mockImplementation((change) => {
      writes += 1;
      return writes === 1 ? memory.update(change) : new Promise(() => {});
    });
    void ring.rotate();
    await vi.waitFor(async () => expect(await memory.read()).toHaveLength(2), { timeout: 5000, interval: 2 });
    expect((await memory.read())[0]?.publishAt).toBeGreaterThan(Date.now() / 1000 + 25);
    expect(kidOf(survivor)).toBe(old);
    await vi.waitFor(() => expect(kidOf(survivor)).not.toBe(old), { timeout: 5000, interval: 5 });
    expect(survivor.find(old)).toBeDefined();
  });
});

describe('the bytes of a retired key', () => {
  it('leave the store a day after it ended, without any other change', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: START * 1000 });
    const store = memoryKeyStore();
    const ring = await open({ store, grace: 100 });
    await ring.rotate();
    const bytesAt = async (time: number): Promise<number> => {
      vi.setSystemTime((START + time) * 1000);
      vi.advanceTimersByTime(3_600_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return (await store.read()).filter(({ pkcs8 }) => pkcs8 !== undefined).length;
    };
    expect(await bytesAt(100 + DAY / 2)).toBe(2);
    expect(await bytesAt(102 + DAY)).toBe(1);
    expect(ring.describe()).toHaveLength(2);
  });
});

describe('when the clock is set back', () => {
  it('a ring still publishes only what it can decrypt', async () => {
    stopClock();
    const ring = await open({ grace: 10 });
    const old = kidOf(ring);
    vi.setSystemTime((START + 100) * 1000);
    await ring.rotate();
    vi.setSystemTime((START + 200) * 1000);
    await ring.rotate();
    expect(states(ring)[old]).toBe('retired');
    for (const time of [START - DAY, START + 50, START + 105]) {
      vi.setSystemTime(time * 1000);
      expect(ring.find(kidOf(ring))).toBeDefined();
    }
    // The store is read again: it has no bytes any more of a key that seems to be active.
    const { kid } = await ring.rotate();
    expect(ring.find(kid)).toBeDefined();
  });
});

describe('given keys', () => {
  it('all decrypt, the first is published, and none is made', async () => {
    const store = memoryKeyStore();
    const keys = [await decryptionKeyOf(pair, 'one'), await decryptionKeyOf(second, 'two')];
    const ring = await open({ store, keys });
    expect(published(ring)).toEqual({ ...pair.publicJwk, use: 'enc', alg: 'RSA-OAEP-256', kid: 'one' });
    expect(ring.decryptionKeys()).toEqual(keys);
    expect(ring.describe()).toEqual([
      { kid: 'one', alg: 'RSA-OAEP-256', state: 'active' },
      { kid: 'two', alg: 'RSA-OAEP-256', state: 'retiring' },
    ]);
    expect(await store.read()).toEqual([]);
  });

  it('leave the publication when the ring makes one, and still decrypt', async () => {
    const ring = await open({ store: memoryKeyStore(), keys: await decryptionKeyOf(pair, 'given') });
    const token = await tokenFor(ring);
    const { kid } = await ring.rotate();
    expect(kidOf(ring)).toBe(kid);
    expect(states(ring)).toEqual({ [kid]: 'active', given: 'retiring' });
    expect((await decryptJwe(token, ring)).kid).toBe('given');
  });

  it('can be revoked: the next one takes their place, and a made one that of the last', async () => {
    const keys = [await decryptionKeyOf(pair, 'one'), await decryptionKeyOf(second, 'two')];
    const ring = await open({ store: memoryKeyStore(), keys });
    await ring.revoke('one');
    expect(ring.find('one')).toBeUndefined();
    expect(kidOf(ring)).toBe('two');
    await ring.revoke('two');
    expect(ring.find('two')).toBeUndefined();
    expect(ring.decryptionKeys().map(({ kid }) => kid)).toEqual([kidOf(ring)]);
  });

  it('without a store are all there is: none is made beside them, and the last can be revoked', async () => {
    const ring = await open({ keys: await decryptionKeyOf(pair, 'one') });
    expect(await errorOf(ring.rotate())).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`store`'),
    });
    expect(kidOf(ring)).toBe('one');
    await ring.revoke('one');
    expect(ring.decryptionKeys()).toEqual([]);
    expect(ring.jwks()).toEqual({ keys: [] });
  });

  it('stay revoked after a restart and in other processes, where there is a store', async () => {
    const options = {
      store: memoryKeyStore(),
      keys: [await decryptionKeyOf(pair, 'one'), await decryptionKeyOf(second, 'two')],
    };
    await (await open(options)).revoke('one');
    const again = await open(options);
    expect(again.decryptionKeys().map(({ kid }) => kid)).toEqual(['two']);
    expect(kidOf(again)).toBe('two');
    expect(states(again)).toEqual({ one: 'revoked', two: 'active' });
  });

  it('do not come back into the publication when a made key is revoked', async () => {
    const ring = await open({ store: memoryKeyStore(), keys: await decryptionKeyOf(pair, 'given') });
    const { kid } = await ring.rotate();
    await ring.revoke(kid);
    expect(['given', kid]).not.toContain(kidOf(ring));
    expect(states(ring)).toMatchObject({ given: 'retiring', [kid]: 'revoked' });
  });

  it('must have different ids', async () => {
    const keys = [await decryptionKeyOf(pair, 'one'), await decryptionKeyOf(second, 'one')];
    expect(await errorOf(createKeyRing({ keys }))).toMatchObject({ code: 'key_invalid' });
  });

  it('must be private ones', async () => {
    const publicKey = await encryptionKeyOf(pair);
    for (const keys of [publicKey, [await decryptionKeyOf(pair), publicKey], null, [undefined], ['PEM']]) {
      const options = { keys: keys as ImportedKey };
      expect(await errorOf(createKeyRing(options))).toMatchObject({ code: 'key_invalid' });
    }
  });
});

describe('what a ring shows', () => {
  it('is never a private key: to a log, to JSON, to the publication', async () => {
    const store = memoryKeyStore();
    const ring = await open({ store, keys: await decryptionKeyOf(pair) });
    await ring.rotate();
    const [stored] = (await store.read()) as [StoredKey]; // the ring has just made it
    const made = { pkcs8: String(stored.pkcs8), privateJwk: await jwkOfPkcs8(String(stored.pkcs8)) };
    const shown = [ring, { ring }, ring.describe(), ring.jwks(), ring.decryptionKeys(), ring.find(stored.kid)]
      .map(everythingOf)
      .join();
    for (const secret of [...secretsOf(made), ...secretsOf(pair)]) expect(shown).not.toContain(secret);
    expect(JSON.parse(JSON.stringify(ring))).toEqual(ring.describe());
  });

  it('finds nothing under the names of a prototype', async () => {
    const ring = await open({ keys: await decryptionKeyOf(pair) });
    for (const kid of ['__proto__', 'constructor', 'toString', '']) expect(ring.find(kid)).toBeUndefined();
  });
});

async function jwkOfPkcs8(pem: string): Promise<JWK> {
  const oaep = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('pkcs8', derOf(pem), oaep, true, ['decrypt']);
  return (await crypto.subtle.exportKey('jwk', key)) as JWK;
}

describe('a bad option of createKeyRing', () => {
  it.each<[option: string, options: KeyRingOptions]>([
    ['crv', { alg: 'ECDH-ES+A256KW', crv: 'P-384' as 'P-256' }],
    ['crv', { alg: 'RSA-OAEP-256', crv: 'P-256' }],
    ['modulusLength', { alg: 'ECDH-ES+A256KW', modulusLength: 2048 }],
    ['lifetime', { lifetime: 86_400, store: { ...memoryKeyStore(), pollInterval: 3_600_000 } }],
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, 31_536_001].map((maxAge): [string, KeyRingOptions] => {
      return [
        'profile.publication.maxAge',
        { profile: { encrypt: { alg: 'RSA-OAEP-256' }, publication: { maxAge } } },
      ];
    }),
  ])('%s that does not go with the others is refused by name: %j', async (option, options) => {
    expect(await errorOf(createKeyRing(options))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(`\`${option}\``),
    });
  });

  it('publishedFor takes no time that would make a store unreadable', async () => {
    const ring = await open();
    for (const maxAge of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => ring.publishedFor?.(maxAge)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  });

  it.each([0, -1, Number.NaN, 3_600_001, '500'])(
    'store.pollInterval is refused by name: %j',
    async (value) => {
      const store = { ...memoryKeyStore(), pollInterval: value as number };
      expect(await errorOf(createKeyRing({ store }))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('`store.pollInterval`'),
      });
    },
  );

  it.each<[option: string, value: unknown]>([
    ...[0, 1024, 2047, 2056, 8193, 2048.5, Number.NaN, '2048', null].map((value): [string, unknown] => [
      'modulusLength',
      value,
    ]),
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 'P30D', '5', {}].flatMap(
      (value): [string, unknown][] => [
        ['lifetime', value],
        ['grace', value],
      ],
    ),
    ...[0, 1, 59.9].map((value): [string, unknown] => ['lifetime', value]),
    ...['uuid', '', 5, null].map((value): [string, unknown] => ['kid', value]),
    ...[{}, './keys', 5].map((value): [string, unknown] => ['store', value]),
    ...[{}, 'banked', 5].map((value): [string, unknown] => ['profile', value]),
    ...['P-384', '', 5, null].map((value): [string, unknown] => ['crv', value]),
    ...['log', 5, null].map((value): [string, unknown] => ['onEvent', value]),
  ])('%s is refused by name: %j', async (option, value) => {
    expect(await errorOf(createKeyRing({ [option]: value }))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(`\`${option}\``),
    });
  });
});
