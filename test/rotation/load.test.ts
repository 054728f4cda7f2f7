import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { e2ee } from '@e2ee/axios-interceptor';
import {
  banked,
  createE2eeClient,
  type E2eeRequest,
  importKey,
  type PublishedJwk,
  type RemoteJwks,
  remoteJwks,
  staticKeys,
} from '@e2ee/core';
import axios from 'axios';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Balancer, type Instance, startBalancer, startInstance } from './instances.js';

/**
 * How long a replaced key decrypts, in seconds. Published keys may be kept for 60 s at least, so that in a test of a few
 * seconds a client hears of a new key only by a rejection: soon after each rotation, and after the revocation.
 */
const GRACE = 0.5;
/** Four rejections within ten seconds are more than the 30 s between two forced fetches would let a client recover from. */
const COOLDOWN = 500;
const KEYS = '/.well-known/jwks.json';
const SESSIONS = '/v2/payment_sessions';

let directory: string;
let instances: readonly [Instance, Instance];
let balancer: Balancer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-load-'));
  instances = await Promise.all([startInstance(directory, GRACE), startInstance(directory, GRACE)]);
  balancer = await startBalancer(instances.map(({ port }) => port));
});

afterAll(async () => {
  await balancer?.close();
  await Promise.all((instances ?? []).map((instance) => instance.stop()));
  await rm(directory, { recursive: true, force: true });
});

/** A client of the API that calls it until it is stopped. */
interface Client {
  readonly keys: RemoteJwks;
  readonly calls: () => number;
  readonly failures: readonly string[];
  readonly stop: () => Promise<void>;
}

function startClient(name: string): Client {
  const keys = remoteJwks(balancer.url + KEYS, { cooldown: COOLDOWN, headers: { 'x-client': name } });
  const api = axios.create({ baseURL: balancer.url });
  e2ee(api, { profile: banked, encryptionKeys: keys });
  const failures: string[] = [];
  let calls = 0;
  let running = true;

  async function call(): Promise<void> {
    calls += 1;
    const id = `${name}-${calls}`;
    const payee = { name: 'Ada', account_number: `0${calls}`, notes: [null, 0, id] };
    const body = { amount: calls, payee, payer: { name: id }, mandate_id: `mandate of ${id}` };
    try {
      const { data } = await api.post(SESSIONS, body, { headers: { 'idempotency-key': id } });
      expect(data.echo).toEqual(body);
    } catch (error) {
      failures.push(`${id}: ${error}`);
    }
  }

  async function run(): Promise<void> {
    while (running) {
      await call();
      await sleep(20);
    }
  }

  const loops = [run(), run()];
  return {
    keys,
    calls: () => calls,
    failures,
    async stop() {
      running = false;
      await Promise.all(loops);
      keys.close();
    },
  };
}

/** Takes what one instance publishes at an instant, and tries it on the other one, until it is stopped. */
function startSampler(isRevoked: (kid: string) => boolean): {
  stop: () => Promise<{ samples: number; violations: string[] }>;
} {
  const violations: string[] = [];
  let samples = 0;
  let running = true;

  async function sample(publisher: Instance, other: Instance): Promise<void> {
    const takenAt = performance.now();
    const keys = await publishedBy(publisher);
    if (keys.length !== 1) violations.push(`${keys.length} keys are published`);
    for (const jwk of keys) {
      const kid = String(jwk.kid);
      const status = await sendTo(other, jwk);
      samples += 1;
      if (status === 201) continue;
      // Between the look and the call a key may have been revoked, or the machine may have slept through the grace.
      const isOver = isRevoked(kid) && (await publishedBy(publisher)).every((key) => key.kid !== kid);
      const isLate = performance.now() - takenAt > GRACE * 1000;
      if (!isOver && !isLate) violations.push(`${kid} is published, and answered with ${status}`);
    }
  }

  async function run(): Promise<void> {
    const [a, b] = instances;
    while (running) {
      await Promise.all([sample(a, b), sample(b, a)]);
      await sleep(15);
    }
  }

  const loop = run();
  return {
    async stop() {
      running = false;
      await loop;
      return { samples, violations };
    },
  };
}

async function publishedBy(instance: Instance): Promise<readonly PublishedJwk[]> {
  const response = await fetch(instance.url + KEYS);
  const { keys } = (await response.json()) as { keys: PublishedJwk[] }; // the instance is ours
  return keys;
}

async function sendTo(instance: Instance, jwk: PublishedJwk): Promise<number> {
  const client = createE2eeClient({ profile: banked, encryptionKeys: staticKeys(await importKey(jwk)) });
  const headers = { 'content-type': 'application/json' };
  const request: E2eeRequest = { method: 'POST', path: SESSIONS, headers, body: { payee: { name: 'Sam' } } };
  const sealed = await client.encryptRequest(request);
  const body = JSON.stringify(sealed.body);
  const response = await fetch(instance.url + SESSIONS, { method: 'POST', headers: sealed.headers, body });
  await response.text();
  return response.status;
}

function kidsIn(body: string): string[] {
  const members = Object.entries(JSON.parse(body) as Record<string, unknown>); // it is an object
  const tokens = members.filter(([name]) => name.startsWith('encrypted_')).map(([, token]) => String(token));
  return tokens.map(
    (token) => JSON.parse(Buffer.from(token.split('.', 1).join(), 'base64url').toString()).kid,
  );
}

test('3 rotations and a revocation of 2 processes under load cost no call, and at most one retry each', {
  timeout: 60_000,
}, async () => {
  const clients = new Map(['ann', 'ben', 'cem'].map((name) => [name, startClient(name)]));
  const everyClient = [...clients.values()];
  /** From when on a key may be rejected, in milliseconds since the epoch. */
  const ends = new Map<string, number>();
  const inUse = (kid: string): Promise<void> =>
    vi.waitFor(
      () => {
        for (const { keys } of everyClient) expect(keys.status().kid).toBe(kid);
      },
      { timeout: 8_000, interval: 20 },
    );
  const activeOf = (keys: Awaited<ReturnType<Instance['order']>>): string => {
    const active = keys.filter(({ state }) => state === 'active');
    expect(active).toHaveLength(1);
    return active[0]?.kid ?? '';
  };

  const sampler = startSampler((kid) => ends.has(kid));
  const kids = [activeOf(await instances[0].order('describe'))];
  await inUse(kids[0] as string);
  for (const turn of [0, 1, 2]) {
    const keys = await instances[turn % 2 === 0 ? 0 : 1].order('rotate');
    for (const { kid, decryptsUntil } of keys) if (decryptsUntil) ends.set(kid, Date.parse(decryptsUntil));
    kids.push(activeOf(keys));
    await inUse(kids.at(-1) as string);
  }
  const revoked = kids.at(-1) as string;
  ends.set(revoked, Date.now());
  kids.push(activeOf(await instances[1].order('revoke', revoked)));
  await inUse(kids.at(-1) as string);
  await sleep(200);
  await Promise.all(everyClient.map((client) => client.stop()));
  const { samples, violations } = await sampler.stop();

  const fetches = balancer.passed.filter(({ path }) => path === KEYS);
  const sends = balancer.passed.filter(({ path }) => path === SESSIONS);
  const rejected = sends.filter(({ status }) => status === 422);
  const sendsPerCall = new Map<string, number>();
  for (const { headers } of sends) {
    const id = String(headers['idempotency-key']);
    sendsPerCall.set(id, (sendsPerCall.get(id) ?? 0) + 1);
  }
  const calls = everyClient.reduce((sum, client) => sum + client.calls(), 0);
  console.info(
    `${calls} calls, ${sends.length} sends, ${rejected.length} rejections, ${fetches.length} fetches of the key set, ${samples} samples`,
  );

  expect(everyClient.flatMap(({ failures }) => failures)).toEqual([]);
  expect(violations).toEqual([]);
  expect(new Set(kids).size).toBe(5);
  expect(sendsPerCall.size).toBe(calls);
  expect(Math.max(...sendsPerCall.values())).toBe(2);
  expect(sends.length - calls).toBe(rejected.length);
  // While a key is rotated out, and for the grace, nobody is rejected.
  for (const { body, at } of rejected)
    for (const kid of kidsIn(body)) expect(at).toBeGreaterThanOrEqual(ends.get(kid) ?? Infinity);
  // The first use, and one forced fetch for each of the four keys that went out of use.
  for (const name of clients.keys())
    expect(fetches.filter(({ headers }) => headers['x-client'] === name)).toHaveLength(5);
  expect(calls).toBeGreaterThan(50);
  expect(samples).toBeGreaterThan(10);
});
