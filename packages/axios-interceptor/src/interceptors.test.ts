import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type InternalAxiosRequestConfig,
} from 'axios';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Bank, CANARY, localOptions, tokensIn } from '../test/bank.js';
import { ADAPTERS, createPlain, failureOf, isLowest } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

type Config = InternalAxiosRequestConfig;
type Change = (config: Config) => Config | Promise<Config>;

const data = { payee: CANARY };
const other = (name: string): 'http' | 'fetch' => (name === 'http' ? 'fetch' : 'http');

const ORDERS = [
  ['before', 'legacy'],
  ['after', 'legacy'],
  ...(isLowest ? [] : [['before', 'registration'] as const, ['after', 'registration'] as const]),
] as const;

describe.each(ADAPTERS)('over the %s adapter', (adapter) => {
  describe.each(ORDERS)('an interceptor registered %s ours, in %s order', (position, order) => {
    /** An instance with encryption and an interceptor of the user's on the given side of it. */
    function apiWith(change: Change, synchronous = false): AxiosInstance {
      const transitional =
        order === 'legacy' ? {} : { transitional: { legacyInterceptorReqResOrdering: false } };
      const api = createPlain(bank, adapter, transitional);
      const add = (): unknown => api.interceptors.request.use(change, undefined, { synchronous });
      if (position === 'before') add();
      e2ee(api, localOptions);
      if (position === 'after') add();
      return api;
    }

    async function expectEncrypted(
      change: Change,
      call?: (api: AxiosInstance) => Promise<{ data: unknown }>,
    ) {
      const api = apiWith(change);
      const response = await (call ?? ((api) => api.post('/v2/payments', data)))(api);
      expect(bank.wire).not.toContain(CANARY);
      expect(bank.arrivals).toHaveLength(1);
      expect(bank.handled[0]?.body).toMatchObject(data);
      expect(response.data).toMatchObject(data);
    }

    it('may change nothing', () => expectEncrypted((config) => config));

    it('may be synchronous', async () => {
      await apiWith((config) => config, true).post('/v2/payments', data);
      expect(bank.handled[0]?.body).toEqual(data);
    });

    it('may take its time', () =>
      expectEncrypted(async (config) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return config;
      }));

    it('may turn an uncovered URL into a covered one', () =>
      expectEncrypted(
        (config) => Object.assign(config, { url: '/v2/payments' }),
        (api) => api.post('/v1/open', data),
      ));

    it('may turn a covered URL into an uncovered one', async () => {
      const api = apiWith((config) => Object.assign(config, { url: '/v1/open' }));
      await api.post('/v2/payments', { payee: 'open' });
      expect(bank.last.body.toString()).toBe('{"payee":"open"}');
    });

    it('may change the method', () =>
      expectEncrypted(
        (config) => Object.assign(config, { method: 'POST' }),
        (api) => api.put('/v2/payments', data),
      ));

    it('may change the base URL', () =>
      expectEncrypted(
        (config) => Object.assign(config, { baseURL: `${bank.url}/api` }),
        (api) => api.post('/v2/payments', data, { baseURL: 'http://127.0.0.1:9' }),
      ));

    it('may add parameters', () =>
      expectEncrypted((config) => Object.assign(config, { params: { path: '/v1/open' } })));

    it('may add to the body', () =>
      expectEncrypted((config) => {
        config.data = { ...config.data, meta: { added: CANARY } };
        return config;
      }));

    it('may replace the body by JSON text', () =>
      expectEncrypted(
        (config) => Object.assign(config, { data: JSON.stringify(data) }),
        (api) => api.post('/v2/payments', {}, { headers: { 'Content-Type': 'application/json' } }),
      ));

    it('may read the body', () =>
      expectEncrypted((config) => {
        config.headers.set('x-amount', String(config.data.payee.length));
        return config;
      }));

    it('may replace the body by one that cannot be read, which is not sent', async () => {
      const api = apiWith((config) => Object.assign(config, { data: Buffer.from(CANARY) }));
      await expect(api.post('/v2/payments', {})).rejects.toThrow();
      expect(bank.arrivals).toHaveLength(0);
    });

    it('may add transformations', () =>
      expectEncrypted((config) => {
        const transforms = [config.transformRequest ?? []].flat();
        config.transformRequest = [(body) => ({ ...body, meta: { a: CANARY } }), ...transforms];
        return config;
      }));

    it('may replace the transformations', () =>
      expectEncrypted((config) =>
        Object.assign(config, {
          transformRequest: (body: unknown, headers: AxiosHeaders) => {
            headers.setContentType('application/json');
            return JSON.stringify(body);
          },
        }),
      ));

    it('may append a transformation, for whose result the policy holds', async () => {
      const api = apiWith((config) => {
        const append = (body: string): string => JSON.stringify({ ...JSON.parse(body), meta: { a: CANARY } });
        config.transformRequest = [...[config.transformRequest ?? []].flat(), append];
        return config;
      });
      await api.post('/v2/payments', data);
      await api.post('/v1/open', { a: 1 });
      expect(bank.arrivals.map(({ body }) => body.toString().includes(CANARY))).toEqual([false, true]);
      expect(bank.handled[0]?.body).toEqual({ ...data, meta: { a: CANARY } });
    });

    it('may name another adapter', () =>
      expectEncrypted((config) => Object.assign(config, { adapter: other(adapter) })));

    it('may name several adapters', () =>
      expectEncrypted((config) => Object.assign(config, { adapter: ['xhr', other(adapter)] })));

    it('may bring an adapter of its own, which sees what is sent', async () => {
      const seen: unknown[] = [];
      const own: AxiosAdapter = (config) => {
        seen.push(config.data);
        return axios.getAdapter(adapter)(config);
      };
      await expectEncrypted((config) => Object.assign(config, { adapter: own }));
      expect(seen).toEqual([bank.last.body.toString()]);
    });

    it('may return a new config with another adapter', () =>
      expectEncrypted((config) => ({ ...config, adapter: other(adapter) })));

    it('may return a new config with plain headers', () =>
      expectEncrypted((config) => ({ ...config, headers: { ...config.headers } as AxiosHeaders })));

    it('may return a new config of the least members', () =>
      expectEncrypted(
        ({ url, baseURL, method, transformRequest, transformResponse, validateStatus, data }) =>
          ({
            url,
            baseURL,
            method,
            transformRequest,
            transformResponse,
            validateStatus,
            data,
            proxy: false,
            headers: new AxiosHeaders(),
          }) as Config,
      )); // without an adapter axios takes its default

    it('may take the adapter away', () =>
      expectEncrypted((config) => {
        delete config.adapter;
        return config;
      }));

    it('may name an adapter that does not exist: nothing is sent', async () => {
      const api = apiWith((config) => Object.assign(config, { adapter: 'none' }));
      await expect(api.post('/v2/payments', data)).rejects.toThrow("Unknown adapter 'none'");
      expect(bank.arrivals).toHaveLength(0);
    });

    it('may name another adapter for an uncovered request, whose body stays as it is', async () => {
      const api = apiWith((config) => Object.assign(config, { adapter: other(adapter) }));
      await api.post('/v1/open', { a: 1 });
      await api.post('/v1/open', 'text', { headers: { 'Content-Type': 'text/plain' } });
      await api.post('/v1/open', Buffer.from([1, 255]));
      expect(bank.arrivals.map(({ body }) => body.toString('latin1'))).toEqual([
        '{"a":1}',
        'text',
        '\x01\xff',
      ]);
    });

    it('may throw: nothing is sent', async () => {
      const api = apiWith((config) => {
        throw new AxiosError('refused', 'NO', config);
      });
      await expect(api.post('/v2/payments', data)).rejects.toThrow('refused');
      expect(bank.arrivals).toHaveLength(0);
    });
  });

  it('an adapter of the caller sees ciphertext, so that it can sign what is sent, also after a recovery', async () => {
    const signed: string[] = [];
    const sign: AxiosAdapter = (config) => {
      signed.push(String(config.data));
      config.headers.set('x-signature', `signed-${String(config.data).length}-${signed.length}`);
      return axios.getAdapter(adapter)(config);
    };
    const api = createPlain(bank, adapter);
    e2ee(api, localOptions);
    await api.post('/v2/payments', data, { adapter: sign });
    expect(signed).toEqual([bank.last.body.toString()]);
    expect(bank.last.headers['x-signature']).toBe(`signed-${bank.last.body.length}-1`);
  });

  it('custom transformations decide what leaves: the policy holds for their result', async () => {
    const api = createPlain(bank, adapter, {
      transformRequest: [decamelize, ...[axios.defaults.transformRequest ?? []].flat()],
    });
    e2ee(api, localOptions);
    await api.post('/v2/payments', { mandateId: CANARY, Payee: 'open' });
    expect(bank.wire).not.toContain(CANARY);
    expect(bank.handled[0]?.body).toEqual({ mandate_id: CANARY, payee: 'open' });
  });

  it('a transformation that leaves an object to encryption is fine', async () => {
    const api = createPlain(bank, adapter, { transformRequest: [(body) => body] });
    e2ee(api, localOptions);
    await api.post('/v2/payments', data, { headers: { 'Content-Type': 'application/json' } });
    expect(bank.handled[0]?.body).toEqual(data);
  });

  it('interceptors that run only at times make no difference', async () => {
    const api = createPlain(bank, adapter);
    api.interceptors.request.use((config) => config, undefined, { runWhen: () => false });
    e2ee(api, localOptions);
    api.interceptors.request.use((config) => config, undefined, {
      runWhen: ({ url }) => url === '/v2/payments',
    });
    await api.post('/v2/payments', data);
    expect(tokensIn(bank.last)).toHaveLength(1);
  });

  it('response interceptors before and after ours see plain values', async () => {
    const seen: unknown[] = [];
    const api = createPlain(bank, adapter);
    const look = (response: { data: { payee: unknown } }): never => {
      seen.push(response.data.payee);
      return response as never;
    };
    api.interceptors.response.use(look);
    e2ee(api, localOptions);
    api.interceptors.response.use(look);
    await api.post('/v2/payments', data);
    expect(seen).toEqual([CANARY, CANARY]);
  });

  it('error interceptors before and after ours see plain values', async () => {
    const seen: unknown[] = [];
    bank.handle = () => ({ status: 409, headers: { 'content-type': 'application/json' }, body: data });
    const look = (error: AxiosError<typeof data>): never => {
      seen.push(error.response?.data.payee);
      throw error;
    };
    const api = createPlain(bank, adapter);
    api.interceptors.response.use(undefined, look);
    e2ee(api, localOptions);
    api.interceptors.response.use(undefined, look);
    await failureOf(api.post('/v2/payments', data));
    expect(seen).toEqual([CANARY, CANARY]);
  });
});

function decamelize(body: Record<string, unknown>): Record<string, unknown> {
  const snake = (name: string): string => name.replace(/(?<=.)([A-Z])/g, '_$1').toLowerCase();
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [snake(name), value]));
}
