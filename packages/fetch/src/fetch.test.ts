import { createE2eeClient, type E2eeClientOptions, E2eeError } from '@e2ee/core';
import { afterAll, beforeEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { Bank, localOptions, remoteOptions, tokensIn } from '../../axios-interceptor/test/bank.js';
import { type E2eeFetchOptions, e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const POST = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"payee":"x"}',
};

describe('the types', () => {
  it('take options or a client end, and give what fetch is', () => {
    expectTypeOf(e2ee).returns.toEqualTypeOf<typeof globalThis.fetch>();
    expectTypeOf(e2ee).toBeCallableWith(localOptions);
    expectTypeOf(e2ee).toBeCallableWith(createE2eeClient(localOptions), { fetch: globalThis.fetch });
    expectTypeOf<E2eeFetchOptions>().toExtend<E2eeClientOptions>();
    // @ts-expect-error: options are required
    expect(() => e2ee()).toThrow();
  });
});

describe('e2ee', () => {
  it('refuses bad options with the name of the option', () => {
    const bad = (options: object) => () => e2ee({ ...localOptions, ...options } as E2eeFetchOptions);
    expect(bad({ unmatched: 'maybe' })).toThrow(/`unmatched`/);
    expect(bad({ fetch: 'fetch' })).toThrow(/`fetch`/);
    expect(bad({ fetch: null })).toThrow(E2eeError);
    expect(bad({ policy: { 'POST x': {} } })).toThrow(E2eeError);
    expect(() => e2ee(createE2eeClient(localOptions), { fetch: {} as never })).toThrow(/`fetch`/);
  });

  it('leaves the global fetch as it is, and may be put in its place', async () => {
    const { fetch } = globalThis;
    const api = e2ee(remoteOptions(bank));
    expect(globalThis.fetch).toBe(fetch);
    vi.stubGlobal('fetch', api);
    onTestFinished(() => void vi.unstubAllGlobals());
    const response = await globalThis.fetch(`${bank.url}/v2/payments`, POST);
    expect(await response.json()).toEqual({ id: 'p1', payee: 'x' });
    expect(bank.arrivals.flatMap(tokensIn)).toHaveLength(1);
  });

  it('calls the fetch beneath without a receiver, which browsers insist on', async () => {
    const receivers: unknown[] = [];
    const fetch = async function (this: unknown): Promise<Response> {
      receivers.push(this);
      return new Response();
    };
    await e2ee({ ...localOptions, fetch })(`${bank.url}/v2/payments`, POST);
    expect(receivers).toEqual([undefined]);
  });

  it('around another one encrypts once', async () => {
    const options = { ...localOptions, onEvent: () => {} };
    const inner = e2ee(options);
    const response = await e2ee({ ...options, fetch: inner })(`${bank.url}/v2/payments`, POST);
    expect(bank.arrivals.flatMap(tokensIn)).toHaveLength(1);
    expect(await response.json()).toEqual({ id: 'p1', payee: 'x' });
  });

  it.each(['', 'about:blank'])(
    'goes by an absolute URL where the page has the address "%s"',
    async (href) => {
      vi.stubGlobal('location', { href });
      onTestFinished(() => void vi.unstubAllGlobals());
      const response = await e2ee(remoteOptions(bank))(`${bank.url}/v2/payments`, POST);
      expect(await response.json()).toEqual({ id: 'p1', payee: 'x' });
    },
  );

  it('resolves a relative URL as the page does, or leaves it to the fetch beneath', async () => {
    const sent: unknown[] = [];
    const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
      sent.push([input, init?.body]);
      return new Response();
    };
    const api = e2ee({ ...localOptions, fetch });
    await api('/v2/payments', POST);
    vi.stubGlobal('document', { baseURI: 'https://shop.example/v2/' });
    await api('payments', POST);
    vi.unstubAllGlobals();
    vi.stubGlobal('location', new URL('https://shop.example/v2/x'));
    onTestFinished(() => void vi.unstubAllGlobals());
    await api('payments', POST);
    expect(sent).toEqual([
      ['/v2/payments', expect.stringContaining('encrypted_payee')],
      ['payments', expect.stringContaining('encrypted_payee')],
      ['payments', expect.stringContaining('encrypted_payee')],
    ]);
  });
});
