import axios from 'axios';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bank, CANARY, localOptions } from '../test/bank.js';
import { createApi, failureOf, isLowest } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());
afterEach(() => {
  delete axios.defaults.baseURL;
});

const data = { payee: CANARY };

describe('the path of a request', () => {
  const adapter = 'http'; // it is found before any adapter has a say

  it.each([
    ['', '/v2/payments'],
    ['', 'v2/payments'],
    ['', '/V2/Payments'],
    ['', '/v2/payments/'],
    ['', '/v2//payments'],
    ['', '///v2///payments///'.slice(2)],
    ['', '/v2/./payments'],
    ['', '/v2/x/../payments'],
    ['', '/v2/x/%2e%2e/payments'],
    ['', '/v2/%70ayments'],
    ['', '/v2/payments?payee=1#x'],
    ['', '/v2/payments#/v1/open'],
    ['', '/v2/payments?next=/v1/open'],
    ['', '/v2/pay\nments'],
    ['', '\\v2\\payments'],
    ['', '/v2/payments;v=1'],
    ['/', '/v2/payments'],
    ['/v2', '/payments'],
    ['/v2/', 'payments'],
    ['/v2/payments', ''],
    ['/api', '/v2/payments'],
    ['/api/', '/v2/payments'],
    ['/api//', '//v2/payments'.slice(1)],
    ['/api/v2', 'payments'],
    ['/x/../api', '/v2/payments'],
    ['/api', '/../v2/payments'],
    ['/API', '/V2/payments'],
  ])('is covered below base "%s" as "%s"', async (base, url) => {
    const api = createApi(bank, adapter, { baseURL: bank.url + base });
    await api.post(url, data).catch(() => {}); // what the server makes of such a path is not the point
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('is covered when an absolute URL overrides the base URL', async () => {
    const api = createApi(bank, adapter, { baseURL: 'http://127.0.0.1:9/api' });
    await api.post(`${bank.url}/v2/payments`, data);
    await api.post(`${bank.url.replace('http', 'HTTP')}/v2/payments`, data);
    await api.post(`${bank.url}/api/v2/payments`, data);
    await api.post(`${bank.url}/API/v2/payments`, data);
    expect(bank.arrivals).toHaveLength(4);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('is covered without any base URL', async () => {
    const api = axios.create({ adapter, proxy: false });
    e2ee(api, localOptions);
    await api.post(`${bank.url}/v2/payments`, data);
    expect(bank.wire).not.toContain(CANARY);
  });

  it.skipIf(isLowest)('is covered when absolute URLs are taken for paths', async () => {
    const api = createApi(bank, adapter, { baseURL: bank.url, allowAbsoluteUrls: false });
    await api.post('http://example.com/v1/open', {});
    await api.post('/v2/payments', data);
    expect(bank.arrivals.map(({ url }) => url)).toEqual(['/http://example.com/v1/open', '/v2/payments']);
    expect(bank.handled.at(-1)?.body).toEqual(data);
  });

  it('is not mistaken because of the defaults of the global axios, which the instance does not use', async () => {
    const api = axios.create({ adapter: relative(bank), proxy: false });
    e2ee(api, localOptions);
    axios.defaults.baseURL = 'http://127.0.0.1:9/elsewhere';
    await api.post('/v2/payments', data);
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('is not mistaken because of parameters, whose serialiser runs once more for a guard against leaks only', async () => {
    let runs = 0;
    const serialize = (): string => {
      runs += 1;
      return 'next=/v1/open';
    };
    const api = createApi(bank, adapter, { paramsSerializer: { serialize } });
    await api.post('/v2/payments', data, { params: { a: 1 } });
    expect(bank.last.url).toBe('/v2/payments?next=/v1/open');
    expect(bank.wire).not.toContain(CANARY);
    expect(runs).toBe(1);
  });

  it('sends nothing when it is no URL at all, or ambiguous', async () => {
    const api = createApi(bank, adapter, { baseURL: '' });
    for (const url of ['http://', 'http:/v2/payments', 'http://[/v2/payments']) {
      expect(await failureOf(api.post(url, data))).toBeInstanceOf(Error);
    }
    expect(bank.arrivals).toHaveLength(0);
  });

  it('is left alone when it only begins like the base path', async () => {
    const api = createApi(bank, adapter, { baseURL: `${bank.url}/api` });
    await api.post(`${bank.url}/apiv2/payments`, { payee: 'open' });
    expect(bank.last.body.toString()).toBe('{"payee":"open"}');
  });
});

describe('an operation outside the policy', () => {
  it('is refused where the options say so, and nothing is sent', async () => {
    const api = axios.create({ baseURL: bank.url, proxy: false });
    e2ee(api, { ...localOptions, unmatched: 'refuse' });
    await expect(api.post('/v1/open', data)).rejects.toMatchObject({ code: 'operation_refused' });
    await expect(api.get('/v1/open')).rejects.toMatchObject({ code: 'operation_refused' });
    expect(bank.arrivals).toHaveLength(0);
    await api.post('/v2/payments', data);
    expect(bank.handled[0]?.body).toEqual(data);
  });
});

/** As a browser does, this adapter takes relative URLs as they are. */
function relative({ url: origin }: Bank): typeof axios {
  const send = axios.create({ adapter: 'http', baseURL: origin, proxy: false });
  return ((config: { url?: string; method?: string; data?: unknown; headers?: object }) =>
    send.request({
      url: config.url ?? '',
      method: config.method ?? 'get',
      data: config.data,
      headers: { ...config.headers },
      transformRequest: (sent: unknown) => sent,
      transformResponse: (received: unknown) => received,
    })) as typeof axios; // an adapter is any function from a config to a promised response
}
