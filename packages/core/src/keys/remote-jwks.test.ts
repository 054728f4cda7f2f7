import type { JWK } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { latin1, utf8 } from '../../test/bytes.js';
import { errorOf, everythingOf, modulus } from '../../test/keys-fixtures.js';
import {
  expectUnavailable,
  failing,
  fakeFetch,
  HOUR,
  key,
  kidOf,
  MINUTE,
  ok,
  pass,
  SECOND,
  set,
  stopClocks,
  takeDeadline,
  URL_,
  until,
  watch,
} from '../../test/remote-source.js';
import { hearUnhandled } from '../../test/runtime.js';
import { RSA } from '../../test/stored-keys.js';
import { post } from '../../test/two-ends.js';
import { createE2eeClient } from '../exchange/client.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { banked } from '../profiles/banked.js';
import { allowInsecureKeys } from './fetch-jwks.js';
import { type RemoteJwks, type RemoteJwksState, remoteJwks } from './remote-jwks.js';

const [pair] = RSA;
stopClocks();

describe('the first use', () => {
  it('waits: making the source fetches nothing', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    watch(URL_, { fetch });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(fetch).not.toHaveBeenCalled();
  });

  it('sends what a key endpoint needs, follows no redirect, and needs no `this`', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    await watch(URL_, { fetch, headers: { authorization: 'Bearer x' } }).source.current();
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(String(url)).toBe(URL_);
    expect(init).toMatchObject({ redirect: 'error', headers: { authorization: 'Bearer x' }, signal: {} });
    expect(new Headers(init?.headers).get('accept')).toContain('application/jwk-set+json');
    expect(fetch.mock.contexts[0]).toBeUndefined();
  });

  it('understands a set of keys, and a single key', async () => {
    expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(set(key('a')))) }).source)).toBe('a');
    expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(JSON.stringify(key('b')))) }).source)).toBe('b');
  });

  it('chooses the newest valid key, in whichever spelling its times are', async () => {
    const now = 1_700_000_000;
    const body = set(
      key('old', { 'bnkd.iat': now - 900, 'bknd.exp': now + 900 }),
      key('newest', { 'bknd.iat': now - 100, 'bnkd.exp': now + 900 }),
      key('expired', { iat: now - 50, exp: now - 1 }),
      key('signs', { iat: now, use: 'sig' }),
    );
    expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(body)) }).source)).toBe('newest');
  });

  it('says loudly when a set must not be trusted', async () => {
    for (const body of [
      set(key('a'), { ...pair.privateJwk, kid: 'p' }),
      set(key('a'), { ...key('a'), n: modulus(2048) }),
      latin1(set(key('a', { x: '\u00ff' }))),
      '<!doctype html><title>Sign in</title>',
    ]) {
      const { source, events } = watch(URL_, { fetch: fakeFetch(ok(body)) });
      const error = await expectUnavailable(source);
      expect(events).toMatchObject([{ type: 'refused', error: { code: 'key_invalid' } }]);
      expect(everythingOf([error, events, source.status()])).not.toContain(String(pair.privateJwk.d));
    }
  });

  it('refuses what a `fetch` that follows redirects brings', async () => {
    const redirected = () =>
      Object.defineProperty(new Response(set(key('new'))), 'redirected', { value: true });
    const error = await expectUnavailable(watch(URL_, { fetch: fakeFetch(redirected) }).source);
    expect(error).toMatchObject({ cause: { message: 'The key endpoint redirects' } });
  });

  it('accepts a body of just the allowed size, counted after decompression', async () => {
    const body = set(key('a'));
    const size = utf8(body).length;
    expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(body)), maxBytes: size }).source)).toBe('a');
    await expectUnavailable(watch(URL_, { fetch: fakeFetch(ok(body)), maxBytes: size - 1 }).source);
  });
});

describe('steady use', () => {
  it('fetches nothing while the set is fresh, then once, beside the requests', async () => {
    const fetch = fakeFetch(ok(set(key('a'))), ok(set(key('b'))));
    const { source, next } = watch(URL_, { fetch });
    expect(await kidOf(source)).toBe('a');
    pass(8 * MINUTE - 1);
    for (let i = 0; i < 1000; i += 1) await source.current();
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(1);
    const refreshed = next();
    // The one who comes at the time of refreshing does not wait for it either.
    expect(await Promise.all([kidOf(source), kidOf(source)])).toEqual(['a', 'a']);
    await refreshed;
    expect(await kidOf(source)).toBe('b');
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each([
    [0, 450],
    [0.999999, 510],
  ])('refreshes a little earlier or later by chance (%d)', async (chance, seconds) => {
    vi.mocked(Math.random).mockReturnValue(chance);
    const fetch = fakeFetch(ok(set(key('a'))));
    const { source } = watch(URL_, { fetch });
    await source.current();
    pass((seconds - 1) * SECOND);
    await source.current();
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(2 * SECOND);
    await source.current();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('refreshes before the key in use expires, also when the set is fresh for longer', async () => {
    const expiring = key('a', { exp: 1_700_000_000 + 300 });
    const fetch = fakeFetch(ok(set(expiring)), ok(set(expiring, key('b'))));
    const { source, next } = watch(URL_, { fetch });
    await source.current();
    pass(241 * SECOND);
    const refreshed = next();
    expect(await kidOf(source)).toBe('a');
    await refreshed;
    pass(60 * SECOND);
    expect(await kidOf(source)).toBe('b');
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each<[headers: Record<string, string>, seconds: number]>([
    [{}, 600],
    [{ 'cache-control': 'max-age=300' }, 300],
    [{ 'cache-control': 'public, MAX-AGE=300, must-revalidate' }, 300],
    [{ 'cache-control': 'max-age="300"' }, 300],
    [{ 'cache-control': 'max-age=300', age: '100' }, 200],
    [{ 'cache-control': 'max-age=300', age: '900' }, 60],
    [{ 'cache-control': 'max-age=300', age: 'garbage' }, 300],
    [{ 'cache-control': 'max-age=300', age: '-1e99' }, 300],
    [{ 'cache-control': 'max-age=300', age: '-100' }, 300],
    [{ 'cache-control': 'max-age=300', age: '1e2' }, 300],
    [{ 'cache-control': 'max-age=300', age: '9'.repeat(400) }, 60],
    [{ 'cache-control': 'max-age=300', age: '999999999999999' }, 60],
    [{ 'cache-control': 'max-age=300', age: '100, 200' }, 200],
    [{ 'cache-control': 'max-age=300', age: '' }, 300],
    [{ age: '100' }, 600],
    [{ 'cache-control': 'max-age=0' }, 60],
    [{ 'cache-control': 'no-store' }, 60],
    [{ 'cache-control': 'no-cache, no-store' }, 60],
    [{ 'cache-control': 'max-age=31536000' }, 86_400],
    [{ 'cache-control': 'max-age=9999999999' }, 86_400],
    [{ 'cache-control': `max-age=${'9'.repeat(400)}` }, 86_400],
    [{ 'cache-control': `max-age=${'9'.repeat(400)}`, age: '9'.repeat(400) }, 60],
    [{ 'cache-control': 's-maxage=5, max-age=300' }, 300],
    [{ 'cache-control': 's-maxage=5' }, 600],
    [{ 'cache-control': 'garbage' }, 600],
    [{ 'cache-control': 'max-age=' }, 600],
    [{ 'cache-control': 'max-age=-5' }, 600],
    [{ 'cache-control': 'x-max-age=5' }, 600],
  ])('%j keeps a set for %i s', async (headers, seconds) => {
    const fetch = fakeFetch(ok(set(key('a')), headers));
    const { source } = watch(URL_, { fetch });
    await source.current();
    expect(source.exportState()?.lifetime).toBe(seconds * SECOND);
    pass(seconds * 0.8 * SECOND - 1);
    await source.current();
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(1);
    await source.current();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('asks for the whole set when it was saved for other algorithms', async () => {
    const fetch = fakeFetch(ok(set(key('a')), { etag: '"v1"' }));
    const { source } = watch(URL_, { fetch });
    await source.current();
    const preset = source.exportState();
    expect(preset).toMatchObject({ etag: '"v1"', algs: ['RSA-OAEP-256'] });
    const asked = async (algs: readonly KeyAlgorithm[]): Promise<string | null> => {
      const headers: Headers[] = [];
      const answer: typeof globalThis.fetch = async (_, init) => {
        headers.push(new Headers(init?.headers));
        return Response.json(set(key('a')));
      };
      const other = watch(URL_, { fetch: answer, preset, algs }).source;
      await other.refresh();
      return headers[0]?.get('if-none-match') ?? null;
    };
    expect(await asked(['RSA-OAEP-256'])).toBe('"v1"');
    expect(await asked(['RSA-OAEP-256', 'ECDH-ES+A256KW'])).toBeNull();
  });

  it('saves copies of what is known of a key, and nothing else', async () => {
    const strange = { ...key('a', { exp: 4_000_000_000 }), note: { deep: true } };
    const { source } = watch(URL_, { fetch: fakeFetch(ok(set(strange))) });
    await source.current();
    const saved = source.exportState();
    expect(Object.keys(saved?.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'exp', 'kid', 'kty', 'n', 'use']);
    (saved?.keys as unknown[]).length = 0;
    expect(source.exportState()?.keys).toHaveLength(1);
  });

  it('keeps the lifetime of a set that a 304 without Cache-Control confirms', async () => {
    const fetch = fakeFetch(
      ok(set(key('a')), { etag: '"v1"', 'cache-control': 'max-age=3600' }),
      () => new Response(null, { status: 304 }),
    );
    const { source, next } = watch(URL_, { fetch });
    await source.current();
    pass(59 * MINUTE);
    const confirmed = next();
    await source.current();
    await confirmed;
    expect(source.exportState()).toMatchObject({ lifetime: 3600 * SECOND, fetchedAt: Date.now() });
  });

  it('asks without conditions after a failure: a publisher may allow those to no other origin', async () => {
    const asked: (string | null)[] = [];
    const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
      asked.push(new Headers(init?.headers).get('if-none-match'));
      if (asked.at(-1) !== null) throw new TypeError('Failed to fetch'); // what a page gets for a refused preflight
      return new Response(set(key('a')), { headers: { etag: '"v1"', 'cache-control': 'max-age=3600' } });
    };
    const { source, next } = watch(URL_, { fetch });
    await source.current();
    for (const type of ['stale', 'refreshed']) {
      pass(59 * MINUTE);
      const event = next();
      expect(await kidOf(source)).toBe('a');
      expect(await event).toMatchObject({ type });
      await new Promise((resolve) => setTimeout(resolve)); // it tells before it is done
    }
    expect(asked).toEqual([null, '"v1"', null]);
    expect(source.status()).toMatchObject({ state: 'fresh', failures: 0 });
  });

  it('does not take a 304 for new keys when the old ones have expired', async () => {
    const fetch = fakeFetch(
      ok(set(key('a', { exp: 1_700_000_000 + 60 })), { etag: '"v1"' }),
      () => new Response(null, { status: 304 }),
    );
    const { source } = watch(URL_, { fetch });
    await source.current();
    pass(60 * SECOND);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('is disturbed by no jump of the wall clock', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    const { source } = watch(URL_, { fetch });
    await source.current();
    for (const jump of [24 * HOUR, -48 * HOUR, 24 * HOUR]) {
      vi.setSystemTime(Date.now() + jump);
      for (let i = 0; i < 100; i += 1) expect(await kidOf(source)).toBe('a');
    }
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});

describe('a jump of the wall clock', () => {
  const DAY = 24 * HOUR;
  const jump = (by: number): void => void vi.setSystemTime(Date.now() + by);
  const calls = async (source: RemoteJwks): Promise<void> => {
    for (let i = 0; i < 1000; i += 1) await source.current().catch(() => {});
  };

  it('past its expiry makes one fetch for another key, and back again none', async () => {
    const fetch = fakeFetch(
      ok(set(key('a', { exp: 1_700_000_000 + 3600 }))),
      ok(set(key('b', { iat: 1_700_000_000 }))),
    );
    const { source } = watch(URL_, { fetch });
    expect(await kidOf(source)).toBe('a');
    jump(DAY);
    await calls(source);
    expect(await kidOf(source)).toBe('b');
    jump(-DAY);
    await calls(source);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each([DAY, -DAY])(
    'makes no storm when the set that is published has no valid key then (%i ms)',
    async (by) => {
      const times = { iat: 1_700_000_000 - 60, exp: 1_700_000_000 + 3600 };
      const fetch = fakeFetch(ok(set(key('a', times))));
      const { source } = watch(URL_, { fetch });
      await source.current();
      jump(by);
      await calls(source);
      expect(fetch.mock.calls.length).toBeLessThanOrEqual(2);
      jump(-by);
      expect(await kidOf(source)).toBe('a');
      expect(fetch.mock.calls.length).toBeLessThanOrEqual(2);
    },
  );

  it('neither ends a pause nor a cooldown, and makes none longer', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const fetch = fakeFetch(failing);
    const { source } = watch(URL_, { fetch });
    await source.refresh();
    for (const by of [DAY, -2 * DAY, DAY]) {
      jump(by);
      await calls(source);
      await source.refresh();
    }
    expect(fetch).toHaveBeenCalledTimes(1);
    jump(-DAY);
    pass(30 * SECOND);
    await source.refresh();
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});

describe('when refreshing fails', () => {
  it('the last good set serves up to the stale limit, and no longer', async () => {
    const fetch = fakeFetch(ok(set(key('a'))), failing);
    const { source, next } = watch(URL_, { fetch, staleLimit: HOUR });
    await source.current();
    pass(HOUR + 10 * MINUTE);
    const failed = next();
    expect(await kidOf(source)).toBe('a');
    expect(await failed).toMatchObject({ type: 'stale', error: { message: 'fetch failed' } });
    expect(source.status()).toMatchObject({ state: 'stale', lastError: 'network', age: 4200 });
    pass(1);
    await expectUnavailable(source);
    expect(source.status()).toMatchObject({ state: 'unavailable' });
    expect(source.status()).not.toHaveProperty('kid');
  });

  it('no key is used past its own expiry, however fresh the set is', async () => {
    const fetch = fakeFetch(ok(set(key('a', { exp: 1_700_000_000 + 100 }))), failing);
    const { source } = watch(URL_, { fetch });
    await source.current();
    pass(100 * SECOND - 1);
    expect(await kidOf(source)).toBe('a');
    pass(1);
    await expectUnavailable(source);
  });

  it.each<[what: string, members: object, staleLimit: number, usable: number]>([
    ['the stale limit', {}, HOUR, HOUR + 10 * MINUTE],
    ['the expiry of its key', { exp: 1_700_000_000 + 100 }, HOUR, 100 * SECOND - 1],
  ])(
    'a request is encrypted up to %s; past it nothing is sent',
    async (_what, members, staleLimit, usable) => {
      const fetch = fakeFetch(ok(set(key('a', members))), failing);
      const { source } = watch(URL_, { fetch, staleLimit });
      const client = createE2eeClient({ profile: banked, encryptionKeys: source });
      const send = () =>
        client.encryptRequest(post('/v2/payment_sessions', { payee: { name: 'canary-4711' } }));
      await send();
      pass(usable);
      expect(JSON.stringify(await send())).toContain('encrypted_payee');
      pass(1);
      const error = await errorOf(send());
      expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
      expect(everythingOf(error)).not.toContain('canary-4711');
    },
  );

  it('a slow old answer does not take the place of a newer one', async () => {
    const answers: ((response: Response) => void)[] = [];
    const fetch = vi.fn(() => new Promise<Response>((resolve) => answers.push(resolve))); // heeds no signal
    const { source, events, next } = watch(URL_, { fetch });
    const deadline = takeDeadline();
    const first = expectUnavailable(source);
    await deadline.passAfter(() => answers.length === 1);
    await first;
    deadline.giveBack();
    pass(SECOND);
    const second = source.current();
    await until(() => answers.length === 2);
    answers[1]?.(new Response(set(key('new'))));
    expect((await second).kid).toBe('new');
    let cancelled = false;
    const cancel = () => {
      cancelled = true;
    };
    answers[0]?.(new Response(new ReadableStream({ cancel })));
    await until(() => cancelled);
    expect(await kidOf(source)).toBe('new');
    expect(events).toMatchObject([{ type: 'unavailable' }, { type: 'refreshed' }]);
    pass(10 * MINUTE);
    const third = next();
    await source.current();
    await until(() => answers.length === 3);
    answers[2]?.(new Response(set(key('newest'))));
    await third;
    expect(await kidOf(source)).toBe('newest');
  });

  it('recovers from the stale limit by itself', async () => {
    const fetch = fakeFetch(ok(set(key('a'))), ok(set(key('b'))));
    const { source } = watch(URL_, { fetch, staleLimit: 0 });
    await source.current();
    pass(10 * MINUTE + 1);
    expect(await kidOf(source)).toBe('b');
  });
});

describe('cold and down', () => {
  it('1,000 calls make one fetch at a time, with pauses of 1, 2, 4 … 30 s', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const fetch = fakeFetch(failing);
    const { source } = watch(URL_, { fetch });
    for (const [i, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      for (let call = 0; call < 1000; call += 1) await errorOf(source.current());
      expect(fetch).toHaveBeenCalledTimes(i + 1);
      pass(pause * SECOND - 1);
      await expectUnavailable(source);
      expect(fetch).toHaveBeenCalledTimes(i + 1);
      pass(1);
    }
  });

  it('pauses are shorter by chance, so that many clients do not come at once', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999999);
    const fetch = fakeFetch(failing);
    const { source } = watch(URL_, { fetch });
    await expectUnavailable(source);
    pass(799);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(2);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('chance decides once about each pause: many calls do not find the luckiest', async () => {
    const fetch = fakeFetch(failing);
    const { source } = watch(URL_, { fetch });
    vi.mocked(Math.random).mockReturnValue(0); // the longest
    await expectUnavailable(source);
    vi.mocked(Math.random).mockReturnValue(0.999999); // the shortest
    pass(SECOND - 1);
    for (let call = 0; call < 1000; call += 1) await errorOf(source.current());
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(1);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('1,000 concurrent calls share one failure', async () => {
    const fetch = fakeFetch(failing);
    const { source } = watch(URL_, { fetch });
    const errors = await Promise.all(Array.from({ length: 1000 }, () => errorOf(source.current())));
    expect(fetch).toHaveBeenCalledTimes(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'keys_unavailable' });
  });

  it('the pause is counted from the end of an attempt, so that one which hung is not followed at once', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const hanging = () => {
      pass(5 * SECOND);
      return failing();
    };
    const fetch = fakeFetch(hanging);
    const { source } = watch(URL_, { fetch });
    for (let call = 0; call < 10; call += 1) await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(1);
    pass(SECOND);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('an endpoint whose every key has expired is not stormed either', async () => {
    const fetch = fakeFetch(ok(set(key('a', { exp: 1_600_000_000 }))));
    const { source } = watch(URL_, { fetch });
    for (let call = 0; call < 1000; call += 1) await errorOf(source.current());
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('ends with the first success, and later failures begin from one second again', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const expiring = key('a', { exp: 1_700_000_000 + 60 });
    const fetch = fakeFetch(failing, failing, failing, ok(set(expiring)), failing);
    const { source } = watch(URL_, { fetch });
    for (const pause of [1, 2, 4]) {
      await expectUnavailable(source);
      pass(pause * SECOND);
    }
    expect(await kidOf(source)).toBe('a');
    expect(source.status().failures).toBe(0);
    pass(60 * SECOND);
    await expectUnavailable(source);
    pass(SECOND);
    await expectUnavailable(source);
    expect(fetch).toHaveBeenCalledTimes(6);
  });
});

describe('refresh, after a key was rejected', () => {
  it('brings the new key', async () => {
    const fetch = fakeFetch(ok(set(key('a'))), ok(set(key('b'))));
    const { source } = watch(URL_, { fetch });
    expect(await kidOf(source)).toBe('a');
    await source.refresh();
    expect(await kidOf(source)).toBe('b');
    expect(fetch).toHaveBeenCalledTimes(2);
    // Past a cache in between, which would have the rejected key.
    expect(fetch.mock.calls[0]?.[1]).not.toHaveProperty('cache');
    expect(fetch.mock.calls[1]?.[1]).toHaveProperty('cache', 'reload');
  });

  it('10,000 times in a second is one fetch, and one more after 30 s', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    const { source } = watch(URL_, { fetch });
    await source.current();
    for (let burst = 0; burst < 10; burst += 1) {
      await Promise.all(Array.from({ length: 1000 }, () => source.refresh()));
      pass(100);
    }
    expect(fetch).toHaveBeenCalledTimes(2);
    pass(29 * SECOND - 1);
    await source.refresh();
    expect(fetch).toHaveBeenCalledTimes(2);
    pass(1);
    await source.refresh();
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('never rejects, and leaves the last good set when it fails', async () => {
    const fetch = fakeFetch(ok(set(key('a'))), failing);
    const { source } = watch(URL_, { fetch });
    await source.current();
    await expect(source.refresh()).resolves.toBeUndefined();
    expect(await kidOf(source)).toBe('a');
    await expect(watch(URL_, { fetch: fakeFetch(failing) }).source.refresh()).resolves.toBeUndefined();
  });

  it('does not count on a fetch that began before the rejection', async () => {
    const answers: ((response: Response) => void)[] = [];
    const fetch = vi.fn(() => new Promise<Response>((resolve) => answers.push(resolve)));
    const { source } = watch(URL_, { fetch });
    const first = source.current();
    await until(() => answers.length === 1);
    let resolved = 0;
    const forced = Promise.all(
      [source.refresh(), source.refresh()].map((refresh) => refresh.then(() => (resolved += 1))),
    );
    answers[0]?.(new Response(set(key('a'))));
    expect((await first).kid).toBe('a');
    await until(() => answers.length === 2);
    expect(resolved).toBe(0); // also the one that came second waits for what the first has asked for
    answers[1]?.(new Response(set(key('b'))));
    await forced;
    expect(await kidOf(source)).toBe('b');
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});

describe('a state that is taken over', () => {
  const exported = async (...keys: JWK[]): Promise<RemoteJwksState> => {
    const { source } = watch(URL_, { fetch: fakeFetch(ok(set(...keys), { etag: '"v1"' })) });
    await source.current();
    const state = source.exportState();
    if (!state) throw new Error('nothing was exported');
    return JSON.parse(JSON.stringify(state));
  };

  it('saves the first fetch, and is refreshed in its time', async () => {
    const preset = await exported(key('a'));
    pass(5 * MINUTE);
    const fetch = fakeFetch(ok(set(key('b'))));
    const { source, next } = watch(URL_, { fetch, preset });
    expect(await Promise.all([kidOf(source), kidOf(source)])).toEqual(['a', 'a']);
    expect(fetch).not.toHaveBeenCalled();
    pass(3 * MINUTE);
    const refreshed = next();
    expect(await kidOf(source)).toBe('a');
    await refreshed;
    expect(new Headers(fetch.mock.calls[0]?.[1]?.headers).get('if-none-match')).toBe('"v1"');
    expect(await kidOf(source)).toBe('b');
  });

  it('past the stale limit, or its key’s expiry, is as good as none', async () => {
    const preset = await exported(key('a'));
    const expiring = await exported(key('e', { exp: 1_700_000_000 + 60 }));
    pass(25 * HOUR);
    for (const state of [preset, expiring]) {
      expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(set(key('b')))), preset: state }).source)).toBe(
        'b',
      );
    }
  });

  it.each<[what: string, change: object]>([
    ['of another URL', { url: 'https://other.example/jwks.json' }],
    ['without a URL', { url: undefined }],
    ['with keys that are missing', { keys: undefined }],
    ['with signing keys only', { keys: [key('a', { use: 'sig' })] }],
    ['with two keys of one kid', { keys: [key('a'), { ...key('a'), n: modulus(2048) }] }],
    ['with expired keys only', { keys: [key('a', { exp: 1_600_000_000 })] }],
    ['with a time that is NaN', { fetchedAt: Number.NaN }],
    ['with a negative time', { fetchedAt: -1 }],
    ['with a time a day ahead', { fetchedAt: 1_700_000_000_000 + 24 * HOUR }],
    ['with a lifetime that is NaN', { lifetime: Number.NaN }],
    ['with a lifetime that is an object', { lifetime: { valueOf: 5 } }],
    ['with an etag that is no text', { etag: 5 }],
    ['with an etag that no header can hold', { etag: '"a"\r\nx: y' }],
    ['without keys', { keys: [] }],
    ['with keys that are no array', { keys: 5 }],
    ['with a private key', { keys: [{ ...pair.privateJwk, kid: 'a' }] }],
    ['without a time', { fetchedAt: undefined }],
    ['with a time that is no number', { fetchedAt: '2026-01-01' }],
    ['without a lifetime', { lifetime: undefined }],
    ['with an endless lifetime', { lifetime: Number.POSITIVE_INFINITY }],
    ['with a negative lifetime', { lifetime: -1 }],
  ])('%s is refused, and the set is fetched', async (_what, change) => {
    const preset = { ...(await exported(key('a'))), ...change };
    const { source, events } = watch(URL_, { fetch: fakeFetch(ok(set(key('b')))), preset });
    expect(await kidOf(source)).toBe('b');
    expect(events).toMatchObject([{ type: 'refused' }, { type: 'refreshed' }]);
  });

  it.each([null, 0, '', 'text', 5, true, [], {}, () => {}])(
    'that is %j is refused likewise',
    async (state) => {
      const preset = state as unknown as RemoteJwksState; // what JSON.parse may give
      const { source, events } = watch(URL_, { fetch: fakeFetch(ok(set(key('b')))), preset });
      expect(await kidOf(source)).toBe('b');
      expect(events).toMatchObject([
        { type: 'refused', error: { code: 'key_invalid' } },
        { type: 'refreshed' },
      ]);
    },
  );

  it('is refused once, with no promise left to reject, when nobody uses the source', async () => {
    const rejections = hearUnhandled();
    const hostile = new Proxy({} as RemoteJwksState, {
      ownKeys: () => {
        throw new Error('trapped');
      },
    });
    const { events } = watch(URL_, { preset: hostile });
    await new Promise((resolve) => setTimeout(resolve, 20));
    rejections.stop();
    expect(rejections.reasons).toEqual([]);
    expect(events).toMatchObject([{ type: 'refused' }]);
  });

  it('may be saved by a machine whose clock is a little ahead', async () => {
    const preset = { ...(await exported(key('a'))), fetchedAt: Date.now() + 4 * MINUTE };
    const { source } = watch(URL_, { fetch: fakeFetch(failing), preset });
    expect(await kidOf(source)).toBe('a');
    expect(source.status()).toMatchObject({ state: 'fresh', age: 0 });
  });

  it('is waited for by `refresh`, and replaces nothing that was fetched', async () => {
    const preset = await exported(key('a'));
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const importKey = crypto.subtle.importKey.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, 'importKey').mockImplementationOnce((async (
      ...args: Parameters<typeof importKey>
    ) => {
      await released;
      return importKey(...args);
    }) as typeof importKey);
    const fetch = fakeFetch(ok(set(key('b'))));
    const { source } = watch(URL_, { fetch, preset });
    const refreshed = Promise.all([source.refresh(), source.refresh()]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fetch).not.toHaveBeenCalled();
    release();
    await refreshed;
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(new Headers(fetch.mock.calls[0]?.[1]?.headers).get('if-none-match')).toBe('"v1"');
    expect(await kidOf(source)).toBe('b');
  });

  it('may be `undefined`, like every option', async () => {
    const fetch = fakeFetch(ok(set(key('b'))));
    const source = remoteJwks(URL_, {
      fetch,
      preset: undefined,
      algs: undefined,
      headers: undefined,
      timeout: undefined,
      maxBytes: undefined,
      cooldown: undefined,
      staleLimit: undefined,
      onEvent: undefined,
      [allowInsecureKeys]: undefined,
    });
    expect(await kidOf(source)).toBe('b');
    expect(remoteJwks('https://bank.example/', { fetch: undefined }).status().state).toBe('empty');
  });

  it('never makes a set fresh for longer than a fetch would', async () => {
    const preset = { ...(await exported(key('a'))), lifetime: 1e15 };
    pass(48 * HOUR + MINUTE);
    expect(await kidOf(watch(URL_, { fetch: fakeFetch(ok(set(key('b')))), preset }).source)).toBe('b');
  });

  it('does not exist before the first fetch', () => {
    expect(watch(URL_, { fetch: fakeFetch(failing) }).source.exportState()).toBeUndefined();
  });
});

describe('what an operator sees', () => {
  it('is a status without anything secret', async () => {
    const secret = 'https://bank.example/jwks.json?token=s3cr3t';
    const { source, events } = watch(secret, {
      fetch: fakeFetch(failing),
      headers: { authorization: 's3cr3t' },
    });
    expect(source.status()).toEqual({ url: URL_, state: 'empty', keys: 0, failures: 0 });
    const error = await expectUnavailable(source);
    expect(source.status()).toEqual({
      url: URL_,
      state: 'unavailable',
      keys: 0,
      failures: 1,
      lastError: 'network',
    });
    expect(everythingOf([source, source.status(), events]) + everythingOf(error)).not.toContain('s3cr3t');
  });

  it('is the key in use and the age of the set', async () => {
    const { source } = watch(URL_, { fetch: fakeFetch(ok(set(key('a'), key('b')))) });
    await source.current();
    pass(90 * SECOND);
    expect(source.status()).toEqual({ url: URL_, state: 'fresh', kid: 'a', keys: 2, age: 90, failures: 0 });
  });

  it('does not depend on a listener that works, at once or later', async () => {
    const rejections = hearUnhandled();
    const broken = new Error('the listener is broken');
    const throwing = () => {
      throw broken;
    };
    for (const onEvent of [throwing, () => Promise.reject(broken)]) {
      const options = { fetch: fakeFetch(ok(set(key('a')))), onEvent };
      expect(await kidOf(remoteJwks(URL_, options))).toBe('a');
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    rejections.stop();
    expect(rejections.reasons).toEqual([]);
  });
});

describe('close', () => {
  it('ends fetching for good', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    const { source } = watch(URL_, { fetch });
    await source.current();
    source.close();
    await expectUnavailable(source);
    await source.refresh();
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('does not wait for a `fetch` that heeds no signal, nor hear what it brings later', async () => {
    let answer = (_: Response): void => {};
    const fetch = () => new Promise<Response>((resolve) => (answer = resolve));
    const { source, events } = watch(URL_, { fetch });
    const waiting = expectUnavailable(source);
    await until(() => answer.length === 1);
    source.close();
    await waiting;
    answer(new Response(set(key('a'))));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).toEqual([]);
    expect(source.exportState()).toBeUndefined();
  });

  it('cancels a body of such a `fetch`, which could go on for ever', async () => {
    let parts = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        parts += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new Uint8Array([0x20]));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const { source } = watch(URL_, { fetch: fakeFetch(() => new Response(body)) });
    const waiting = expectUnavailable(source);
    await until(() => parts > 3);
    source.close();
    await waiting;
    await until(() => cancelled);
  });

  it('counts while a preset is being taken: it is neither used nor reported', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    const good = { url: URL_, fetchedAt: Date.now(), lifetime: HOUR, keys: [key('a')] };
    for (const preset of [good, { ...good, lifetime: -1 }]) {
      const { source, events } = watch(URL_, { fetch, preset });
      const waiting = expectUnavailable(source);
      const refreshing = source.refresh();
      source.close();
      await waiting;
      await refreshing;
      expect(events).toEqual([]);
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('may be called by a listener, and twice', async () => {
    const source = remoteJwks(URL_, { fetch: fakeFetch(ok(set(key('a')))), onEvent: () => source.close() });
    await expectUnavailable(source);
    source.close();
    await expectUnavailable(source);
  });
});

describe('the URL', () => {
  const making = (url: unknown, options: object = {}) =>
    errorOf(() => {
      remoteJwks(url as string, options); // also what no type allows
      throw new Error('made');
    });

  it.each(['http://bank.example/jwks', 'http://127.0.0.1.evil.example/', 'http://localhost.evil.example/'])(
    'must not be plain http of another machine: %s',
    async (url) => {
      expect(await making(url)).toMatchObject({ code: 'option_invalid' });
    },
  );

  it.each([
    ...[
      'http://[::ffff:8.8.8.8]/',
      'http://128.0.0.1/',
      'http://10.0.0.1/',
      'http://0.0.0.0/',
      'http://127.1.evil/',
    ],
    ...[
      'ftp://bank.example/',
      'file:///etc/jwks.json',
      'data:application/json,{}',
      'blob:https://bank.example/x',
    ],
    ...['javascript:0', 'ws://localhost/', '/jwks.json', 'bank.example', '', undefined, null, 5, {}],
  ])('must not be %j', async (url) => {
    expect(await making(url)).toMatchObject({ code: 'option_invalid' });
  });

  it.each([
    ...[
      'https://bank.example/',
      'http://localhost:3000/',
      'http://127.0.0.1/',
      'http://127.9.9.9/',
      'http://[::1]:1/',
    ],
    ...['HTTP://LOCALHOST/', 'http://0x7f.1/'],
  ])('may be %s', async (url) => {
    expect(await making(url)).toMatchObject({ message: 'made' });
    expect(await making(new URL(url))).toMatchObject({ message: 'made' });
  });

  it.each(['https://user:s3cr3t@bank.example/', 'https://user@bank.example/', 'http://:s3cr3t@localhost/'])(
    'must not hold credentials: %s',
    async (url) => {
      const error = await making(url);
      expect(error).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('credentials'),
      });
      expect(everythingOf(error)).not.toContain('s3cr3t');
      expect(await making(url, { [allowInsecureKeys]: true })).toMatchObject({ code: 'option_invalid' });
    },
  );

  it('is opened up by the marked symbol only, which no JSON can hold', async () => {
    const url = 'http://bank.example/';
    expect(await making(url, { [allowInsecureKeys]: true })).toMatchObject({ message: 'made' });
    expect(await making('ftp://bank.example/', { [allowInsecureKeys]: true })).toMatchObject({
      code: 'option_invalid',
    });
    for (const options of [
      { allowInsecureKeys: true },
      { 'e2ee.allowInsecureKeys': true },
      { [Symbol.for('e2ee.allowInsecureKeys')]: true },
      { [allowInsecureKeys]: 'true' },
      { [allowInsecureKeys]: 1 },
    ]) {
      expect(await making(url, options)).toMatchObject({ code: 'option_invalid' });
    }
  });
});

describe('a bad option', () => {
  const NO_TIME = [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', {}];
  const NO_TIMEOUT = [...NO_TIME, 0, 1.5, 2 ** 31]; // what AbortSignal.timeout would throw at, or make nothing of

  it.each<[option: string, values: readonly unknown[]]>([
    ['fetch', [null, 5, 'fetch', {}]],
    ['onEvent', [null, 5, {}]],
    ['algs', [null, [], 'RSA-OAEP-256', ['RSA-OAEP'], ['RSA-OAEP-256', 'toString'], [undefined]]],
    [
      'headers',
      [5, { 'a b': 'c' }, { authorization: 's3cr3t\n' + 's3cr3t' }, { authorization: 's3cr3t \u2603' }],
    ],
    ['timeout', NO_TIMEOUT],
    ['maxBytes', NO_TIME],
    ['cooldown', NO_TIME],
    ['staleLimit', NO_TIME],
  ])('%s is refused by name', async (option, values) => {
    for (const value of values) {
      const error = await errorOf(() => remoteJwks(URL_, { [option]: value }));
      expect(error).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining(`\`${option}\``),
      });
      expect(everythingOf(error)).not.toContain('s3cr3t');
    }
  });
});

describe('headers', () => {
  it('may replace what is sent by default, in any letter case', async () => {
    const fetch = fakeFetch(ok(set(key('a'))));
    await watch(URL_, { fetch, headers: { Accept: 'application/json' } }).source.current();
    expect(fetch.mock.calls[0]?.[1]?.headers).toEqual({ accept: 'application/json' });
  });
});
