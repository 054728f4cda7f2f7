import { createKeyRing } from '@e2ee/core';
import { describe, expect, it } from 'vitest';
import { bank, bankOptions, keyOf, ringWith, sealed } from '../test/bank.js';
import { versions } from '../test/versions.js';
import { call, exchange, listen } from '../test/wire.js';

const JWKS = '/.well-known/jwks.json';
const ring = await createKeyRing();
const { kid } = await keyOf(ring);
/** Another ring, whose first key is no longer published. */
const rotated = await createKeyRing();
const retired = await keyOf(rotated);
await rotated.rotate();

describe.each(versions)('the published keys on $name', (version) => {
  it('are the public members of the active key, its times under the names of the profile', async () => {
    const { app } = bank(version, { keyRing: ring });
    const { status, headers, json, bytes } = await call(await listen(app), { path: JWKS });
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'application/json',
      'public, max-age=600',
    ]);
    expect(headers['content-length']).toBe(String(bytes.length));
    const { keys } = json as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(
      ['alg', 'bknd.exp', 'bnkd.iat', 'e', 'kid', 'kty', 'n', 'use'].sort(),
    );
    expect(keys[0]).toMatchObject({ kid, use: 'enc', alg: 'RSA-OAEP-256' });
  });

  it('may be read by every origin, unless the application has said which', async () => {
    const { express, e2ee } = version;
    const app = express();
    app.use((req, res, next) => {
      if (req.query.cors) res.set('Access-Control-Allow-Origin', 'https://shop.example');
      next();
    });
    app.use(express.json(), e2ee(bankOptions({ keyRing: ring })));
    const port = await listen(app);
    const allowedBy = async (path: string): Promise<unknown> =>
      (await call(port, { path })).headers['access-control-allow-origin'];
    expect(await allowedBy(JWKS)).toBe('*');
    expect(await allowedBy(`${JWKS}?cors=1`)).toBe('https://shop.example');
  });

  it('never hold a private member or a key that is no longer published', async () => {
    const { app } = bank(version, { keyRing: rotated });
    const { json, text } = await call(await listen(app), { path: JWKS });
    const { keys } = json as { keys: Record<string, unknown>[] };
    expect(keys.map((key) => key.kid)).toEqual([(await keyOf(rotated)).kid]);
    expect(text).not.toContain(retired.kid);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
      expect(keys[0]).not.toHaveProperty(member);
  });

  it('have an ETag, which spares sending them again until they change', async () => {
    let current = ring;
    const { app } = bank(version, { keyRing: ringWith(ring, { jwks: () => current.jwks() }) });
    const port = await listen(app);
    const etag = String((await call(port, { path: JWKS })).headers.etag);
    expect(etag).toMatch(/^"[\w-]{20,}"$/);
    for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await call(port, { path: JWKS, headers: { 'if-none-match': condition } });
      expect(answer).toMatchObject({ status: 304, text: '', headers: { etag } });
      expect(answer.headers['cache-control']).toBe('public, max-age=600');
      expect(answer.headers).not.toHaveProperty('content-type');
      expect(answer.headers).not.toHaveProperty('content-length');
    }
    current = rotated;
    const changed = await call(port, { path: JWKS, headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  it('answer HEAD without a body', async () => {
    const { app } = bank(version, { keyRing: ring });
    const port = await listen(app);
    const { headers } = await call(port, { path: JWKS });
    const answer = await call(port, { method: 'HEAD', path: JWKS });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: headers.etag } });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'answer %s with 405 and what is allowed',
    async (method) => {
      const { app } = bank(version, { keyRing: ring });
      app.use(() => expect.unreachable());
      const port = await listen(app);
      const answer = await call(port, {
        method,
        path: JWKS,
        ...(method !== 'OPTIONS' && { body: { keys: [] } }),
      });
      expect(answer).toMatchObject({ status: 405, text: '', headers: { allow: 'GET, HEAD' } });
    },
  );

  it.each([
    '/.WELL-KNOWN/JWKS.json',
    `${JWKS}/`,
    `/${JWKS}`,
    `${JWKS}?cache=1`,
    '/.well-known/./jwks.json',
    '/%2ewell-known/%6awks.json',
    'http://bank.example/.well-known/jwks.json',
  ])('are found as %s', async (target) => {
    const { app } = bank(version, { keyRing: ring });
    const answer = await exchange(
      await listen(app),
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain(kid);
  });

  it.each(['/.well-known', `${JWKS}x`, '/well-known/jwks.json', `${JWKS}/x`, `/x${JWKS}`])(
    'are not found as %s',
    async (path) => {
      const { app } = bank(version, { keyRing: ring });
      expect(await call(await listen(app), { path })).toMatchObject({ status: 404 });
    },
  );

  it('are found below the prefix where the adapter is mounted', async () => {
    const { express, e2ee } = version;
    const app = express().use('/bank', e2ee(bankOptions({ keyRing: ring })));
    const port = await listen(app);
    expect((await call(port, { path: `/bank${JWKS}` })).text).toContain(kid);
    expect(await call(port, { path: JWKS })).toMatchObject({ status: 404 });
  });

  it('go elsewhere, as a single key, where the profile says so', async () => {
    const { profile } = bankOptions();
    const publication = { ...profile.publication, path: '/keys/current', form: 'jwk' as const };
    const { app } = bank(version, { keyRing: ring, profile: { ...profile, publication } });
    const port = await listen(app);
    expect((await call(port, { path: '/keys/current' })).json).toMatchObject({ kid, kty: 'RSA' });
    expect(await call(port, { path: JWKS })).toMatchObject({ status: 404 });
  });

  it('need no body parser and no handler, and open what is encrypted to them', async () => {
    const { express, e2ee } = version;
    const app = express().use(e2ee(bankOptions({ keyRing: ring })), express.json());
    expect(await call(await listen(app), { path: JWKS })).toMatchObject({ status: 200 });
    const { app: other } = bank(version, { keyRing: ring });
    other.post('/v2/notes', (req, res) => res.json(req.body));
    const body = { encrypted_note: await sealed('x', 'json', await keyOf(ring)) };
    expect((await call(await listen(other), { path: '/v2/notes', body })).json).toEqual({ note: 'x' });
  });

  it('are an error in the form of the profile when the store fails', async () => {
    const failing = ringWith(ring, { jwks: () => ({ keys: [] }) });
    const { profile } = bankOptions();
    const publication = { ...profile.publication, form: 'jwk' as const };
    const { app } = bank(version, { keyRing: failing, profile: { ...profile, publication } });
    const answer = await call(await listen(app), { path: JWKS });
    expect(answer).toMatchObject({ status: 503, json: { errors: [{ code: 'keys_unavailable' }] } });
    expect(answer.headers['retry-after']).toBe('30');
  });
});
