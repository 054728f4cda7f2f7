import { once } from 'node:events';
import { Agent, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bank, localOptions, send } from '../test/bank.js';
import { ADAPTERS, failureOf } from '../test/calls.js';
import { cert, key } from '../test/loopback-certificate.js';
import { e2ee } from './index.js';

const BODY = { payee: { name: 'John' } };
const bank = new Bank();
let connections = 0;
const secureServer = createServer({ cert, key }, (_, response) => {
  send(response, { status: 201, headers: { 'content-type': 'application/json' }, body: { id: 'p1' } });
}).on('connection', () => {
  connections += 1;
});

beforeAll(async () => {
  await bank.start();
  await once(secureServer.listen(0, '127.0.0.1'), 'listening');
});
beforeEach(() => {
  bank.reset();
  connections = 0;
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  secureServer.close();
  secureServer.closeAllConnections();
  await bank.close();
});

const secureUrl = (): string => `https://127.0.0.1:${(secureServer.address() as AddressInfo).port}`;

function createApi(config: CreateAxiosDefaults, requireTls = true): AxiosInstance {
  const api = axios.create({ proxy: false, ...config });
  e2ee(api, { ...localOptions, requireTls });
  return api;
}

describe.each(ADAPTERS)('a client that requires TLS, with the %s adapter', (adapter) => {
  it.each([
    'http://192.0.2.1',
    'http://api.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
  ])('sends nothing to %s, covered or not', async (baseURL) => {
    const adapted = vi.fn();
    const api = createApi({ baseURL, adapter: adapted });
    for (const path of ['/v2/payments', '/other'])
      expect(await failureOf(api.post(path, BODY))).toMatchObject({ code: 'tls_required' });
    expect(adapted).not.toHaveBeenCalled();
  });

  it('sends nothing to a place that cannot be told', async () => {
    const adapted = vi.fn();
    for (const url of ['/v2/payments', '//api.example.com/v2/payments', 'ftp://127.0.0.1/v2/payments']) {
      const api = createApi({ adapter: adapted });
      expect(await failureOf(api.post(url, BODY))).toMatchObject({ code: 'tls_required' });
    }
    expect(adapted).not.toHaveBeenCalled();
  });

  it('works on this machine without', async () => {
    const api = createApi({ baseURL: bank.url, adapter });
    expect((await api.post('/v2/payments', BODY)).data).toMatchObject(BODY);
  });

  it('follows no redirection that leaves TLS', async () => {
    bank.intercept = (_, response) => {
      send(response, { status: 307, headers: { location: 'http://192.0.2.1/v2/payments' } });
      return true;
    };
    const api = createApi({ baseURL: bank.url, adapter, timeout: 2000 });
    const started = performance.now();
    const error = await failureOf(api.post('/v2/payments', BODY));
    expect(performance.now() - started).toBeLessThan(1900); // it was refused, not tried
    expect(String(error)).not.toContain('timeout');
    expect(bank.arrivals).toHaveLength(1);
  });

  it('goes to this machine by no proxy', async () => {
    const adapted = vi.fn();
    const proxy = { host: '192.0.2.1', port: 8080 };
    const api = createApi({ baseURL: bank.url, adapter: adapted, proxy });
    expect(await failureOf(api.post('/v2/payments', BODY))).toMatchObject({ code: 'tls_required' });
    vi.stubEnv('HTTP_PROXY', 'http://192.0.2.1:8080');
    const byDefault = axios.create({ baseURL: bank.url, adapter: adapted });
    e2ee(byDefault, { ...localOptions, requireTls: true });
    expect(await failureOf(byDefault.post('/v2/payments', BODY))).toMatchObject({ code: 'tls_required' });
    vi.unstubAllEnvs();
    expect(adapted).not.toHaveBeenCalled();
  });

  it('is asked for: without the option a name in the clear is tried', async () => {
    const adapted = vi.fn(async () => Promise.reject(new Error('tried')));
    const api = createApi({ baseURL: 'http://api.example.com', adapter: adapted }, false);
    expect(String(await failureOf(api.post('/v2/payments', BODY)))).toContain('tried');
  });
});

describe('TLS below 1.2', () => {
  const agent = (options: object): Agent => new Agent({ ca: cert, ...options });

  it('is no TLS: an agent that allows it is refused before it connects', async () => {
    for (const options of [
      { minVersion: 'TLSv1' },
      { minVersion: 'TLSv1.1' },
      { secureProtocol: 'TLSv1_method' },
      { secureProtocol: 'TLSv1_1_client_method' },
      { secureProtocol: 'TLS_method' },
      { secureProtocol: 'SSLv23_method' },
      { secureContext: createSecureContext({ minVersion: 'TLSv1' }) },
    ]) {
      const api = createApi({ baseURL: secureUrl(), adapter: 'http', httpsAgent: agent(options) });
      const what = JSON.stringify(options);
      expect(await failureOf(api.post('/v2/payments', BODY)), what).toMatchObject({ code: 'tls_required' });
    }
    expect(connections).toBe(0);
  });

  it('is refused when Node was told to allow it', async () => {
    const tls = process.getBuiltinModule('node:tls');
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...tls, DEFAULT_MIN_VERSION: 'TLSv1' } as never);
    const api = createApi({ baseURL: secureUrl(), adapter: 'http', httpsAgent: agent({}) });
    expect(await failureOf(api.post('/v2/payments', BODY))).toMatchObject({ code: 'tls_required' });
    expect(connections).toBe(0);
  });

  it.each([{}, { minVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }, { secureProtocol: 'TLSv1_2_method' }])(
    'is not what an agent with %j speaks',
    async (options) => {
      const api = createApi({ baseURL: secureUrl(), adapter: 'http', httpsAgent: agent(options) });
      expect((await api.post('/v2/payments', BODY)).data).toEqual({ id: 'p1' });
      expect(connections).toBe(1);
    },
  );
});
