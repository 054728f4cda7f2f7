import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { e2ee } from '@e2ee/axios-interceptor';
import {
  createKeyRing,
  encryptJwe,
  importKey,
  type KeyRing,
  leakGuard,
  powens,
  remoteJwks,
} from '@e2ee/core';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAggregator, type HandledCall } from './index.js';

/* Over loopback sockets, with Axios as a user interface would use it. */

const keyRing: KeyRing = await createKeyRing();
const handled: HandledCall[] = [];
const errors: unknown[] = [];
const app = createAggregator({
  keyRing,
  onHandled: (call) => handled.push(structuredClone(call)),
  encryption: { onEvent: () => {} },
});
app.on('error', (error) => errors.push(error));
const server = createServer(app.callback());
let url: string;
/** A user interface: credentials leave it encrypted. */
let api: AxiosInstance;
/** The same user without the library. */
let bare: AxiosInstance;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port, not on a pipe
  const headers = { authorization: `Bearer ${await newToken()}` };
  const settings = { baseURL: url, headers, proxy: false, validateStatus: () => true } as const;
  bare = axios.create(settings);
  api = axios.create(settings);
  e2ee(api, { profile: powens, encryptionKeys: remoteJwks(`${url}/publickey`), leakGuard });
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function newToken(): Promise<string> {
  const { data } = await axios.post(`${url}/auth/init`, undefined, { proxy: false });
  return data.auth_token;
}

function seen({ status, data }: AxiosResponse): unknown {
  return [status, data];
}

const LOGIN = { id_connector: 59, login: 'jürgen', password: '  0070 pä$$ \u{1f511} ' };

describe('the public key', () => {
  test('is one JWK, for everybody', async () => {
    const { status, data, headers } = await axios.get(`${url}/publickey`, { proxy: false });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(data).toMatchObject({
      kty: 'RSA',
      use: 'enc',
      alg: 'RSA-OAEP-256',
      kid: keyRing.jwks().keys[0]?.kid,
    });
    expect(Object.keys(data)).not.toContain('d');
  });
});

describe('connectors', () => {
  test('are listed, with the fields that each asks for', async () => {
    const { data } = await bare.get('/connectors');
    expect(data.connectors.map(({ id }: { id: number }) => id)).toEqual([59, 33]);
  });

  test('are found by id and by uuid', async () => {
    const { data } = await bare.get('/connectors/33');
    expect(data).toEqual({
      id: 33,
      uuid: '5e3a9c1c-7d4b-5a0e-8f43-0c7a3a3ddc1a',
      name: 'Banque de Bretagne',
      fields: [
        expect.objectContaining({ name: 'website', type: 'list', values: expect.any(Array) }),
        { name: 'login', label: 'Customer number', type: 'text', regex: '\\d{8,11}', required: true },
        { name: 'code', label: 'Personal code', type: 'password', regex: '\\d{4}', required: true },
      ],
    });
    expect((await bare.get(`/connectors/${data.uuid}`)).data).toEqual(data);
    expect(seen(await bare.get('/connectors/1'))).toEqual([
      404,
      { code: 'notFound', description: 'There is no such connector' },
    ]);
  });
});

describe('a connection', () => {
  test('is made of credentials that arrive exactly as they were typed, and are confirmed only', async () => {
    const { status, data } = await api.post('/users/me/connections', LOGIN);
    expect(handled.at(-1)).toMatchObject({ operation: 'POST /users/me/connections', body: LOGIN });
    expect([status, data]).toEqual([
      201,
      {
        id: expect.any(Number),
        id_connector: 59,
        state: null,
        credentials: {
          login: { length: 6, ends_with: 'en' },
          password: { length: 14, ends_with: '\u{1f511} ' },
        },
      },
    ]);
    expect((await bare.get(`/users/me/connections/${data.id}`)).data).toEqual(data);
  });

  test('takes a very long password, and shows nothing of a short one', async () => {
    const password = 'ü'.repeat(512);
    const { data } = await api.post('/users/me/connections', { ...LOGIN, login: 'jo', password });
    expect(data.credentials).toEqual({
      login: { length: 2, ends_with: null },
      password: { length: 512, ends_with: 'üü' },
    });
    expect(handled.at(-1)?.body).toMatchObject({ password });
  });

  test('asks for more where the bank does, and forgets it again', async () => {
    const credentials = { website: 'par', login: '0012345678', code: '0070' };
    const made = await api.post('/users/me/connections', { id_connector: 33, ...credentials });
    expect(made.data).toMatchObject({ state: 'additionalInformationNeeded', fields: [{ name: 'otp' }] });
    const path = `/users/me/connections/${made.data.id}`;
    expect(seen(await api.post(path, { otp: '12' }))).toEqual([
      400,
      { code: 'invalidValue', description: 'otp does not have the format of this field', field: 'otp' },
    ]);
    const { data } = await api.post(path, { otp: '001234' });
    expect(handled.at(-1)?.body).toEqual({ otp: '001234' });
    expect(data.state).toBe(null);
    expect(Object.keys(data.credentials)).toEqual(['website', 'login', 'code']);
  });

  test('takes other credentials', async () => {
    const { data } = await api.post('/users/me/connections', LOGIN);
    const changed = await api.put(`/users/me/connections/${data.id}`, { password: 'another one' });
    expect(changed.data.credentials).toEqual({
      login: { length: 6, ends_with: 'en' },
      password: { length: 11, ends_with: 'ne' },
    });
  });

  test.each([
    ['a field that is missing', { id_connector: 59, login: 'x' }, 'missingField', 'password'],
    ['one that there is not', { ...LOGIN, pin: '1234' }, 'unknownField', 'pin'],
    [
      'a value of another format',
      { id_connector: 33, website: 'par', login: 'x', code: '1234' },
      'invalidValue',
      'login',
    ],
    [
      'a value that is no choice',
      { id_connector: 33, website: 'x', login: '12345678', code: '1' },
      'invalidValue',
      'website',
    ],
    ['an unknown connector', { ...LOGIN, id_connector: 1 }, 'invalidValue', 'id_connector'],
    ['no connector', { login: 'x', password: 'y' }, 'invalidValue', 'id_connector'],
    ['an unknown uuid', { connector_uuid: 'x', login: 'x', password: 'y' }, 'invalidValue', 'connector_uuid'],
  ])('is refused for %s, which the answer names', async (_, body, code, field) => {
    const { status, data } = await api.post('/users/me/connections', body);
    expect([status, data]).toEqual([400, { code, field, description: expect.stringContaining(field) }]);
  });

  test('is refused for credentials that the bank does not accept, without saying which', async () => {
    const refusal = [400, { code: 'wrongpass', description: 'The bank refuses these credentials' }];
    const wrong = { ...LOGIN, password: 'wrong-password' };
    expect(seen(await api.post('/users/me/connections', wrong))).toEqual(refusal);
    const { data } = await api.post('/users/me/connections', LOGIN);
    const path = `/users/me/connections/${data.id}`;
    expect(seen(await api.put(path, { password: 'wrong-password' }))).toEqual(refusal);
    expect((await bare.get(path)).data).toEqual(data);
  });

  test('still waits for the code after a wrong one', async () => {
    const credentials = { id_connector: 33, website: 'par', login: '0012345678', code: '0070' };
    const { data } = await api.post('/users/me/connections', credentials);
    const path = `/users/me/connections/${data.id}`;
    expect((await api.post(path, { otp: '000000' })).data.code).toBe('wrongpass');
    expect((await bare.get(path)).data.state).toBe('additionalInformationNeeded');
    expect((await api.post(path, { otp: '000001' })).data.state).toBe(null);
  });

  test('belongs to its user', async () => {
    const { data } = await api.post('/users/me/connections', LOGIN);
    const headers = { authorization: `Bearer ${await newToken()}` };
    for (const method of ['get', 'post', 'put'] as const) {
      const request = { method, url: `/users/me/connections/${data.id}`, headers };
      expect((await api.request({ ...request, ...(method !== 'get' && { data: LOGIN }) })).status).toBe(404);
    }
  });
});

describe('a transfer', () => {
  test('is validated with what is encrypted in its fields', async () => {
    const made = await api.post('/users/me/transfers', { amount: 12.5, label: 'Rent' });
    expect(made.data).toMatchObject({
      state: 'validating',
      fields: [{ name: 'otp' }, { name: 'transfer_pin' }],
    });
    const body = { validated: true, fields: { otp: '001234', transfer_pin: ' 0 ' } };
    for (const method of ['post', 'put'] as const) {
      const { status, data } = await api[method](`/users/me/transfers/${made.data.id}`, body);
      expect(handled.at(-1)?.body).toEqual(body);
      expect([status, data]).toEqual([
        200,
        {
          id: made.data.id,
          amount: 12.5,
          label: 'Rent',
          state: 'done',
          credentials: { otp: { length: 6, ends_with: '34' }, transfer_pin: { length: 3, ends_with: null } },
        },
      ]);
    }
  });

  test.each([
    [{ fields: { otp: '001234' } }, 'validated'],
    [{ validated: true, fields: {} }, 'otp'],
    [{ validated: true }, 'otp'],
    [{ validated: true, fields: { otp: '001234', more: 'x' } }, 'more'],
  ])('is refused for %o', async (body, field) => {
    const { data } = await api.post('/users/me/transfers', { amount: 1 });
    const answer = await api.post(`/users/me/transfers/${data.id}`, body);
    expect([answer.status, answer.data.field]).toEqual([400, field]);
  });

  test('needs an amount, and to be there', async () => {
    expect((await api.post('/users/me/transfers', { amount: 0 })).data.field).toBe('amount');
    expect((await api.post('/users/me/transfers', { amount: 1, label: 1 })).data.field).toBe('label');
    expect((await api.post('/users/me/transfers/999', { validated: true })).status).toBe(404);
  });
});

describe('a known limit', () => {
  test('a token captured in the intermediate and replayed to another operation is accepted today', async () => {
    const made = await api.post('/users/me/connections', LOGIN);
    const { login, password } = JSON.parse(String(made.config.data));
    const again = await bare.post('/users/me/connections', { id_connector: 59, login, password: login });
    expect(again.status).toBe(201);
    const changed = await bare.put(`/users/me/connections/${again.data.id}`, { password });
    expect(changed.data.credentials.password).toEqual({ length: 14, ends_with: '\u{1f511} ' });
    expect(handled.at(-1)?.body).toEqual({ password: LOGIN.password });
  });
});

describe('what is refused', () => {
  const before = (): number => handled.length;

  test('a credential in the clear, in the form of the profile and without its value', async () => {
    const count = before();
    const { status, data } = await bare.post('/users/me/connections', { ...LOGIN, pin: 'secret-pin' });
    expect([status, data.code]).toEqual([400, 'plaintext_refused']);
    expect(JSON.stringify(data)).not.toMatch(/secret-pin|0070|jürgen/);
    expect(before()).toBe(count);
  });

  test('one credential in the clear among encrypted ones', async () => {
    const key = await importKey(keyRing.jwks().keys[0] ?? {});
    if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
    const login = await encryptJwe(Buffer.from('x'), key);
    const { data } = await bare.post('/users/me/connections', { ...LOGIN, login });
    expect(data.code).toBe('plaintext_refused');
  });

  test('a token for another key, so that clients know it', async () => {
    const stranger = await importKey((await createKeyRing()).jwks().keys[0] ?? {});
    if (stranger.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
    const token = await encryptJwe(Buffer.from('x'), stranger);
    const answer = await bare.post('/users/me/connections', {
      id_connector: 59,
      login: token,
      password: token,
    });
    expect(seen(answer)).toEqual([400, { code: 'invalidEncryptionKey' }]);
  });

  test('a call without a token, before its body is read', async () => {
    for (const authorization of ['', 'Bearer x', 'Basic eA=='])
      for (const path of [
        '/users/me/connections',
        '/Users/me/connections/',
        '/users/x/../me/connections',
        '/users',
      ]) {
        const { status, data, headers } = await api.post(path, LOGIN, { headers: { authorization } });
        expect([status, data.code]).toEqual([401, 'unauthorized']);
        expect(headers['www-authenticate']).toMatch(/^Bearer/);
      }
  });

  test('what is no JSON, without quoting it, and what there is not', async () => {
    const headers = { 'content-type': 'application/json' };
    expect(seen(await bare.post('/users/me/connections', '{"login":"secret', { headers }))).toEqual([
      400,
      { code: 'invalidBody', description: 'The body cannot be read' },
    ]);
    expect((await bare.post('/users/me/connections', 'x'.repeat(2e6), { headers })).status).toBe(413);
    expect((await bare.post('/users/me/connections', [1], { headers })).status).toBe(400);
    expect(seen(await bare.get('/elsewhere'))).toEqual([
      404,
      { code: 'notFound', description: 'There is no GET here' },
    ]);
    expect(errors).toEqual([]);
  });
});

test('a key that is replaced costs the user interface nothing', async () => {
  const [old] = keyRing.jwks().keys;
  await keyRing.revoke(String(old?.kid));
  const { status } = await api.post('/users/me/connections', LOGIN);
  expect(status).toBe(201);
});
