import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { e2ee as e2eeAxios } from '@e2ee/axios-interceptor';
import {
  banked,
  createE2eeClient,
  createKeyRing,
  type E2eeResponse,
  type KeyRing,
  memoryKeyStore,
  type RemoteJwks,
  type RemoteJwksOptions,
  type RemoteJwksState,
  remoteJwks,
} from '@e2ee/core';
import { e2ee as e2eeExpress } from '@e2ee/express';
import axios, { type AxiosInstance } from 'axios';
import express from 'express';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runBeside } from './instances.js';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const KEYS = '/.well-known/jwks.json';
const SESSIONS = '/v2/payment_sessions';
const REJECTION: E2eeResponse = { status: 422, headers: {}, body: banked.keyRejection.body };
const body = { amount: 1999, payee: { name: 'Ada', account_number: '01234567' } };

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

let ring: KeyRing;

/** Keys are slow to make: all tests rotate one ring. */
beforeAll(async () => {
  ring = await createKeyRing();
});

/** Takes the active key out of use, so that whoever still has it is rejected. */
async function replaceKey(): Promise<string> {
  const replaced = kidOf(ring);
  await ring.revoke(replaced);
  expect(kidOf(ring)).not.toBe(replaced);
  return kidOf(ring);
}

const kidOf = (of: KeyRing): string => String(of.jwks().keys[0]?.kid);

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A provider on a real socket. */
interface Bank {
  readonly url: string;
  readonly sends: Sent[];
  /** How often the key set was fetched. */
  fetches: number;
  /** Holds back the answers to fetches until it is resolved. */
  hold: Promise<void> | undefined;
}

async function startBank(): Promise<Bank> {
  const app = express();
  app.set('etag', false);
  app.use((req, res, next) => {
    if (req.path !== KEYS) return next();
    bank.fetches += 1;
    if (!bank.hold) return next();
    const { keys } = structuredClone(ring.jwks()); // as they are when it is asked, not when it answers
    return void bank.hold.then(() => res.json({ keys }));
  });
  app.post('/uploads', async (req, res) => {
    bank.sends.push({
      method: req.method,
      url: req.originalUrl,
      headers: req.headers,
      body: await text(req),
    });
    res.status(REJECTION.status).json(REJECTION.body);
  });
  app.use(express.json());
  app.use((req, _res, next) => {
    const { method, originalUrl: url, headers } = req;
    if (req.path !== KEYS) bank.sends.push({ method, url, headers, body: req.body });
    next();
  });
  app.use(e2eeExpress({ profile: banked, keyRing: ring, onEvent: () => {} }));
  app.post(SESSIONS, (req, res) => void res.status(201).json({ echo: req.body }));
  const server = app.listen(0, '127.0.0.1');
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  cleanup.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
  const bank: Bank = { url, sends: [], fetches: 0, hold: undefined };
  return bank;
}

function clientOf(bank: Bank, options: RemoteJwksOptions = {}): { api: AxiosInstance; keys: RemoteJwks } {
  const keys = remoteJwks(bank.url + KEYS, options);
  cleanup.push(() => keys.close());
  const api = axios.create({ baseURL: bank.url });
  e2eeAxios(api, { profile: banked, encryptionKeys: keys });
  return { api, keys };
}

/** A client that holds the active key, and then a bank that does not accept it any more. */
async function rejectedClient(): Promise<{ bank: Bank; api: AxiosInstance; keys: RemoteJwks; kid: string }> {
  const bank = await startBank();
  const client = clientOf(bank);
  await client.keys.current();
  expect(bank.fetches).toBe(1);
  return { bank, ...client, kid: await replaceKey() };
}

const echoOf = async (call: Promise<{ data: { echo: unknown } }>): Promise<unknown> => (await call).data.echo;
const failureOf = (call: Promise<unknown>): Promise<{ code?: string; response?: { status: number } }> =>
  call.then(
    () => expect.unreachable('this call should have failed'),
    (error: { code?: string }) => error,
  );

describe('key rejections', () => {
  it('10,000 in a second, and again every second, are one forced fetch per cooldown', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(ring.jwks()));
    const encryptionKeys = remoteJwks('https://bank.example/keys', { fetch });
    const client = createE2eeClient({ profile: banked, encryptionKeys });
    const sealed = await client.encryptRequest({ method: 'POST', path: SESSIONS, headers: {}, body });
    expect(fetch).toHaveBeenCalledTimes(1);

    async function second(): Promise<void> {
      for (let i = 0; i < 100; i += 1) {
        const rejections = Array.from({ length: 100 }, () => client.recoverFrom(sealed, REJECTION));
        expect(await Promise.all(rejections)).toEqual(Array(100).fill(false)); // there is no different key
        vi.advanceTimersByTime(10);
      }
    }
    await second();
    expect(fetch).toHaveBeenCalledTimes(2);
    for (let i = 0; i < 4; i += 1) await second();
    vi.advanceTimersByTime(24 * SECOND);
    await second();
    expect(fetch).toHaveBeenCalledTimes(2);
    await second();
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('10,000 in a second are one forced fetch also when the key set cannot be fetched', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(ring.jwks()));
    const client = createE2eeClient({
      profile: banked,
      encryptionKeys: remoteJwks('https://bank.example/keys', { fetch }),
    });
    const sealed = await client.encryptRequest({ method: 'POST', path: SESSIONS, headers: {}, body });
    fetch.mockImplementation(() => Promise.reject(new TypeError('fetch failed')));
    for (let i = 0; i < 100; i += 1) {
      await Promise.all(Array.from({ length: 100 }, () => client.recoverFrom(sealed, REJECTION)));
      vi.advanceTimersByTime(10);
    }
    expect(fetch).toHaveBeenCalledTimes(2);
    // The last good set serves on.
    expect(await client.encryptRequest({ method: 'POST', path: SESSIONS, headers: {}, body })).toBeDefined();
  });

  it('of concurrent calls share one refresh, and each call is retried once', async () => {
    const { bank, api, kid, keys } = await rejectedClient();
    const calls = Array.from({ length: 60 }, (_, i) => echoOf(api.post(SESSIONS, { ...body, amount: i })));
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => ({ ...body, amount: i })));
    expect(bank.fetches).toBe(2);
    expect(bank.sends).toHaveLength(120);
    expect(keys.status().kid).toBe(kid);
  });

  it('leave the call as it was, but for the ciphertext', async () => {
    const { bank, api } = await rejectedClient();
    const headers = { 'idempotency-key': 'key-1', authorization: 'Bearer t', 'x-many': 'a, b' };
    expect(await echoOf(api.post(`${SESSIONS}?a=1`, body, { headers, params: { b: 'ü' } }))).toEqual(body);
    const [first, second] = bank.sends as [Sent, Sent];
    expect(bank.sends).toHaveLength(2);
    expect(first.headers).toMatchObject(headers);
    expect({ ...second, body: undefined }).toEqual({ ...first, body: undefined });
    const { encrypted_payee: before, ...plainBefore } = first.body as Record<string, unknown>; // a JSON object
    const { encrypted_payee: after, ...plainAfter } = second.body as Record<string, unknown>;
    expect(plainAfter).toEqual(plainBefore);
    expect(String(after).split('.')).toHaveLength(5);
    expect(after).not.toBe(before);
  });

  it('that bring no different key are the answer, after one send', async () => {
    const { bank, api } = await rejectedClient();
    const stale = await createKeyRing(); // what the bank publishes by mistake
    vi.spyOn(ring, 'jwks').mockImplementation(() => stale.jwks());
    const other = clientOf(bank);
    expect((await failureOf(other.api.post(SESSIONS, body))).response?.status).toBe(422);
    expect(bank.sends).toHaveLength(1);
    expect(bank.fetches).toBe(3);
    vi.restoreAllMocks();
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
  });

  it('are only what the profile says: another 422 is the answer, and no fetch', async () => {
    const { bank, api } = await rejectedClient();
    const answer = { errors: [{ code: 'invalid', source: 'amount', title: 'must be positive' }] };
    const adapter = vi.fn(async () => ({
      data: answer,
      status: 422,
      statusText: '',
      headers: {},
      config: {},
    }));
    await api.post(SESSIONS, body, { adapter: adapter as never }); // axios fills in the config of an answer
    expect(adapter).toHaveBeenCalledTimes(1);
    expect(bank.fetches).toBe(1);
  });
});

describe('a body that cannot be sent twice', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };

  it.each([
    ['a stream', JSON_TYPE, () => Readable.from(['{"payee":1}'])],
    ['a web stream', JSON_TYPE, () => new Blob(['{"payee":1}']).stream()],
    ['a blob', JSON_TYPE, () => new Blob(['{"payee":1}'])],
    ['bytes', JSON_TYPE, () => new TextEncoder().encode('{"payee":1}')],
    ['a form', {}, formOf],
    ['a form in a URL', {}, () => new URLSearchParams({ payee: '1' })],
  ])('%s is refused before it is sent where the policy applies', async (_, headers, make) => {
    const bank = await startBank();
    const { api } = clientOf(bank);
    const error = await failureOf(api.post(SESSIONS, make(), { headers }));
    expect(['body_unreadable', 'media_type_unsupported']).toContain(error.code);
    expect(bank.sends).toEqual([]);
    expect(bank.fetches).toBe(0);
  });

  function formOf(): FormData {
    const form = new FormData();
    form.set('payee', '1');
    return form;
  }

  it('is sent once where the policy does not, whatever the answer', async () => {
    const { bank, api } = await rejectedClient();
    const headers = { 'content-type': 'application/octet-stream' };
    const error = await failureOf(api.post('/uploads', Readable.from(['abc']), { headers }));
    expect(error.response?.status).toBe(422);
    expect(bank.sends.map((sent) => sent.body)).toEqual(['abc']);
    expect(bank.fetches).toBe(1);
  });

  it('that somebody else has encrypted is sent once', async () => {
    const { bank, api, keys } = await rejectedClient();
    const client = createE2eeClient({ profile: banked, encryptionKeys: keys });
    const sealed = await client.encryptRequest({ method: 'POST', path: SESSIONS, headers: {}, body });
    expect((await failureOf(api.post(SESSIONS, sealed.body))).response?.status).toBe(422);
    expect(bank.sends).toHaveLength(1);
    expect(bank.fetches).toBe(1);
  });
});

describe('a slow answer with old keys', () => {
  it('does not win over a newer one', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const bank = await startBank();
    const { api, keys } = clientOf(bank);
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
    const old = keys.status().kid;

    let release = (): void => {};
    bank.hold = new Promise((resolve) => {
      release = resolve;
    });
    vi.advanceTimersByTime(560 * SECOND); // 80 to 85 % of 600 s: a refresh in the background is due
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
    await vi.waitFor(() => expect(bank.fetches).toBe(2));
    const kid = await replaceKey();
    const rejected = echoOf(api.post(SESSIONS, body));
    await vi.waitFor(() => expect(bank.sends).toHaveLength(3));
    bank.hold = undefined;
    release(); // the old keys, now
    expect(await rejected).toEqual(body);
    expect(bank.sends).toHaveLength(4);
    expect(bank.fetches).toBe(3);
    expect(keys.status().kid).toBe(kid);
    expect(keys.status().kid).not.toBe(old);
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
    expect(bank.fetches).toBe(3);
  });
});

describe('a clock that jumps by a day', () => {
  const setClock = (time: number): void => {
    vi.setSystemTime(time);
  };

  it.each([
    ['forth', [DAY]],
    ['back', [-DAY]],
    ['back and forth', [DAY, -DAY, 0, -DAY, DAY]],
  ])('%s costs no call and no fetch, on either end', async (_, jumps) => {
    const start = Date.now();
    const bank = await startBank();
    const { api } = clientOf(bank);
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    for (const jump of jumps) {
      setClock(start + jump);
      const calls = Array.from({ length: 20 }, () => echoOf(api.post(SESSIONS, body)));
      for (const echo of await Promise.all(calls)) expect(echo).toEqual(body);
      const newcomer = clientOf(bank);
      expect(await echoOf(newcomer.api.post(SESSIONS, body))).toEqual(body);
    }
    expect(bank.fetches).toBe(1 + jumps.length); // one by each newcomer
    expect(bank.sends).toHaveLength(1 + 21 * jumps.length);
  });

  it('while a rejection is being recovered from costs one fetch', async () => {
    const { bank, api } = await rejectedClient();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - DAY });
    const calls = Array.from({ length: 20 }, () => echoOf(api.post(SESSIONS, body)));
    setClock(Date.now() + 2 * DAY);
    for (const echo of await Promise.all(calls)) expect(echo).toEqual(body);
    expect(bank.fetches).toBe(2);
    expect(bank.sends).toHaveLength(40);
  });

  it('back does not keep a ring from opening whose oldest key had ended', async () => {
    const store = memoryKeyStore();
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await createKeyRing({ store, grace: 10 });
    const old = kidOf(first);
    const later: string[] = [];
    for (let i = 0; i < 2; i += 1) {
      setClock(Date.now() + 100 * SECOND);
      later.push((await first.rotate()).kid);
    }
    setClock(Date.now() - DAY);
    const again = await createKeyRing({ store, grace: 10 });
    expect(again.find(old)).toBeUndefined(); // its bytes are gone
    for (const kid of later) expect(again.find(kid)).toBeDefined();
    expect(later).toContain(kidOf(again));
    for (const each of [first, again]) each.close();
  });
});

describe('a process', () => {
  it('ends by itself with a warm key set and an open key ring', async () => {
    const bank = await startBank();
    const directory = await mkdtemp(join(tmpdir(), 'e2ee-idle-'));
    cleanup.push(() => rm(directory, { recursive: true, force: true }));
    const child = runBeside('idle-process.ts', [directory, bank.url + KEYS]);
    cleanup.push(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const [chunk] = await once(child.stdout as Readable, 'data'); // it is piped
    const warmAt = performance.now();
    expect(String(chunk)).toBe('fresh 1\n');
    expect(await ended).toEqual([0, null]);
    const idle = performance.now() - warmAt;
    console.info(`a process with open keys ended ${idle.toFixed(0)} ms after its last work`);
    expect(idle).toBeLessThan(2 * SECOND); // the deadline of a fetch would be 5 s, an idle connection 4 s
    expect(bank.fetches).toBe(2);
  });
});

describe('a preset', () => {
  /** As it goes from one process to the next. */
  async function presetOf(bank: Bank): Promise<RemoteJwksState> {
    const { keys } = clientOf(bank);
    await keys.current();
    bank.fetches = 0;
    return JSON.parse(JSON.stringify(keys.exportState()));
  }

  it('saves the first fetch', async () => {
    const bank = await startBank();
    const { api } = clientOf(bank, { preset: await presetOf(bank) });
    const calls = Array.from({ length: 10 }, () => echoOf(api.post(SESSIONS, body)));
    for (const echo of await Promise.all(calls)) expect(echo).toEqual(body);
    expect(bank.fetches).toBe(0);
    expect(bank.sends).toHaveLength(10);
  });

  it('with a key that was revoked meanwhile costs one fetch, and no call', async () => {
    const bank = await startBank();
    const { api, keys } = clientOf(bank, { preset: await presetOf(bank) });
    const kid = await replaceKey();
    const calls = Array.from({ length: 10 }, () => echoOf(api.post(SESSIONS, body)));
    for (const echo of await Promise.all(calls)) expect(echo).toEqual(body);
    expect(bank.fetches).toBe(1);
    expect(bank.sends).toHaveLength(20);
    expect(keys.status().kid).toBe(kid);
  });
});

describe('a key store that fails', () => {
  it('when a rotation is due does not stop the publication of the key at hand', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = memoryKeyStore();
    const bankRing = await createKeyRing({ store, lifetime: 15 * 86_400 });
    cleanup.push(() => bankRing.close());
    store.update = () => Promise.reject(new Error('read-only file system'));
    setClockPastDue();
    await expect(bankRing.rotateIfDue()).rejects.toThrow('read-only');
    const previous = ring;
    cleanup.push(() => {
      ring = previous;
    });
    ring = bankRing;
    const bank = await startBank();
    const { api } = clientOf(bank);
    expect(await echoOf(api.post(SESSIONS, body))).toEqual(body);
    expect(bank.fetches).toBe(1);
  });

  /** A fifteenth of the lifetime is left, less a second. */
  function setClockPastDue(): void {
    vi.setSystemTime(Date.now() + 14 * DAY + SECOND);
  }
});
