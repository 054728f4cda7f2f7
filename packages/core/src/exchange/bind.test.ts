import { beforeAll, describe, expect, it } from 'vitest';
import { countingRing, party, post, refusal } from '../../test/two-ends.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { importKey } from '../keys/import-key.js';
import type { EncryptionKey } from '../keys/key.js';
import type { PolicyRows } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { E2eeEvent } from './events.js';
import type { E2eeRequest } from './message.js';
import { encryptedBy } from './open-request.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const ROWS: PolicyRows = { card: { request: 'encrypt', response: 'redact' } };
const POLICY = {
  'POST /known': { payee: { request: 'encrypt', response: 'redact' } },
  'GET /a/:id': { payee: { response: 'redact' } },
  'GET /:a/b/c': { payee: { response: 'redact' } },
} as const;
const HEADERS = { 'content-type': 'application/json' };

let server: E2eeServer;
let key: EncryptionKey;
const events: E2eeEvent[] = [];

beforeAll(async () => {
  const { keyRing } = await countingRing(await party('bank'));
  const imported = await importKey(keyRing.jwks().keys[0] ?? {});
  if (imported.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  key = imported;
  server = createE2eeServer({
    profile: banked,
    policy: POLICY,
    keyRing,
    unmatched: 'refuse',
    onEvent: (event) => events.push(event),
  });
});

const sealed = (value: unknown): Promise<string> =>
  encryptJwe(new TextEncoder().encode(JSON.stringify(value)), key);

describe('a server end that is bound to a handler', () => {
  it('covers every path by its rows, under the name of the handler', async () => {
    const bound = server.bind('Shop.pay', ROWS);
    for (const path of ['/', '/anything/else?a=1', '/%2e%2e'])
      expect(bound.covers({ method: 'PATCH', path })).toMatchObject({
        operation: 'Shop.pay',
        request: true,
        response: true,
      });
    const { body } = await bound.decryptRequest(post('/x', { encrypted_card: await sealed(1) }));
    expect(body).toEqual({ card: 1 });
    const answer = { status: 200, headers: HEADERS, body: { card: 1, payee: 2 } };
    const { body: shown } = await bound.protectResponse(post('/x'), answer);
    expect(shown).toEqual({ card: '[REDACTED]', payee: 2 });
    events.length = 0;
    await refusal(() => bound.decryptRequest(post('/x', { card: 1 })));
    expect(events).toMatchObject([{ type: 'request_refused', operation: 'Shop.pay' }]);
  });

  it('goes by the policy as well where that knows the path, and its own rows count', async () => {
    const bound = server.bind('Shop.pay', { ...ROWS, payee: { response: 'none' } });
    expect(bound.covers({ method: 'POST', path: '/known' }).operation).toBe('POST /known');
    const answer = { status: 200, headers: HEADERS, body: { card: 1, payee: 2, other: 3 } };
    const { body } = await bound.protectResponse(post('/known'), answer);
    expect(body).toEqual({ card: '[REDACTED]', payee: 2, other: 3 });
    const alone = server.bind('Shop.pay', ROWS);
    expect((await alone.protectResponse(post('/known'), answer)).body).toEqual({
      card: '[REDACTED]',
      payee: '[REDACTED]',
      other: 3,
    });
  });

  it('does not change the server end that it was made from, nor follow what is changed later', () => {
    const rows = { card: { response: 'redact' as const } };
    const bound = server.bind('Shop.pay', rows);
    Reflect.deleteProperty(rows, 'card');
    expect(bound.covers({ method: 'GET', path: '/x' }).response).toBe(true);
    expect(server.covers({ method: 'GET', path: '/x' })).toEqual({
      keys: false,
      request: true,
      response: false,
    });
  });

  it('refuses bad rows when it is made, naming the handler', async () => {
    for (const rows of [{ card: { response: 'hide' } }, { 'a..b': {} }, { a: {}, 'a.b': null }, null]) {
      const error = await refusal(async () => server.bind('Shop.pay', rows as never));
      expect(error).toMatchObject({ code: 'policy_invalid', message: expect.stringContaining('Shop.pay') });
    }
  });

  it('refuses where its rows contradict the policy, and paths that the policy finds ambiguous', async () => {
    const bound = server.bind('Shop.pay', { 'payee.name': { response: 'redact' } });
    expect(bound.covers({ method: 'GET', path: '/x' }).operation).toBe('Shop.pay');
    const contradiction = await refusal(async () => bound.covers({ method: 'POST', path: '/known' }));
    expect(contradiction.code).toBe('policy_invalid');
    const ambiguous = await refusal(async () => bound.covers({ method: 'GET', path: '/a/b%2Fc' }));
    expect(ambiguous.code).toBe('operation_refused');
  });
});

describe('a decrypted request', () => {
  it('tells which key each value was encrypted to, and nothing of plain ones', async () => {
    const rows = {
      'a.#.b': { request: 'encrypt' },
      c: { request: 'encrypt' },
      d: { request: 'encrypt' },
    } as const;
    const bound = server.bind('Shop.pay', rows);
    const b = await sealed('x');
    const body = { a: [{ encrypted_b: b }, { encrypted_b: b }], encrypted_c: await sealed(null) };
    const kidsOf = async (request: E2eeRequest, end = bound) =>
      encryptedBy(await end.decryptRequest(request));
    expect(await kidsOf(post('/x', body))).toEqual({ 'a.#.b': key.kid, c: key.kid });
    expect(await kidsOf(post('/x', { e: 1 }))).toEqual({});
    const whole = server.bind('Shop.pay', { $: { request: 'encrypt' } });
    const message = { ...post('/x', await sealed({})), headers: { 'content-type': 'application/jose' } };
    expect(await kidsOf(message, whole)).toEqual({ $: key.kid });
  });

  it('tells the key of the first value where a path has several', async () => {
    const [first, second] = [await party('bank'), await party('partner')];
    const { keyRing } = await countingRing(first, second);
    const rows = { 'a.#.b': { request: 'encrypt' } } as const;
    const bound = createE2eeServer({ profile: banked, keyRing }).bind('Shop.pay', rows);
    const a = await Promise.all(
      [second, first, first].map(async ({ encryptionKey }) => ({
        encrypted_b: await encryptJwe(new TextEncoder().encode('1'), encryptionKey),
      })),
    );
    expect(encryptedBy(await bound.decryptRequest(post('/x', { a })))).toEqual({ 'a.#.b': 'partner' });
  });
});
