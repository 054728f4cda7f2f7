import { leakGuard } from '@e2ee/core';
import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { Bank, localOptions } from '../test/bank.js';
import { createPlain, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const payee = 'John Doe';
const guarded = (config?: AxiosRequestConfig): AxiosInstance => {
  const api = createPlain(bank, 'http', config);
  e2ee(api, { ...localOptions, leakGuard });
  return api;
};

it.each<[place: string, config: AxiosRequestConfig, url?: string]>([
  ['its parameters', { params: { n: payee } }],
  ['a nested parameter', { params: { filter: { names: ['x', payee] } } }],
  ['parameters of another class', { params: new URLSearchParams({ n: payee }) }],
  ['parameters beside a query', { params: { n: payee } }, '/v2/payments?page=1'],
  [
    'what a serialiser makes of its parameters',
    { params: { n: 1 }, paramsSerializer: { serialize: () => `n=${payee}` } },
  ],
  ['the query of its URL', {}, '/v2/payments?n=John+Doe'],
  ['a base URL that the policy does not know', { baseURL: `${bank.url}/of/John%20Doe` }],
  ['the query of a base URL', { baseURL: `${bank.url}/v2/payments?n=John%20Doe&next=` }, 'x'],
])('a request with a protected value also in %s is not sent', async (_, config, url = '/v2/payments') => {
  const error = await failureOf(guarded().post(url, { payee }, config));
  expect(error).toMatchObject({
    code: 'leak_refused',
    path: 'payee',
    message: expect.stringMatching(/ in the URL$/),
  });
  expect(bank.arrivals).toEqual([]);
});

it('a request whose parameters hold no protected value is sent, also where a serialiser leaves one out', async () => {
  const api = guarded({ baseURL: `${bank.url}/api` });
  const serialize = (): string => 'n=digest';
  await api.post('/v2/payments', { payee }, { params: { n: payee }, paramsSerializer: { serialize } });
  await api.post('/v2/payments', { payee }, { params: { page: 1, n: 'Jane Doe' } });
  expect(bank.arrivals.map(({ url }) => url)).toEqual([
    '/api/v2/payments?n=digest',
    '/api/v2/payments?page=1&n=Jane+Doe',
  ]);
  expect(bank.handled.map(({ body }) => body)).toEqual([{ payee }, { payee }]);
});
