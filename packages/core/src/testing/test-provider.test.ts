import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refusal, twoEnds } from '../../test/two-ends.js';
import { createE2eeClient } from '../exchange/client.js';
import type { E2eeRequest } from '../exchange/message.js';
import { createKeyRing, type KeyRing } from '../keys/key-ring.js';
import { memoryKeyStore } from '../keys/key-store.js';
import { remoteJwks } from '../keys/remote-jwks.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import type { FaultName } from './faults.js';
import { e2eeMatchers, isEncrypted, isRedacted } from './matchers.js';
import { publicKeysOf } from './public-keys.js';
import { createTestProvider, type TestProvider } from './test-provider.js';

/** With keys that take no time to make. */
const profile: Profile = {
  ...banked,
  encrypt: { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' },
  accept: { alg: ['ECDH-ES+A256KW'], enc: ['A256GCM'] },
};
const PATH = '/v2/payment_sessions';
const payee = { name: 'John Doe', account_number: '12345678' };
const request: E2eeRequest = { method: 'POST', path: PATH, headers: {}, body: { amount: 1999, payee } };

let merchant: KeyRing;
let provider: TestProvider;

beforeAll(async () => {
  merchant = await createKeyRing({ profile });
});

beforeEach(async () => {
  provider = await createTestProvider({
    profile,
    recipient: () => ({ id: 'shop', encryptionKeys: publicKeysOf(merchant), response: 'encrypt' }),
    onEvent: () => {},
  });
  provider.handle(`POST ${PATH}`, ({ body }) => ({ status: 201, body }));
});

/** A client end with what it reports. */
function clientEnd(): { client: ReturnType<typeof createE2eeClient>; events: string[] } {
  const events: string[] = [];
  const client = createE2eeClient({
    profile,
    encryptionKeys: provider.encryptionKeys,
    keyRing: merchant,
    onEvent: ({ type }) => events.push(type),
  });
  return { client, events };
}

test('a call is shown as it crossed the wire and as the handler saw it', async () => {
  const { client } = clientEnd();
  const answer = await provider.send(await client.encryptRequest(request));
  const { wire, plain } = provider.lastCall;
  expect(wire.request.body).toEqual({ amount: 1999, encrypted_payee: expect.stringMatching(/^ey/) });
  expect(plain.request?.body).toEqual(request.body);
  expect(plain.response).toMatchObject({ status: 201, body: request.body });
  expect(wire.response).toBe(answer);
  expect(isEncrypted((answer.body as Record<string, unknown>).encrypted_payee)).toBe(true);
  expect((await client.decryptResponse(request, answer)).body).toEqual(request.body);
});

test('without a recipient the answer is redacted', async () => {
  const bare = await createTestProvider({ profile, keyRing: provider.keyRing });
  bare.handle(`POST ${PATH}`, ({ body }) => ({ body }));
  const { client } = clientEnd();
  const { body, status } = await bare.send(await client.encryptRequest(request));
  expect(status).toBe(200);
  expect(isRedacted((body as typeof request & { payee: unknown }).payee)).toBe(true);
});

test('a request that the server end refuses reaches no handler and is answered as by the profile', async () => {
  const answer = await provider.send(request);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ errors: [{ code: 'plaintext_refused', source: 'payee' }] });
  expect(provider.lastCall.plain).toEqual({});
});

test('paths have parameters, and a later handler takes the place of an earlier one', async () => {
  provider
    .handle('GET /v2/payment_sessions/:id', () => ({ status: 404 }))
    .handle('GET /v2/payment_sessions/:id', ({ path }) => ({ body: { path } }));
  const answer = await provider.send({ method: 'GET', path: `${PATH}/ps_1?x=1`, headers: {} });
  expect(answer).toMatchObject({ status: 200, body: { path: `${PATH}/ps_1?x=1` } });
});

test.each([
  ['GET /things/:id', 'GET /things/:key', '/things/1'],
  ['GET /Things', 'GET /things/', '/things'],
])('a later handler takes the place of an earlier one: %s, %s', async (earlier, later, path) => {
  provider
    .handle(earlier, () => ({ body: 'earlier' }))
    .handle('GET /things/:id/parts', () => ({ body: 'other' }))
    .handle(later, () => ({ body: 'later' }));
  expect(await provider.send({ method: 'GET', path, headers: {} })).toMatchObject({ body: 'later' });
  const other = await provider.send({ method: 'GET', path: '/things/1/parts', headers: {} });
  expect(other).toMatchObject({ status: 200, body: 'other' });
});

test('mistakes of a test are told: no call, no handler, no operation, no such fault, a handler that throws', async () => {
  expect(() => provider.lastCall).toThrow('never called');
  await expect(provider.send({ method: 'GET', path: '/other?secret', headers: {} })).rejects.toThrow(
    /no handler for GET \/other$/,
  );
  expect(() => provider.handle('nonsense', () => ({}))).toThrow('nonsense');
  expect(() => provider.handle('GET /x', undefined as never)).toThrow('`handler`');
  for (const times of [0, -1, 1.5, Number.NaN, '2' as never])
    expect(() => provider.fail('server_error', times)).toThrow(TypeError);
  expect(() => provider.fail('sleepy' as FaultName)).toThrow('jwks_down');
  provider.handle('GET /boom', () => {
    throw new RangeError('boom');
  });
  await expect(provider.send({ method: 'GET', path: '/boom', headers: {} })).rejects.toThrow(RangeError);
});

test('after a rotation the key before still decrypts; a key that is revoked is rejected and recovered from', async () => {
  const { client } = clientEnd();
  const sent = await client.encryptRequest(request);
  await provider.rotate();
  expect((await provider.send(sent)).status).toBe(201);
  expect((await client.encryptRequest(request)).body).not.toEqual(sent.body);

  await provider.revoke();
  const { encryptionKeys } = provider;
  await encryptionKeys.refresh();
  const fresh = await client.encryptRequest(request);
  await provider.revoke();
  const rejection = await provider.send(fresh);
  expect(rejection).toMatchObject({ status: 422, body: profile.keyRejection.body });
  expect(await client.recoverFrom(request, rejection)).toBe(true);
  expect((await provider.send(await client.encryptRequest(request))).status).toBe(201);
});

describe('faults', () => {
  const ANSWERS: Partial<Record<FaultName, object>> = {
    key_rejected: { status: 422, body: profile.keyRejection.body },
    over_capacity: { status: 503, headers: { 'retry-after': expect.any(String) } },
    server_error: { status: 500 },
  };

  test.each(Object.entries(ANSWERS))('%s answers once, and calls no handler', async (name, answer) => {
    const { client } = clientEnd();
    const sent = await client.encryptRequest(request);
    provider.fail(name as FaultName);
    expect(await provider.send(sent)).toMatchObject(answer);
    expect(provider.lastCall.plain).toEqual({});
    expect((await provider.send(sent)).status).toBe(201);
  });

  test('key_rejected does not help a client that looks for another key', async () => {
    const { client } = clientEnd();
    provider.fail('key_rejected');
    const rejection = await provider.send(await client.encryptRequest(request));
    expect(await client.recoverFrom(request, rejection)).toBe(false);
  });

  test('unreachable rejects until the provider recovers', async () => {
    const { client } = clientEnd();
    const sent = await client.encryptRequest(request);
    provider.fail('unreachable', Number.POSITIVE_INFINITY);
    for (const _ of [1, 2]) await expect(provider.send(sent)).rejects.toThrow(TypeError);
    expect(provider.lastCall.wire.response).toBeUndefined();
    provider.recover();
    expect((await provider.send(sent)).status).toBe(201);
  });

  test.each(['jwks_down', 'jwks_empty'] as const)('%s leaves a client end without keys', async (fault) => {
    const { client } = clientEnd();
    provider.fail(fault);
    expect((await refusal(client.encryptRequest(request))).code).toBe('keys_unavailable');
    expect((await client.encryptRequest(request)).body).not.toHaveProperty('payee');
  });

  test('with keys at hand, a client end goes on while the JWKS is down', async () => {
    const { client } = clientEnd();
    await client.encryptRequest(request);
    provider.fail('jwks_down', Number.POSITIVE_INFINITY);
    await provider.encryptionKeys.refresh();
    expect((await provider.send(await client.encryptRequest(request))).status).toBe(201);
  });

  test('answer_plain comes unprotected, and the client end reports it', async () => {
    const { client, events } = clientEnd();
    provider.fail('answer_plain');
    const answer = await provider.send(await client.encryptRequest(request));
    expect(answer.body).toEqual(request.body);
    await client.decryptResponse(request, answer);
    expect(events).toEqual(['plaintext_received']);
  });

  test('answer_tampered is refused by the client end', async () => {
    const { client } = clientEnd();
    provider.fail('answer_tampered');
    const answer = await provider.send(await client.encryptRequest(request));
    expect((await refusal(client.decryptResponse(request, answer))).code).toBe('token_invalid');
  });

  test.each(['answer_tampered', 'answer_plain'] as const)(
    '%s waits for what it can change',
    async (fault) => {
      const { client } = clientEnd();
      const sent = await client.encryptRequest(request);
      provider.handle('GET /open', () => ({ body: { id: 'ps_1' } })).fail(fault);
      expect(await provider.send({ method: 'GET', path: '/open', headers: {} })).toMatchObject({
        status: 200,
      });
      expect(await provider.send(request)).toMatchObject({ status: 400 });
      provider.fail('over_capacity');
      expect(await provider.send(sent)).toMatchObject({ status: 503 });
      const answer = await provider.send(sent);
      const outcome = await client.decryptResponse(request, answer).catch(({ code }) => code);
      if (fault === 'answer_plain') expect(answer.body).toEqual(request.body);
      else expect(outcome).toBe('token_invalid');
      expect((await client.decryptResponse(request, await provider.send(sent))).body).toEqual(request.body);
    },
  );

  test('two faults of answers strike one after the other', async () => {
    const { client } = clientEnd();
    const sent = await client.encryptRequest(request);
    provider.fail('answer_plain');
    provider.fail('answer_tampered');
    expect((await provider.send(sent)).body).toEqual(request.body);
    const { code } = await refusal(client.decryptResponse(request, await provider.send(sent)));
    expect(code).toBe('token_invalid');
  });
});

describe('fetch', () => {
  const url = `https://api.example.com${PATH}`;

  test('answers the keys to remoteJwks, from any origin', async () => {
    const keys = remoteJwks('https://any.example/.well-known/jwks.json', {
      fetch: provider.fetch,
      algs: ['ECDH-ES+A256KW'],
    });
    expect((await keys.current()).kid).toBe((await provider.encryptionKeys.current()).kid);
    expect(provider.calls).toEqual([]);
  });

  test('answers operations, and records them', async () => {
    const { client } = clientEnd();
    const { method, body } = await client.encryptRequest(request);
    const headers = { 'content-type': 'application/json' };
    const response = await provider.fetch(`${url}?x=1`, { method, headers, body: JSON.stringify(body) });
    expect(response.status).toBe(201);
    expect(await response.json()).toHaveProperty('encrypted_payee');
    expect(provider.lastCall.wire.request).toMatchObject({ method, path: `${PATH}?x=1`, body });
  });

  test('gives no body to statuses without one, and heeds an abort', async () => {
    provider.handle('DELETE /v2/mandates/:id', () => ({ status: 204, body: 'x' }));
    const gone = await provider.fetch('https://api.example.com/v2/mandates/1', { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
    await expect(provider.fetch(url, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  test('gives no body to HEAD', async () => {
    provider.handle('GET /open', () => ({ body: { a: 1 } }));
    const response = await provider.fetch('https://api.example.com/open', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe('');
  });

  test.each<[string, (signal: AbortSignal) => Parameters<typeof fetch>]>([
    ['in the options', (signal) => ['https://api.example.com/slow', { signal }]],
    ['in a Request', (signal) => [new Request('https://api.example.com/slow', { signal })]],
  ])('ends a call with the reason of a signal %s, whatever the handler does', async (_, make) => {
    const controller = new AbortController();
    const reason = new Error('given up');
    provider.handle('GET /slow', () => {
      controller.abort(reason);
      return new Promise(() => {});
    });
    await expect(provider.fetch(...make(controller.signal))).rejects.toBe(reason);
  });

  test('hands a body to the handler as a framework does: what is not announced as JSON is text', async () => {
    const seen: unknown[] = [];
    provider.handle('POST /open', ({ body }) => {
      seen.push(body);
      return {};
    });
    for (const [type, body] of [
      ['text/plain', '123'],
      ['application/jose', 'null'],
      ['application/json', 'null'],
      ['application/problem+json; charset=utf-8', '{"a":1}'],
      ['application/json', '{"a":'],
      ['application/json', ''],
    ] as const) {
      const headers = { 'content-type': type };
      await provider.fetch('https://api.example.com/open', { method: 'POST', headers, body });
    }
    expect(seen).toEqual(['123', 'null', null, { a: 1 }, '{"a":', undefined]);
  });
});

test('publicKeysOf follows a ring, and a ring without a key has none', async () => {
  const keyRing = await createKeyRing({ alg: 'ECDH-ES', store: memoryKeyStore() });
  const keys = publicKeysOf(keyRing);
  const before = (await keys.current()).kid;
  const { kid } = await keyRing.rotate();
  expect((await keys.current()).kid).toBe(kid);
  expect(kid).not.toBe(before);
  await expect(publicKeysOf({ ...keyRing, jwks: () => ({ keys: [] }) }).current()).rejects.toMatchObject({
    code: 'key_invalid',
  });
});

test('the matchers agree with what both ends do', async () => {
  const { client } = await twoEnds();
  const { body } = await client.encryptRequest(request);
  const token = (body as Record<string, unknown>).encrypted_payee;
  expect(e2eeMatchers.toBeEncrypted(token).pass).toBe(true);
  expect(e2eeMatchers.toHaveNoPlaintext(body, 'John Doe', '12345678').pass).toBe(true);
});
