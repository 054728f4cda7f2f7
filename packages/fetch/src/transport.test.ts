import tls from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bank, localOptions } from '../../axios-interceptor/test/bank.js';
import { e2ee } from './index.js';
import { isSecure } from './transport.js';

const PROXIES = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
const usual = tls.DEFAULT_MIN_VERSION;

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => {
  bank.reset();
  for (const name of PROXIES) vi.stubEnv(name, undefined);
});
afterEach(() => {
  tls.DEFAULT_MIN_VERSION = usual;
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('what is secure', () => {
  it.each([
    ['https://api.example.com', true],
    ['http://localhost:8080', true],
    ['http://127.0.0.1', true],
    ['http://0x7f.1', true], // a URL is written out: it is the same address
    ['http://[::1]', true],
    ['http://api.example.com', false],
    ['http://0.0.0.0', false],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://relative.invalid', false],
    ['data:text/plain,x', false],
    ['file:///etc/hosts', false],
  ])('%s: %s', (url, secure) => expect(isSecure(new URL(url))).toBe(secure));

  it.each(PROXIES)('not this machine where %s names a proxy', (name) => {
    vi.stubEnv(name, 'http://proxy.example.com');
    expect(isSecure(new URL('http://localhost'))).toBe(false);
    expect(isSecure(new URL('https://localhost'))).toBe(true);
  });

  it('not https: where Node was told to speak versions below TLS 1.2', () => {
    tls.DEFAULT_MIN_VERSION = 'TLSv1.1';
    expect(isSecure(new URL('https://api.example.com'))).toBe(false);
  });

  it('https: where there is no Node', () => {
    vi.stubGlobal('process', undefined);
    expect(isSecure(new URL('https://api.example.com'))).toBe(true);
    expect(isSecure(new URL('http://localhost'))).toBe(true);
  });
});

describe('where TLS is required', () => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"payee":"x"}' };
  const api = e2ee({ ...localOptions, requireTls: true });
  const redirecting: typeof bank.intercept = (_, response) => {
    response.writeHead(307, { location: `${bank.url.replace('127.0.0.1', '0.0.0.0')}/v1/open` }).end();
    return true;
  };

  it.each(['/v2/payments', '/v1/open'])('no redirection of %s is followed', async (path) => {
    bank.intercept = redirecting;
    for (const call of [api(bank.url + path, init), api(new Request(bank.url + path, init))])
      await expect(call).rejects.toThrow(TypeError);
    expect(bank.arrivals.map(({ url }) => url)).toEqual([path, path]);
  });

  it('a caller may look at redirections instead', async () => {
    bank.intercept = redirecting;
    const request = new Request(`${bank.url}/v2/payments`, { ...init, redirect: 'manual' });
    for (const call of [api(request.url, { ...init, redirect: 'manual' }), api(request)])
      expect((await call).status).toBe(307);
  });

  it('a relative URL is refused, since nobody knows where it leads', async () => {
    await expect(api('/v2/payments', init)).rejects.toMatchObject({ code: 'tls_required' });
  });
});
