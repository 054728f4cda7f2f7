import { generateKeyPairSync } from 'node:crypto';
import {
  banked,
  createE2eeClient,
  createKeyRing,
  type E2eeClient,
  type E2eeResponse,
  importKey,
  type KeyRing,
  leakGuard,
  remoteJwks,
} from '@e2ee/core';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBank, type HandledCall, type Listening, listen, type PartnerRegistration } from './index.js';

/* Over loopback sockets, with nothing but `fetch` and the client end of core. */

const PEM = { SPKI: 'spki', 'PKCS#1': 'pkcs1' } as const;

function keyPair(form: keyof typeof PEM): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey: publicKey.export({ type: PEM[form], format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

type Choice = PartnerRegistration['response'];
const CHOICES: readonly Choice[] = ['redact', 'encrypt', 'message'];
const KEYS = { encrypt: keyPair('SPKI'), message: keyPair('PKCS#1') };
const SECRET = 'correct horse: battery staple';

const partners: PartnerRegistration[] = [
  { clientId: 'redact', clientSecret: SECRET, response: 'redact' },
  { clientId: 'encrypt', clientSecret: SECRET, response: 'encrypt', publicKey: KEYS.encrypt.publicKey },
  { clientId: 'message', clientSecret: SECRET, response: 'message', publicKey: KEYS.message.publicKey },
];

let keyRing: KeyRing;
let bank: Listening;
const handled: HandledCall[] = [];
const clients: Partial<Record<Choice, E2eeClient>> = {};
const others: Listening[] = [];

beforeAll(async () => {
  keyRing = await createKeyRing();
  bank = await listen(await createBank({ keyRing, partners, onHandled: (call) => handled.push(call) }));
  for (const choice of CHOICES) clients[choice] = await clientOf(choice);
});
afterAll(async () => {
  await Promise.all([bank, ...others].map((server) => server.close()));
});

async function clientOf(choice: Choice): Promise<E2eeClient> {
  const encryptionKeys = remoteJwks(`${bank.url}/.well-known/jwks.json`);
  if (choice === 'redact') return createE2eeClient({ profile: banked, encryptionKeys, leakGuard });
  const keys = await importKey(KEYS[choice].privateKey);
  return createE2eeClient({
    profile: banked,
    encryptionKeys,
    keyRing: await createKeyRing({ keys }),
    leakGuard,
  });
}

function basic(id: string, secret: string = SECRET): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly authorization?: string | undefined;
}

interface Called {
  /** As it came over the wire. */
  readonly raw: E2eeResponse;
  /** As the client end restores it. */
  readonly restored: E2eeResponse;
}

async function call(choice: Choice, path: string, { method = 'POST', body }: Sent = {}): Promise<Called> {
  const client = clients[choice];
  if (!client) throw new Error('There is no client');
  const headers = { 'content-type': 'application/json', authorization: basic(choice) };
  const request = await client.encryptRequest({ method, path, headers, body });
  const response = await fetch(bank.url + path, {
    method,
    headers: { ...request.headers },
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
  });
  const raw = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: parsed(await response.text()),
  };
  return { raw, restored: await client.decryptResponse(request, raw) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function plain(
  path: string,
  { method = 'GET', body, authorization }: Sent = {},
  url = bank.url,
): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: {
      ...(authorization && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

function token(form: Record<string, string>, authorization?: string, url = bank.url): Promise<Response> {
  return fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: authorization ? { authorization } : {},
    body: new URLSearchParams(form),
  });
}

const GRANT = { grant_type: 'client_credentials' };

describe('access tokens', () => {
  test('are given for id and secret in the form, and open the API', async () => {
    const response = await token({ ...GRANT, client_id: 'redact', client_secret: SECRET });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { access_token, ...rest } = (await response.json()) as { access_token: string };
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 900 });
    expect(decodeProtectedHeader(access_token).alg).toBe('ES256');
    expect(decodeJwt(access_token).sub).toBe('redact');
    const list = await plain('/v2/payment_sessions', { authorization: `Bearer ${access_token}` });
    expect(list.status).toBe(200);
  });

  test('are given for Basic credentials, form-encoded as RFC 6749 asks', async () => {
    const encoded = basic('redact', encodeURIComponent(SECRET));
    expect((await token(GRANT, encoded)).status).toBe(200);
  });

  test.each([
    [
      'a wrong secret',
      { ...GRANT, client_id: 'redact', client_secret: 'wrong' },
      undefined,
      401,
      'invalid_client',
    ],
    [
      'an unknown client',
      { ...GRANT, client_id: 'nobody', client_secret: SECRET },
      undefined,
      401,
      'invalid_client',
    ],
    ['no credentials', GRANT, undefined, 401, 'invalid_client'],
    ['a wrong secret by Basic', GRANT, basic('redact', 'wrong'), 401, 'invalid_client'],
    ['a damaged percent code', GRANT, basic('redact', '%zz'), 401, 'invalid_client'],
    ['another grant', { grant_type: 'password' }, basic('redact'), 400, 'unsupported_grant_type'],
  ])('are refused for %s', async (_, form, authorization, status, error) => {
    const response = await token(form as Record<string, string>, authorization);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
  });

  test('a body that is not a form is refused', async () => {
    const response = await plain('/oauth/token', { method: 'POST', body: GRANT });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test('can be signed with RS256, expire, and are good at one bank only', async () => {
    const other = await listen(
      await createBank({ keyRing, partners, accessTokens: { algorithm: 'RS256', lifetime: 0 } }),
    );
    others.push(other);
    const response = await token(
      { ...GRANT, client_id: 'redact', client_secret: SECRET },
      undefined,
      other.url,
    );
    const { access_token } = (await response.json()) as { access_token: string };
    expect(decodeProtectedHeader(access_token).alg).toBe('RS256');
    const authorization = `Bearer ${access_token}`;
    expect((await plain('/v2/payment_sessions', { authorization }, other.url)).status).toBe(401);
    expect((await plain('/v2/payment_sessions', { authorization })).status).toBe(401);
  });
});

describe('without valid credentials', () => {
  const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${Buffer.from('{"sub":"redact"}').toString('base64url')}.`;

  test.each([
    ['none', undefined],
    ['a wrong secret', basic('redact', 'wrong')],
    ['an empty secret', basic('redact', '')],
    ['an unknown client', basic('constructor')],
    ['no colon', `Basic ${Buffer.from('redact').toString('base64')}`],
    ['a token that is none', 'Bearer x.y.z'],
    ['an unsigned token', `Bearer ${unsigned}`],
  ])('%s: 401 and no handler is reached', async (_, authorization) => {
    handled.length = 0;
    const response = await plain('/v2/bank_accounts', { method: 'POST', body: { name: 'x' }, authorization });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      errors: [{ code: 'unauthorized', source: 'authorization' }],
    });
    expect(handled).toEqual([]);
  });

  test('the public keys can be had', async () => {
    const response = await plain('/.well-known/jwks.json');
    expect(response.status).toBe(200);
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
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
  });
});

const SESSION = {
  amount: 1250,
  currency: 'GBP',
  payee: { name: 'Zoë', account_number: '00417382', sort_code: '040004' },
  payer: { name: '読書会', age: 0, verified: false, nickname: '', born: null },
  mandate: ['a', { b: '9223372036854775807' }],
  mandate_id: 'mnd-1',
};
const REDACTED_SESSION = {
  payee: { name: '[REDACTED]', account_number: '[REDACTED]', sort_code: '[REDACTED]' },
  payer: {
    name: '[REDACTED]',
    age: '[REDACTED]',
    verified: '[REDACTED]',
    nickname: '[REDACTED]',
    born: null,
  },
};

describe('payment sessions', () => {
  test.each(CHOICES)('%s: the handler works with plain values, the answer is as chosen', async (choice) => {
    handled.length = 0;
    const { raw, restored } = await call(choice, '/v2/payment_sessions', { body: SESSION });
    expect(raw.status).toBe(201);
    expect(handled.map(({ operation, body }) => ({ operation, body }))).toEqual([
      { operation: 'POST /v2/payment_sessions', body: SESSION },
    ]);
    const redacted = {
      ...REDACTED_SESSION,
      mandate: ['[REDACTED]', { b: '[REDACTED]' }],
      mandate_id: '[REDACTED]',
    };
    expect(restored.body).toMatchObject(choice === 'redact' ? { ...SESSION, ...redacted } : SESSION);
    expect(formOf(raw)).toBe(choice);
    expect(JSON.stringify(raw.body)).not.toMatch(/Zoë|読書会|9223372036854775807|mnd-1/);
  });

  test.each(CHOICES)('%s: reading one, and all, without the mandate', async (choice) => {
    const created = (await call(choice, '/v2/payment_sessions', { body: SESSION })).restored.body as {
      id: string;
    };
    const { mandate, mandate_id, ...visible } = SESSION;
    const expected = { ...visible, ...(choice === 'redact' && REDACTED_SESSION), id: created.id };
    const one = await call(choice, `/v2/payment_sessions/${created.id}`, { method: 'GET' });
    expect(one.restored.body).toMatchObject(expected);
    expect(one.restored.body).not.toHaveProperty('mandate_id');
    const all = await call(choice, '/v2/payment_sessions', { method: 'GET' });
    expect(all.restored.body).toContainEqual(one.restored.body);
    expect(JSON.stringify([one.raw.body, all.raw.body])).not.toMatch(/Zoë|読書会|mnd-1/);
  });

  test('a partner sees only its own', async () => {
    const { restored } = await call('encrypt', '/v2/payment_sessions', { body: SESSION });
    const { id } = restored.body as { id: string };
    const other = await call('redact', `/v2/payment_sessions/${id}`, { method: 'GET' });
    expect(other.raw).toMatchObject({ status: 404, body: { errors: [{ code: 'not_found', source: 'id' }] } });
    const list = await call('redact', '/v2/payment_sessions', { method: 'GET' });
    expect(JSON.stringify(list.raw.body)).not.toContain(id);
  });
});

/** Which choice an answer has the form of. */
function formOf({ headers, body }: E2eeResponse): Choice {
  if (headers['content-type']?.startsWith('application/jose')) return 'message';
  return JSON.stringify(body).includes('"encrypted_payee":"eyJ') ? 'encrypt' : 'redact';
}

describe('bank accounts and mandates come back redacted, whatever was chosen', () => {
  const account = {
    name: 'Zoë',
    account_number: '00417382',
    sort_code: '',
    account_identifier: 'GB33',
    extra: [0],
  };
  const mandate = {
    reference: 'r',
    source: { name: 'Zoë', limit: null },
    destination: '',
    actions: [{ source: 0, amount: 1 }, { source: { name: '読書会' } }, {}],
  };
  const X = '[REDACTED]';

  test.each(CHOICES)('%s', async (choice) => {
    handled.length = 0;
    const accounts = await call(choice, '/v2/bank_accounts', { body: account });
    const mandates = await call(choice, '/v2/mandates', { body: mandate });
    expect(handled.map(({ body }) => body)).toEqual([account, mandate]);
    expect(accounts.restored).toMatchObject({
      status: 201,
      body: { name: X, account_number: X, sort_code: X, account_identifier: X, extra: [0] },
    });
    expect(mandates.restored).toMatchObject({
      status: 201,
      body: {
        reference: 'r',
        source: { name: X, limit: null },
        destination: X,
        actions: [{ source: X, amount: 1 }, { source: { name: X } }, {}],
      },
    });
    expect(JSON.stringify([accounts.raw.body, mandates.raw.body])).not.toMatch(/Zoë|読書会|00417382/);
  });
});

describe('validation', () => {
  test.each([
    ['/v2/payment_sessions', { amount: 1 }, 'required', 'payee'],
    ['/v2/payment_sessions', { payee: 1, amount: -1 }, 'invalid', 'amount'],
    ['/v2/payment_sessions', { payee: 1, currency: 'pounds' }, 'invalid', 'currency'],
    ['/v2/bank_accounts', { label: 'x' }, 'required', 'account_number'],
    ['/v2/mandates', { reference: 'x' }, 'required', 'source'],
    ['/v2/mandates', { source: 1, reference: 5 }, 'invalid', 'reference'],
    ['/v2/mandates', {}, 'required', 'source'],
  ])('%s refuses %o: %s %s', async (path, body, code, source) => {
    const { raw } = await call('redact', path, { body });
    expect(raw).toMatchObject({ status: 400, body: { errors: [{ code, source }] } });
  });

  test('names everything that is wrong', async () => {
    const body = { payer: {}, amount: 0.5, currency: 7 };
    const { raw } = await call('redact', '/v2/payment_sessions', { body });
    expect(raw.body).toEqual({
      errors: [
        {
          code: 'invalid',
          source: 'amount',
          title: 'amount must be a whole number of minor units, 0 or more',
        },
        { code: 'invalid', source: 'currency', title: 'currency must be an ISO 4217 code' },
      ],
    });
  });

  test('is encrypted for a partner that wants whole messages', async () => {
    const { raw, restored } = await call('message', '/v2/payment_sessions', {
      body: { payer: {}, amount: 'x' },
    });
    expect(raw).toMatchObject({
      status: 400,
      headers: { 'content-type': expect.stringContaining('application/jose') as unknown },
    });
    expect(restored.body).toMatchObject({ errors: [{ source: 'amount' }] });
  });

  test('takes null and 0 for known members, and anything for others', async () => {
    const body = { payee: null, amount: 0, currency: null, reference: null, x: [false, ''] };
    expect((await call('redact', '/v2/payment_sessions', { body })).raw.status).toBe(201);
  });
});

describe('other requests', () => {
  test('a body that is not JSON, too large, or in plain', async () => {
    const send = (body: unknown): Promise<Response> =>
      plain('/v2/mandates', { method: 'POST', body, authorization: basic('redact') });
    expect(await bodyOf(await send('{"source":'), 400)).toMatchObject({ errors: [{ source: 'body' }] });
    expect(await bodyOf(await send({ source: 'x'.repeat(1_100_000) }), 413)).toMatchObject({
      errors: [{ code: 'too_large' }],
    });
    expect(await bodyOf(await send({ source: 'canary' }), 400)).toMatchObject({
      errors: [{ source: 'source' }],
    });
  });

  test('an unknown path', async () => {
    const response = await plain('/v2/nothing', { authorization: basic('redact') });
    expect(await bodyOf(response, 404)).toMatchObject({ errors: [{ code: 'not_found' }] });
  });

  test('a key that the bank does not hold: the rejection of the documentation', async () => {
    const stranger = await createKeyRing();
    const other = await listen(await createBank({ keyRing: stranger, partners: [] }));
    others.push(other);
    const client = createE2eeClient({
      profile: banked,
      encryptionKeys: remoteJwks(`${other.url}/.well-known/jwks.json`),
    });
    const request = { method: 'POST', path: '/v2/mandates', headers: {}, body: { source: 'x' } };
    const { body } = await client.encryptRequest(request);
    const response = await plain('/v2/mandates', { method: 'POST', body, authorization: basic('redact') });
    expect(await bodyOf(response, 422)).toEqual({
      errors: [{ code: 'invalid', source: 'encryption key', title: 'invalid encryption key' }],
    });
  });
});

async function bodyOf(response: Response, status: number): Promise<unknown> {
  expect(response.status).toBe(status);
  return response.json();
}

describe('registration', () => {
  test('encryption needs a key', async () => {
    const registration = { clientId: 'a', clientSecret: SECRET, response: 'encrypt' } as const;
    await expect(createBank({ keyRing, partners: [registration] })).rejects.toThrow(
      /has to register a public key/,
    );
  });

  test('a private key, and two partners of one id, are refused', async () => {
    const mistaken = { ...partners[1], publicKey: KEYS.encrypt.privateKey } as PartnerRegistration;
    await expect(createBank({ keyRing, partners: [mistaken] })).rejects.toMatchObject({
      code: 'key_invalid',
    });
    const twice = [partners[0], partners[0]] as PartnerRegistration[];
    await expect(createBank({ keyRing, partners: twice })).rejects.toThrow(/same client id/);
  });
});
