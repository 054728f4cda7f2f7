import { createKeyRing, importKey, staticKeys } from '@e2ee/core';
import axios, { type AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import axiosRetry from 'axios-retry';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Bank, CANARY, localOptions, plaintextOf, tokensIn } from '../test/bank.js';
import { ADAPTERS, createApi, createPlain, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());
const rotated = await createKeyRing();

const data = { payee: CANARY, amount: 1 };

describe.each(ADAPTERS)('a retry over the %s adapter', (adapter) => {
  describe.each(['before', 'after'])('by axios-retry registered %s encryption', (position) => {
    function retrying(conditions: Parameters<typeof axiosRetry>[1] = {}): AxiosInstance {
      const api = createPlain(bank, adapter);
      const add = (): unknown => axiosRetry(api, { retries: 3, retryCondition: () => true, ...conditions });
      if (position === 'before') add();
      e2ee(api, localOptions);
      if (position === 'after') add();
      return api;
    }

    it('is encrypted once, anew each time, and comes back in plain', async () => {
      failTimes(2);
      const { data: answer } = await retrying().post('/v2/payments', data);
      expect(answer).toEqual({ id: 'p1', ...data });
      expect(bank.arrivals).toHaveLength(3);
      await expectEncryptedOnce();
    });

    it('of a whole message is encrypted once, and keeps its type', async () => {
      failTimes(2);
      await retrying().post('/v2/messages', data);
      expect(bank.arrivals.map(({ headers }) => headers['content-type'])).toEqual(
        Array(3).fill('application/jose'),
      );
      for (const { body } of bank.arrivals) expect(JSON.parse(await plaintextOf(body))).toEqual(data);
      expect(new Set(bank.arrivals.map(({ body }) => body.toString())).size).toBe(3);
    });

    it('of a dropped connection is encrypted once', async () => {
      let dropped = 0;
      bank.intercept = (_, response) => {
        if (dropped === 2) return false;
        dropped += 1;
        response.destroy();
        return true;
      };
      await retrying().post('/v2/payments', data);
      expect(bank.arrivals).toHaveLength(3);
      await expectEncryptedOnce();
    });

    it('that is given up ends with the decrypted error', async () => {
      failTimes(9);
      const error = await failureOf(retrying().post('/v2/payments', data));
      expect((error as AxiosError).response?.data).toEqual({ payee: CANARY });
      expect(bank.arrivals).toHaveLength(4);
      await expectEncryptedOnce();
    });

    it('may change the body', async () => {
      failTimes(1);
      const onRetry = (_: number, __: unknown, config: { data?: unknown }): void => {
        config.data = JSON.stringify({ payee: 'second' });
      };
      await retrying({ onRetry }).post('/v2/payments', data);
      const [first, second] = bank.arrivals.flatMap(tokensIn);
      expect(await plaintextOf(first)).toBe(JSON.stringify(CANARY));
      expect(await plaintextOf(second)).toBe('"second"');
    });

    it('of an uncovered request is sent as it was', async () => {
      failTimes(2);
      await retrying().post('/v1/open', { payee: 'open' });
      expect(bank.arrivals.map(({ body }) => body.toString())).toEqual(Array(3).fill('{"payee":"open"}'));
    });

    it('of parallel calls keeps each with its own body', async () => {
      const failed = new Set<string>();
      bank.handle = ({ body }) => {
        const { n } = body as { n: number };
        const status = failed.has(`${n}`) ? 201 : 503;
        failed.add(`${n}`);
        return { status, headers: { 'content-type': 'application/json' }, body };
      };
      const api = retrying();
      const calls = Array.from({ length: 10 }, (_, n) =>
        api.post('/v2/payments', { n, payee: `payee-${n}` }),
      );
      const answers = await Promise.all(calls);
      expect(answers.map((answer) => answer.data.payee)).toEqual(answers.map((_, n) => `payee-${n}`));
      expect(
        bank.handled.every(({ body }) => (body as { payee: string; n: number }).payee === `payee-${n(body)}`),
      ).toBe(true);
    });
  });

  describe.each<[string, (api: AxiosInstance, config: InternalAxiosRequestConfig) => Promise<unknown>]>([
    ['instance(error.config)', (api, config) => api(config)],
    ['instance.request(error.config)', (api, config) => api.request(config)],
    ['instance.request({ ...error.config })', (api, config) => api.request({ ...config })],
    [
      'a copy with plain headers',
      (api, config) => api.request({ ...config, headers: { ...config.headers } }),
    ],
  ])('by %s', (_, again) => {
    it.each(['/v2/payments', '/v2/messages'])('is encrypted once for %s', async (url) => {
      failTimes(1);
      const api = createApi(bank, adapter);
      const config = await failedConfig(api, url);
      await again(api, config);
      expect(bank.arrivals).toHaveLength(2);
      expect(bank.handled.map(({ body }) => body)).toEqual([data, data]);
      expect(new Set(bank.arrivals.flatMap(tokensIn)).size).toBe(2);
    });

    it('is encrypted once when it is repeated again and again', async () => {
      failTimes(4);
      const api = createApi(bank, adapter);
      let config = await failedConfig(api);
      for (let i = 0; i < 3; i += 1)
        config = ((await failureOf(again(api, config))) as AxiosError).config ?? config;
      await again(api, config);
      expect(bank.arrivals).toHaveLength(5);
      await expectEncryptedOnce();
    });

    it('after a rotation is encrypted to the new key', async () => {
      failTimes(1);
      let key = localOptions.encryptionKeys;
      const encryptionKeys = { current: () => key.current(), refresh: async () => {} };
      const api = createPlain(bank, adapter);
      e2ee(api, { ...localOptions, encryptionKeys });
      const config = await failedConfig(api);
      key = staticKeys(await importKey(rotated.jwks().keys[0] ?? {}));
      bank.reset(rotated);
      await again(api, config);
      expect(bank.handled[0]?.body).toEqual(data);
    });

    it('after encryption was ejected still leaves encrypted', async () => {
      failTimes(1);
      const api = createPlain(bank, adapter);
      const eject = e2ee(api, localOptions);
      const config = await failedConfig(api);
      eject();
      await again(api, config);
      expect(bank.wire).not.toContain(CANARY);
      expect(bank.handled[1]?.body).toEqual(data);
    });

    it('by an instance without encryption, and by another client end, still leaves encrypted', async () => {
      failTimes(1);
      const config = await failedConfig(createApi(bank, adapter));
      await again(createPlain(bank, adapter), config);
      await again(createApi(bank, adapter), config);
      const blind = createPlain(bank, adapter);
      e2ee(blind, { ...localOptions, policy: {} });
      await again(blind, config);
      expect(bank.arrivals).toHaveLength(4);
      await expectEncryptedOnce();
    });
  });

  it('with another body sends that body, encrypted', async () => {
    failTimes(1);
    const api = createApi(bank, adapter);
    const config = await failedConfig(api);
    await api.request({ ...config, data: { payee: 'second' } });
    expect(bank.handled[1]?.body).toEqual({ payee: 'second' });
    expect(bank.wire).not.toContain('second');
  });

  it('with another body of a whole message sends that body, encrypted', async () => {
    failTimes(1);
    const api = createApi(bank, adapter);
    const config = await failedConfig(api, '/v2/messages');
    await api.request({ ...config, data: { payee: 'second' } });
    expect(bank.handled[1]?.body).toEqual({ payee: 'second' });
  });

  it('of one config for several calls at once keeps each with its own body', async () => {
    const api = createApi(bank, adapter);
    const { config } = await api.post('/v2/payments', { n: -1, payee: 'first' });
    const failed = new Set<number>();
    bank.handle = ({ body }) => {
      const status = failed.has(n(body)) ? 201 : 503;
      failed.add(n(body));
      return { status, headers: { 'content-type': 'application/json' }, body };
    };
    axiosRetry(api, { retries: 1, retryCondition: () => true });
    const answers = await Promise.all(
      [0, 1, 2, 3].map((i) => api.request({ ...config, data: { n: i, payee: `payee-${i}` } })),
    );
    expect(answers.map((answer) => answer.data.payee)).toEqual(['payee-0', 'payee-1', 'payee-2', 'payee-3']);
    expect(
      bank.handled.slice(1).every(({ body }) => (body as { payee: string }).payee === `payee-${n(body)}`),
    ).toBe(true);
  });

  it('of an uncovered request runs new transformations, as without encryption', async () => {
    failTimes(1);
    const api = createApi(bank, adapter);
    const config = await failedConfig(api, '/v1/open');
    await api.request({ ...config, transformRequest: [(text) => text.toUpperCase()] });
    expect(bank.last.body.toString()).toBe(JSON.stringify(data).toUpperCase());
  });

  it('by an interceptor that restores the body as an object is encrypted once', async () => {
    failTimes(1);
    const api = createPlain(bank, adapter);
    api.interceptors.response.use(undefined, (error: AxiosError) => {
      const { config } = error;
      return api.request({ ...config, data: JSON.parse(config?.data) });
    });
    e2ee(api, localOptions);
    await api.post('/v2/payments', data);
    expect(bank.handled[1]?.body).toEqual(data);
    await expectEncryptedOnce();
  });

  it.each(['/v2/payments', '/v2/messages', '/v1/open'])(
    'of a request to %s that failed before it was sent has its body',
    async (url) => {
      const api = createApi(bank, adapter);
      const signal = AbortSignal.abort();
      const first = (await failureOf(api.post(url, data, { signal }))) as AxiosError;
      const second = (await failureOf(api.request(first.config ?? {}))) as AxiosError;
      await api.request({ ...second.config, signal: new AbortController().signal });
      expect(bank.handled.map(({ body }) => normal(body))).toEqual([data]);
      if (url !== '/v1/open') expect(bank.wire).not.toContain(CANARY);
    },
  );

  it.each(['/v2/payments', '/v2/messages', '/v1/open'])(
    'of a request to %s that failed before it was sent and was sent once since has its body',
    async (url) => {
      failTimes(1);
      const api = createApi(bank, adapter);
      const first = (await failureOf(api.post(url, data, { signal: AbortSignal.abort() }))) as AxiosError;
      const { signal: _, ...config } = first.config ?? {};
      const second = (await failureOf(api.request(config))) as AxiosError;
      await api.request(second.config ?? {});
      expect(bank.handled.map(({ body }) => normal(body))).toEqual([data, data]);
    },
  );

  it('of a request that failed before it was sent, elsewhere, leaves encrypted or not at all', async () => {
    const failed = async (): Promise<InternalAxiosRequestConfig> => {
      const api = createApi(bank, adapter);
      const error = await failureOf(api.post('/v2/payments', data, { signal: AbortSignal.abort() }));
      const { signal: _, ...config } = (error as AxiosError).config ?? ({} as InternalAxiosRequestConfig);
      return config as InternalAxiosRequestConfig;
    };
    await expect(createApi(bank, adapter).request(await failed())).rejects.toMatchObject({
      code: 'body_unreadable',
    });
    expect(bank.arrivals).toHaveLength(0);
    await createPlain(bank, adapter).request(await failed());
    expect(bank.handled[0]?.body).toEqual(data);
    await expectEncryptedOnce();
  });

  it('of a stream cannot send what was read already, and does not fall back to anything', async () => {
    failTimes(1);
    const api = createApi(bank, adapter);
    const stream = new Blob(['once']).stream();
    const error = await failureOf(api.post('/v1/open', adapter === 'fetch' ? stream : Buffer.from('once')));
    await api.request((error as AxiosError).config ?? {}).catch(() => {});
    expect(bank.wire).not.toContain('object');
  });
});

/** Answers with 503 some times, with a body that the policy encrypts, and as ever from then on. */
function failTimes(times: number): void {
  const answer = bank.handle;
  let left = times;
  bank.handle = (request, arrival) => {
    if (left === 0) return answer(request, arrival);
    left -= 1;
    return { status: 503, headers: { 'content-type': 'application/json' }, body: { payee: CANARY } };
  };
}

async function failedConfig(api: AxiosInstance, url = '/v2/payments'): Promise<InternalAxiosRequestConfig> {
  const error = await failureOf(api.post(url, data));
  if (!axios.isAxiosError(error) || !error.config) throw error;
  return error.config;
}

/** Each body that arrived opens to the plain body in one step; a token is the same as another, or shares nothing with it. */
async function expectEncryptedOnce(): Promise<void> {
  expect(bank.wire).not.toContain(CANARY);
  const tokens = [...new Set(bank.arrivals.flatMap(tokensIn))];
  for (const token of tokens) expect(await plaintextOf(token)).toBe(JSON.stringify(CANARY));
  const parts = tokens.map((token) => token.split('.'));
  expect(new Set(parts.map(([, key]) => key)).size).toBe(tokens.length);
  expect(new Set(parts.map(([, , iv]) => iv)).size).toBe(tokens.length);
}

function n(body: unknown): number {
  return (body as { n: number }).n;
}

function normal(body: unknown): unknown {
  return typeof body === 'string' ? JSON.parse(body) : body;
}
