import { createE2eeClient, E2eeError } from '@e2ee/core';
import axios, { type AxiosInstance } from 'axios';
import { afterAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { Bank, CANARY, localOptions, remoteOptions, tokensIn } from '../test/bank.js';
import { ADAPTERS, createApi, createPlain, deepFreeze } from '../test/calls.js';
import { type E2eeAxiosOptions, e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const data = { payee: 'x' };

describe('the types', () => {
  it('take any axios instance, options or a client end, and give a function', () => {
    const install = (): (() => void) => e2ee(axios.create(), localOptions);
    expectTypeOf(install).returns.toEqualTypeOf<() => void>();
    expectTypeOf(e2ee).parameter(0).toEqualTypeOf<AxiosInstance>();
    expectTypeOf(e2ee).returns.toEqualTypeOf<() => void>();
    expectTypeOf(e2ee).toBeCallableWith(axios, createE2eeClient(localOptions));
    expectTypeOf<E2eeAxiosOptions>().toHaveProperty('encryptionKeys');
    // @ts-expect-error: options are required
    const incomplete = (): unknown => e2ee(axios.create());
    expect(incomplete).toThrow();
  });
});

describe('an installation', () => {
  it('takes a client end made beforehand, also for several instances', async () => {
    const client = createE2eeClient(remoteOptions(bank));
    for (const adapter of ADAPTERS) {
      const api = createPlain(bank, adapter);
      e2ee(api, client);
      await api.post('/v2/payments', data);
    }
    expect(bank.keyFetches).toBe(1);
    expect(bank.arrivals.flatMap(tokensIn)).toHaveLength(2);
  });

  it('refuses bad options with the name of the option', () => {
    const api = createPlain(bank, 'http');
    const bad = { ...localOptions, unmatched: 'maybe' } as unknown as E2eeAxiosOptions;
    expect(() => e2ee(api, bad)).toThrow(/option_invalid|`unmatched`/);
    expect(() => e2ee(api, { ...localOptions, policy: { 'POST x': {} } })).toThrow(E2eeError);
    e2ee(api, localOptions); // a failed installation leaves nothing behind
  });

  it('is refused where there is one already', async () => {
    const api = createApi(bank, 'http');
    expect(() => e2ee(api, localOptions)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    await api.post('/v2/payments', data);
    expect(tokensIn(bank.last)).toHaveLength(1);
  });

  it('is gone once it is ejected, and can be made again', async () => {
    const api = createPlain(bank, 'http');
    const eject = e2ee(api, localOptions);
    eject();
    await api.post('/v1/open', data).catch(() => {});
    await api.post('/v2/payments', data).catch(() => {});
    expect(bank.arrivals.map(({ body }) => body.toString())).toEqual(['{"payee":"x"}', '{"payee":"x"}']);
    e2ee(api, localOptions);
    await api.post('/v2/payments', data);
    expect(bank.handled.at(-1)?.body).toEqual(data);
  });

  it('survives a second call of the eject function of an earlier one', async () => {
    const api = createPlain(bank, 'http');
    const ejectFirst = e2ee(api, localOptions);
    ejectFirst();
    e2ee(api, localOptions);
    ejectFirst();
    expect(() => e2ee(api, localOptions)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    await api.post('/v2/payments', data);
    expect(tokensIn(bank.last)).toHaveLength(1);
  });

  it('does not take the interceptors of others with it when it is ejected twice', () => {
    const api = createPlain(bank, 'http');
    const eject = e2ee(api, localOptions);
    eject();
    api.interceptors.request.clear();
    api.interceptors.request.use((config) => config);
    eject();
    let left = 0;
    // @ts-expect-error: forEach is not in the types of every version
    api.interceptors.request.forEach(() => {
      left += 1;
    });
    expect(left).toBe(1);
  });

  it('lets calls that are under way finish when it is ejected', async () => {
    const api = createPlain(bank, 'http');
    const eject = e2ee(api, localOptions);
    bank.handle = ({ body }) => {
      eject();
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    };
    expect((await api.post('/v2/payments', data)).data).toEqual(data);
  });

  it('changes nothing of the defaults', async () => {
    const api = createPlain(bank, 'http', { headers: { 'x-a': 'b' } });
    const { defaults } = api;
    const before = { ...defaults, headers: { ...defaults.headers } };
    const eject = e2ee(api, localOptions);
    await api.post('/v2/payments', data);
    eject();
    expect(api.defaults).toBe(defaults);
    expect({ ...api.defaults, headers: { ...api.defaults.headers } }).toEqual(before);
    expect(axios.defaults.adapter).toEqual(['xhr', 'http', 'fetch']);
  });

  it('concerns one instance: neither the global axios nor instances made from it', async () => {
    const api = createApi(bank, 'http');
    await axios.post(`${bank.url}/v1/open`, data, { proxy: false });
    await createPlain(bank, 'http').post('/v1/open', data);
    const child = (api as AxiosInstance & { create?: typeof axios.create }).create;
    if (child)
      await child({})
        .post('/v2/payments', data)
        .catch(() => {});
    expect(bank.arrivals.flatMap(tokensIn)).toEqual([]);
    await api.post('/v2/payments', data);
    expect(tokensIn(bank.last)).toHaveLength(1);
  });

  it('may be on the global axios', async () => {
    const eject = e2ee(axios, localOptions);
    try {
      const call = { method: 'post', url: `${bank.url}/v2/payments`, data, proxy: false } as const;
      const { data: answer } = await axios(call);
      await axios.post(call.url, data, { proxy: false });
      expect(answer.payee).toBe('x');
      expect(bank.arrivals.flatMap(tokensIn)).toHaveLength(2);
      await createPlain(bank, 'http').post('/v1/open', data);
      expect(bank.last.body.toString()).toBe('{"payee":"x"}');
    } finally {
      eject();
    }
  });
});

describe.each(ADAPTERS)('calls over the %s adapter', (adapter) => {
  it('mutate neither config nor body', async () => {
    const api = createApi(bank, adapter);
    const body = deepFreeze({
      payee: { name: CANARY },
      actions: [{ source: 1 }],
      meta: { a: [1, { b: 2 }] },
    });
    const config = deepFreeze({
      method: 'post',
      url: '/v2/payments',
      data: body,
      headers: { 'X-A': 'b', 'Content-Type': 'application/json' },
      params: { a: 1 },
    });
    const before = JSON.stringify(config);
    expect((await api.request(config)).data.payee).toEqual(body.payee);
    expect((await api(config)).data.payee).toEqual(body.payee);
    expect((await api.post(config.url, body, deepFreeze({ headers: { 'X-A': 'b' } }))).data.payee).toEqual(
      body.payee,
    );
    bank.handle = () => ({ status: 409, headers: { 'content-type': 'application/json' }, body: {} });
    await api.request(config).catch(() => {});
    expect(JSON.stringify(config)).toBe(before);
    expect(bank.handled).toHaveLength(4);
  });

  it('of one config object at once do not disturb each other', async () => {
    const api = createApi(bank, adapter);
    const config = { method: 'post', url: '/v2/payments', data: { payee: CANARY }, headers: {} };
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.request(config)));
    expect(answers.map((answer) => answer.data.payee)).toEqual(Array(10).fill(CANARY));
    expect(config).toEqual({ method: 'post', url: '/v2/payments', data: { payee: CANARY }, headers: {} });
    expect(new Set(bank.arrivals.flatMap(tokensIn)).size).toBe(10);
  });

  it('with fifty different values at once are not mixed up', async () => {
    const api = createApi(bank, adapter);
    bank.handle = async ({ body }) => {
      const { n } = body as { n: number };
      await new Promise((resolve) => setTimeout(resolve, (n * 7) % 20));
      const status = n % 3 === 0 ? 409 : 200;
      return { status, headers: { 'content-type': 'application/json' }, body };
    };
    const calls = Array.from({ length: 50 }, (_, n) =>
      api
        .post('/v2/payments', { n, payee: `payee-${n}`, mandate_id: `mandate-${n}` })
        .catch((error) => error.response),
    );
    const answers = await Promise.all(calls);
    expect(answers.map((answer) => answer.data)).toEqual(
      answers.map((_, n) => ({ n, payee: `payee-${n}`, mandate_id: `mandate-${n}` })),
    );
    expect(answers.map(({ config }) => JSON.parse(config.data).n)).toEqual(answers.map((_, n) => n));
  });
});
