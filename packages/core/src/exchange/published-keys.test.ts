import { beforeAll, describe, expect, it, vi } from 'vitest';
import { memberOf, party } from '../../test/two-ends.js';
import { createKeyRing, type KeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import type { E2eeResponse } from './message.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const PATH = '/.well-known/jwks.json';
const SINGLE: Profile = {
  ...banked,
  publication: { ...banked.publication, path: '/publickey', form: 'jwk', maxAge: 60 },
};

let keyRing: KeyRing;
let server: E2eeServer;
beforeAll(async () => {
  keyRing = await createKeyRing();
  server = createE2eeServer({ profile: banked, keyRing });
});

function get(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<E2eeResponse | undefined> {
  return server.publishedKeys({ method, path, headers });
}

describe('publishing the keys', () => {
  it('answers with the public members of the active keys and nothing else', async () => {
    const answered = await get(PATH);
    expect(answered).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    const keys = memberOf(answered?.body, 'keys') as object[];
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual([
      'alg',
      'bknd.exp',
      'bnkd.iat',
      'e',
      'kid',
      'kty',
      'n',
      'use',
    ]);
    expect(keys[0]).toMatchObject({
      kty: 'RSA',
      use: 'enc',
      alg: 'RSA-OAEP-256',
      e: 'AQAB',
      kid: keyRing.jwks().keys[0]?.kid,
    });
  });

  it('writes the times under the names of the profile, in seconds', async () => {
    const [published] = memberOf((await get(PATH))?.body, 'keys') as object[];
    const [iat, exp] = [memberOf(published, 'bnkd.iat'), memberOf(published, 'bknd.exp')] as number[];
    const now = Date.now() / 1000;
    expect(Number(iat)).toBeGreaterThan(now - 120);
    expect(Number(iat)).toBeLessThanOrEqual(now);
    expect(Number(exp)).toBeGreaterThan(now);
    expect(Number(exp)).toBeLessThan(now + 366 * 86_400);
  });

  it('leaves times out where they are not known', async () => {
    const ring = await createKeyRing({ keys: (await party('bank')).decryptionKey });
    const own = createE2eeServer({ profile: banked, keyRing: ring });
    const answered = await own.publishedKeys({ method: 'GET', path: PATH, headers: {} });
    const [published] = memberOf(answered?.body, 'keys') as object[];
    expect(Object.keys(published ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('answers with a single JWK where the profile says so, at the path and for the time of the profile', async () => {
    const single = createE2eeServer({ profile: SINGLE, keyRing });
    const answered = await single.publishedKeys({ method: 'GET', path: '/publickey', headers: {} });
    expect(memberOf(answered?.body, 'kid')).toBe(keyRing.jwks().keys[0]?.kid);
    expect(answered?.body).not.toHaveProperty('keys');
    expect(answered?.headers['cache-control']).toBe('public, max-age=60');
    expect(await single.publishedKeys({ method: 'GET', path: PATH, headers: {} })).toBeUndefined();
  });

  it('fails with 503 when there is no single key to publish', async () => {
    const empty = ringWith({ jwks: () => ({ keys: [] }) });
    const single = createE2eeServer({ profile: SINGLE, keyRing: empty });
    await expect(
      single.publishedKeys({ method: 'GET', path: '/publickey', headers: {} }),
    ).rejects.toMatchObject({
      code: 'keys_unavailable',
      status: 503,
    });
  });

  it.each([
    PATH,
    '/.WELL-KNOWN/JWKS.JSON',
    `${PATH}/`,
    '//.well-known//jwks.json',
    `${PATH}?v=1`,
    '/.well-known/jwks%2ejson',
    '/%2ewell-known/jwks.json',
    '/x/../.well-known/jwks.json',
  ])('knows the path %s', async (path) => {
    expect((await get(path))?.status).toBe(200);
  });

  it.each([
    '/',
    '/.well-known',
    '/.well-known/jwks',
    '/.well-known/jwks.json/x',
    '/v2/.well-known/jwks.json',
    '/jwks.json',
    '',
  ])('has nothing to say to the path %s', async (path) => {
    expect(await get(path)).toBeUndefined();
  });

  it('answers HEAD like GET', async () => {
    const [head, full] = [await get(PATH, {}, 'head'), await get(PATH)];
    expect(head).toMatchObject({ status: 200, headers: full?.headers ?? {} });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'refuses %s with 405 and says what is allowed',
    async (method) => {
      expect(await get(PATH, {}, method)).toEqual({ status: 405, headers: { allow: 'GET, HEAD' } });
    },
  );

  it('sends a strong ETag that stays as long as the keys do, and how long to keep the answer', async () => {
    const [one, two] = [await get(PATH), await get(PATH)];
    expect(one?.headers.etag).toMatch(/^"[\w-]{43}"$/);
    expect(two?.headers.etag).toBe(one?.headers.etag);
    expect(one?.headers['cache-control']).toBe('public, max-age=600');
  });

  it('lets nobody keep a key beyond its expiry, and makes grace as long as the profile needs', async () => {
    const START = 1_800_000_000;
    vi.useFakeTimers({ toFake: ['Date'], now: START * 1000 });
    const ring = await createKeyRing({ lifetime: 1500 });
    const profile = { ...banked, publication: { ...banked.publication, maxAge: 3600 } };
    const own = createE2eeServer({ profile, keyRing: ring });
    const cacheControlAt = async (time: number): Promise<string | undefined> => {
      vi.setSystemTime((START + time) * 1000);
      const answered = await own.publishedKeys({ method: 'GET', path: PATH, headers: {} });
      return answered?.headers['cache-control'];
    };
    const [old] = ring.describe();
    expect(await cacheControlAt(0)).toBe('public, max-age=1500');
    expect(await cacheControlAt(1200.5)).toBe('public, max-age=299');
    await ring.rotate();
    const replaced = ring.describe().find(({ kid }) => kid === old?.kid);
    const until = new Date((START + 1200.5 + 3600 + 86_400 + 300) * 1000).toISOString();
    expect(replaced?.decryptsUntil).toBe(until);
    vi.useRealTimers();
  });

  it('lets pages of every origin read the keys', async () => {
    for (const method of ['GET', 'HEAD'])
      expect((await get(PATH, { origin: 'https://shop.example' }, method))?.headers).toMatchObject({
        'access-control-allow-origin': '*',
      });
  });

  it('answers 304 without a body to whoever has the keys already', async () => {
    const headers = { 'cache-control': 'public, max-age=600', 'access-control-allow-origin': '*' };
    const etag = String((await get(PATH))?.headers.etag);
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, ` ${etag} , "x"`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answered = await get(PATH, { 'If-None-Match': condition }, method);
        expect(answered).toEqual({ status: 304, headers: { ...headers, etag } });
      }
    }
    for (const condition of ['', '"other"', etag.slice(0, -2), etag.replaceAll('"', '')]) {
      expect((await get(PATH, { 'if-none-match': condition }))?.status, condition).toBe(200);
    }
  });

  it('changes the ETag and the answer when the keys rotate, and says nothing of the old key', async () => {
    const ring = await createKeyRing();
    const own = createE2eeServer({ profile: banked, keyRing: ring });
    const ask = (headers: Record<string, string>) =>
      own.publishedKeys({ method: 'GET', path: PATH, headers });
    const before = await ask({});
    const old = ring.jwks().keys[0]?.kid;
    await ring.rotate();
    const after = await ask({ 'if-none-match': String(before?.headers.etag) });
    expect(after?.status).toBe(200);
    expect(after?.headers.etag).not.toBe(before?.headers.etag);
    const published = memberOf(after?.body, 'keys') as object[];
    for (const key of published) expect(ring.find(String(memberOf(key, 'kid')))).toBeDefined();
    expect(ring.find(String(old))).toBeDefined(); // still decrypts
  });

  it('rotates a key that is due before publishing it', async () => {
    let asked = 0;
    const ring = ringWith({
      rotateIfDue: async () => {
        asked += 1;
      },
    });
    const own = createE2eeServer({ profile: banked, keyRing: ring });
    await own.publishedKeys({ method: 'GET', path: PATH, headers: {} });
    await own.publishedKeys({ method: 'GET', path: '/other', headers: {} });
    expect(asked).toBe(1);
  });
});

/** A key ring of which some members are replaced: only what publishing uses is there. */
function ringWith(members: Partial<KeyRing>): KeyRing {
  const used: Partial<KeyRing> = {
    find: (kid) => keyRing.find(kid),
    jwks: () => keyRing.jwks(),
    rotateIfDue: () => keyRing.rotateIfDue(),
  };
  return { ...used, ...members } as KeyRing; // publishing calls no other member
}
