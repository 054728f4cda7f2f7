import { createKeyRing, type EncryptionKey, importKey, remoteJwks, staticKeys } from '@e2ee/core';
import axios, { type AxiosAdapter, type AxiosError, type AxiosRequestConfig } from 'axios';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Bank,
  bankKeys,
  CANARY,
  keyRejection,
  localOptions,
  remoteOptions,
  send,
  tokensIn,
} from '../test/bank.js';
import { ADAPTERS, createPlain, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const rotated = await createKeyRing();

const data = { payee: CANARY };

describe.each(ADAPTERS)('after a key rejection over the %s adapter', (adapter) => {
  /** An instance that has used the bank's key, which the bank then has replaced. */
  async function apiBeforeRotation() {
    const api = createPlain(bank, adapter);
    e2ee(api, remoteOptions(bank));
    await api.post('/v2/payments', data);
    expect(bank.keyFetches).toBe(1);
    bank.reset(rotated);
    return api;
  }

  it.each(['/v2/payments', '/v2/messages'])(
    'a request to %s is encrypted again to the new key and sent once more, without the caller noticing',
    async (url) => {
      const api = await apiBeforeRotation();
      const headers = { 'Idempotency-Key': 'key-1', 'X-Many': ['a', 'b'], Authorization: 'Bearer t' };
      const { status, data: answer } = await api.post(url, data, { headers, params: { q: 1 } });
      expect([status, answer.payee]).toEqual([201, CANARY]);
      expect(bank.arrivals).toHaveLength(2);
      expect(bank.keyFetches).toBe(1);
      expect(bank.handled.map(({ body }) => body)).toEqual([data]);
      expect(bank.wire).not.toContain(CANARY);
      const [first, second] = bank.arrivals.map(({ url, method, rawHeaders }) => ({
        url,
        method,
        headers: rawHeaders.filter((_, i) => i % 2 === 0 || !/length/i.test(rawHeaders[i - 1] ?? '')),
      }));
      expect(second).toEqual(first);
      expect(bank.last.headers['idempotency-key']).toBe('key-1');
      expect(Number(bank.last.headers['content-length'])).toBe(bank.last.body.length);
      expect(new Set(bank.arrivals.flatMap(tokensIn)).size).toBe(2);
    },
  );

  it.each([null, () => true])('validateStatus %s makes no difference', async (validateStatus) => {
    const api = await apiBeforeRotation();
    const { status, data: answer } = await api.post('/v2/payments', data, { validateStatus });
    expect([status, answer.payee, bank.arrivals.length]).toEqual([201, CANARY, 2]);
  });

  it.each(['text', 'json', 'arraybuffer'] as const)(
    'responseType %s makes no difference',
    async (responseType) => {
      const api = await apiBeforeRotation();
      const { status } = await api.post('/v2/payments', data, { responseType });
      expect([status, bank.arrivals.length]).toEqual([201, 2]);
    },
  );

  it('a stream is handed on, since it cannot be looked into', async () => {
    const api = await apiBeforeRotation();
    const options = { responseType: 'stream', validateStatus: null } as const;
    const { status, data: stream } = await api.post('/v2/payments', data, options);
    expect([status, bank.arrivals.length]).toEqual([422, 1]);
    for await (const _ of stream);
  });

  it('twenty calls that are rejected at once fetch the keys once', async () => {
    const api = await apiBeforeRotation();
    const waiting: (() => void)[] = [];
    bank.intercept = async ({ url }) => {
      if (url.includes('jwks') || bank.arrivals.length > 20) return false;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 20) for (const go of waiting) go();
      });
      return false;
    };
    const calls = Array.from({ length: 20 }, (_, n) => api.post('/v2/payments', { payee: `${CANARY}-${n}` }));
    const answers = await Promise.all(calls);
    expect(answers.map((answer) => answer.data.payee)).toEqual(answers.map((_, n) => `${CANARY}-${n}`));
    expect(bank.keyFetches).toBe(1);
    expect(bank.arrivals).toHaveLength(40);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('the answer to the second attempt counts, whatever it is', async () => {
    const api = await apiBeforeRotation();
    bank.handle = () => ({ status: 409, headers: { 'content-type': 'application/json' }, body: data });
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(error.response?.status).toBe(409);
    expect(error.response?.data).toEqual(data);
    expect(bank.arrivals).toHaveLength(2);
  });

  it('a second rejection is the answer: there is no third attempt', async () => {
    const api = await apiBeforeRotation();
    bank.intercept = ({ url }, response) => {
      if (!url.includes('jwks')) send(response, keyRejection());
      return !url.includes('jwks');
    };
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(error.response?.status).toBe(422);
    expect(bank.arrivals).toHaveLength(2);
  });

  it('the rejection is the answer when the key is the same afterwards', async () => {
    const api = createPlain(bank, adapter);
    e2ee(api, remoteOptions(bank));
    bank.intercept = ({ url }, response) => {
      if (!url.includes('jwks')) send(response, keyRejection());
      return !url.includes('jwks');
    };
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(error.response?.status).toBe(422);
    expect(error.response?.data).toEqual(keyRejection().body);
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.keyFetches).toBe(2);
  });

  it('the rejection is the answer when the keys cannot be fetched', async () => {
    const api = await apiBeforeRotation();
    bank.intercept = ({ url }, response) => {
      if (url.includes('jwks')) response.destroy();
      return url.includes('jwks');
    };
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(error.response?.status).toBe(422);
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('a failure to encrypt again is a typed error, and nothing more is sent', async () => {
    const [key, broken] = await Promise.all([
      importKey(bankKeys.jwks().keys[0] ?? {}),
      importKey(rotated.jwks().keys[0] ?? {}),
    ]);
    const keys = [key, { ...broken, publicKey: {} } as EncryptionKey];
    const api = createPlain(bank, adapter);
    e2ee(api, {
      ...localOptions,
      encryptionKeys: {
        current: () => staticKeys(keys[0] ?? []).current(),
        refresh: async () => void keys.shift(),
      },
    });
    bank.reset(rotated);
    await expect(api.post('/v2/payments', data)).rejects.toMatchObject({ code: 'encryption_failed' });
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.wire).not.toContain(CANARY);
  });

  it.each<[string, unknown]>([
    ['another error', { errors: [{ code: 'invalid', source: 'payee', title: 'invalid payee' }] }],
    ['no list', { errors: {} }],
    ['text', 'invalid encryption key'],
    ['nothing', undefined],
  ])('a 422 that says %s is not one', async (_, body) => {
    const api = await apiBeforeRotation();
    bank.intercept = (_, response) => {
      send(response, { status: 422, headers: { 'content-type': 'application/json' }, body });
      return true;
    };
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(error.response?.status).toBe(422);
    expect([bank.arrivals.length, bank.keyFetches]).toEqual([1, 0]);
  });

  it.each([400, 401, 500])('its body under status %i is not one', async (status) => {
    const api = await apiBeforeRotation();
    bank.intercept = (_, response) => {
      send(response, { ...keyRejection(), status });
      return true;
    };
    await failureOf(api.post('/v2/payments', data));
    expect([bank.arrivals.length, bank.keyFetches]).toEqual([1, 0]);
  });

  it.each<[string, () => object]>([
    ['an uncovered request', () => ({ method: 'post', url: '/v1/open', data })],
    ['a request without a body', () => ({ url: '/v2/payments/1' })],
    [
      'a request with nothing to encrypt',
      () => ({ method: 'post', url: '/v2/payments', data: { amount: 1 } }),
    ],
  ])('%s is not sent again: nothing of it was encrypted', async (_, request) => {
    const api = await apiBeforeRotation();
    bank.intercept = ({ url }, response) => {
      if (!url.includes('jwks')) send(response, keyRejection());
      return !url.includes('jwks');
    };
    await failureOf(api.request(request()));
    expect([bank.arrivals.length, bank.keyFetches]).toEqual([1, 0]);
  });

  it('an adapter that signs what it sends signs the second body too', async () => {
    const api = await apiBeforeRotation();
    const sign: AxiosAdapter = (config) => {
      config.headers.set('x-signed', String(config.data).slice(-30));
      return axios.getAdapter(adapter)(config);
    };
    await api.post('/v2/payments', data, { adapter: sign });
    expect(bank.arrivals.map(({ headers }) => headers['x-signed'])).toEqual(
      bank.arrivals.map(({ body }) => body.toString().slice(-30)),
    );
    expect(bank.arrivals).toHaveLength(2);
  });

  it.each<[string, () => { cancel: () => void; config: AxiosRequestConfig }]>([
    [
      'signal',
      () => {
        const controller = new AbortController();
        return { cancel: () => controller.abort(), config: { signal: controller.signal } };
      },
    ],
    [
      'token',
      () => {
        const { cancel, token } = axios.CancelToken.source();
        return { cancel, config: { cancelToken: token } };
      },
    ],
  ])(
    'a call that is cancelled by %s while the keys are fetched is not sent again',
    async (_, cancellation) => {
      const api = await apiBeforeRotation();
      const { cancel, config } = cancellation();
      bank.intercept = ({ url }) => {
        if (url.includes('jwks')) cancel();
        return false;
      };
      const error = await failureOf(api.post('/v2/payments', data, config));
      expect(axios.isCancel(error)).toBe(true);
      expect(bank.arrivals).toHaveLength(1);
    },
  );
});

describe.each(ADAPTERS)('keys over the %s adapter', (adapter) => {
  it.each<[string, (api: Parameters<typeof e2ee>[0]) => void]>([
    [
      'cannot be reached',
      (api) => {
        e2ee(api, { ...localOptions, encryptionKeys: remoteJwks('http://127.0.0.1:9/jwks.json') });
      },
    ],
    [
      'are not there',
      (api) => {
        e2ee(api, { ...localOptions, encryptionKeys: remoteJwks(`${bank.url}/none`) });
      },
    ],
    [
      'are no key set',
      (api) => {
        bank.intercept = (_, response) => {
          send(response, { status: 200, headers: {}, body: '<html>' });
          return true;
        };
        e2ee(api, remoteOptions(bank));
      },
    ],
  ])('that %s mean that nothing is sent', async (_, install) => {
    const api = createPlain(bank, adapter);
    install(api);
    const calls = [api.post('/v2/payments', data), api.post('/v2/messages', data)];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
    }
    expect(bank.arrivals.every(({ method }) => method === 'GET')).toBe(true);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('that have expired mean that nothing is sent', async () => {
    const jwk = { ...bankKeys.jwks().keys[0], exp: Math.floor(Date.now() / 1000) - 1 };
    const api = createPlain(bank, adapter);
    e2ee(api, { ...localOptions, encryptionKeys: staticKeys(await importKey(jwk)) });
    await expect(api.post('/v2/payments', data)).rejects.toMatchObject({ code: 'keys_unavailable' });
    expect(bank.arrivals).toHaveLength(0);
  });

  it('that are fetched while the call is cancelled are not used: nothing is sent', async () => {
    const controller = new AbortController();
    const api = createPlain(bank, adapter);
    e2ee(api, remoteOptions(bank));
    bank.intercept = ({ url }) => {
      if (url.includes('jwks')) controller.abort();
      return false;
    };
    const error = (await failureOf(
      api.post('/v2/payments', data, { signal: controller.signal }),
    )) as AxiosError;
    expect(axios.isCancel(error)).toBe(true);
    expect(bank.arrivals).toHaveLength(0);
    const { signal: _, ...config } = error.config ?? {};
    await api.request(config);
    expect(bank.handled.map(({ body }) => body)).toEqual([data]);
  });

  it('that cannot be had do not stop what needs none', async () => {
    const api = createPlain(bank, adapter);
    e2ee(api, { ...localOptions, encryptionKeys: remoteJwks('http://127.0.0.1:9/jwks.json') });
    await api.post('/v1/open', { a: 1 });
    await api.get('/v2/payments/1');
    await api.post('/v2/payments', { amount: 1 });
    expect(bank.arrivals).toHaveLength(3);
  });

  it('that come back serve the next call', async () => {
    let down = true;
    const current = async (): Promise<EncryptionKey> => {
      if (down) throw new Error('down');
      return localOptions.encryptionKeys.current();
    };
    const api = createPlain(bank, adapter);
    e2ee(api, { ...localOptions, encryptionKeys: { current, refresh: async () => {} } });
    await failureOf(api.post('/v2/payments', data));
    expect(bank.arrivals).toHaveLength(0);
    down = false;
    await api.post('/v2/payments', data);
    expect(bank.handled[0]?.body).toEqual(data);
  });
});
