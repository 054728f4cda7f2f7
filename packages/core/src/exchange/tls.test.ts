import { describe, expect, it } from 'vitest';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { createE2eeClient } from './client.js';
import type { E2eeEvent } from './events.js';
import type { E2eeRequest } from './message.js';
import { createE2eeServer } from './server.js';
import type { RequireTls } from './tls.js';

const [pair] = RSA;
const keyRing = await createKeyRing({ keys: await decryptionKeyOf(pair) });
const encryptionKeys = staticKeys(await importKey(pair.publicJwk));
const events: E2eeEvent[] = [];
const onEvent = (event: E2eeEvent): void => void events.push(event);
const server = (requireTls?: RequireTls) =>
  createE2eeServer({ profile: banked, keyRing, onEvent, ...(requireTls !== undefined && { requireTls }) });

const KEYS = { method: 'GET', path: banked.publication.path, headers: {} };
const COVERED = { method: 'POST', path: '/v2/payment_sessions', headers: {}, body: {} };
const RESPONSE_ONLY = { method: 'GET', path: '/v2/payment_sessions/1', headers: {} };
const OTHER = { method: 'GET', path: '/health', headers: {} };

describe('a server end that requires TLS', () => {
  it.each([COVERED, RESPONSE_ONLY])(
    'refuses an operation of the policy without it: $method $path',
    async (request) => {
      const end = server(true);
      for (const secure of [false, undefined, 'yes', 1]) {
        const insecure = { ...request, secure } as E2eeRequest;
        expect(() => end.covers(insecure)).toThrow(
          expect.objectContaining({ code: 'tls_required', status: 403 }),
        );
        expect(await errorOf(end.decryptRequest(insecure))).toMatchObject({ code: 'tls_required' });
      }
      expect(end.covers({ ...request, secure: true }).operation).toBeDefined();
      expect(await end.decryptRequest({ ...request, secure: true })).toMatchObject({ path: request.path });
    },
  );

  it('refuses to hand out keys without it: whoever changes them on the way can read everything', async () => {
    const end = server(true);
    expect(() => end.covers(KEYS)).toThrow(expect.objectContaining({ code: 'tls_required' }));
    expect(await errorOf(end.publishedKeys(KEYS))).toMatchObject({ code: 'tls_required' });
    expect((await end.publishedKeys({ ...KEYS, secure: true }))?.status).toBe(200);
  });

  it('passes what is not in the policy', async () => {
    const end = server(true);
    expect(end.covers(OTHER)).toEqual({ keys: false, request: false, response: false });
    expect(await end.decryptRequest(OTHER)).toBe(OTHER);
  });

  it('believes no header, unless it is told that a proxy sets it', async () => {
    const forwarded = { 'X-Forwarded-Proto': 'https' };
    expect(await errorOf(server(true).decryptRequest({ ...COVERED, headers: forwarded }))).toMatchObject({
      code: 'tls_required',
    });
    await server('trust-proxy').decryptRequest({ ...COVERED, headers: forwarded });
    await server('trust-proxy').decryptRequest({ ...COVERED, secure: true });
  });

  it.each(['http', 'https, http', 'http,https', '', 'https,', 'httpss', 'on'])(
    'takes a forwarded %j for a step in the clear, though the last one was TLS',
    async (proto) => {
      const request = { ...COVERED, secure: true, headers: { 'x-forwarded-proto': proto } };
      expect(await errorOf(server('trust-proxy').decryptRequest(request))).toMatchObject({
        code: 'tls_required',
      });
      await server(true).decryptRequest(request); // the header is nobody's
    },
  );

  it.each(['https', 'HTTPS', 'https, https', 'https,https'])(
    'takes a forwarded %j for TLS',
    async (proto) => {
      const headers = { 'x-forwarded-proto': proto };
      expect(server('trust-proxy').covers({ ...COVERED, headers }).request).toBe(true);
    },
  );

  it('tells the operator, with the operation', () => {
    events.length = 0;
    expect(() => server(true).covers(COVERED)).toThrow();
    expect(events).toMatchObject([
      { type: 'request_refused', operation: 'POST /v2/payment_sessions', error: { code: 'tls_required' } },
    ]);
  });

  it('is asked for: without the option nothing is refused', async () => {
    for (const end of [server(), server(false)]) {
      expect(end.covers(COVERED).request).toBe(true);
      await end.decryptRequest(COVERED);
    }
  });
});

describe('a client end that requires TLS', () => {
  const client = (requireTls?: boolean) =>
    createE2eeClient({ profile: banked, encryptionKeys, ...(requireTls !== undefined && { requireTls }) });

  it.each([COVERED, RESPONSE_ONLY, OTHER])(
    'refuses every request that goes without: $method $path',
    async (request) => {
      for (const secure of [false, undefined])
        expect(await errorOf(client(true).encryptRequest({ ...request, secure }))).toMatchObject({
          code: 'tls_required',
        });
      await client(true).encryptRequest({ ...request, secure: true });
      await client().encryptRequest(request);
    },
  );

  it('believes no header of its own request', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    expect(await errorOf(client(true).encryptRequest({ ...COVERED, headers }))).toMatchObject({
      code: 'tls_required',
    });
  });
});

it.each(['yes', 1, null, 'trust_proxy', {}])('a bad `requireTls` is refused by name: %j', (requireTls) => {
  const expected = expect.objectContaining({
    code: 'option_invalid',
    message: expect.stringContaining('`requireTls`'),
  });
  expect(() => server(requireTls as never)).toThrow(expected);
  expect(() =>
    createE2eeClient({ profile: banked, encryptionKeys, requireTls: requireTls as never }),
  ).toThrow(expected);
});
