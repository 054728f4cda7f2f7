import { inspect } from 'node:util';
import type { AxiosError, AxiosInstance } from 'axios';
import axios from 'axios';
import lowest from 'axios-lowest';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Bank, CANARY, localOptions } from '../test/bank.js';
import { ADAPTERS, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const data = { payee: CANARY };

// Two versions in one tree: the instance is of one, the interceptor has imported the other. Their header objects do not
// understand each other, so that response headers are lost and retries may fail; what has to hold is that nothing leaks.
describe.each(ADAPTERS)('an instance of another axios than ours, over the %s adapter', (adapter) => {
  const create = (): AxiosInstance => {
    const api = lowest.create({ baseURL: bank.url, adapter, proxy: false }) as unknown as AxiosInstance;
    e2ee(api, localOptions); // the types of the two differ in details that the interceptor does not use
    return api;
  };

  it('is another one', () => expect(lowest.VERSION).not.toBe(axios.VERSION));

  it('is encrypted and decrypted', async () => {
    const { data: answer } = await create().post('/v2/payments', data);
    expect(answer.payee).toBe(CANARY);
    expect(bank.wire).not.toContain(CANARY);
  });

  it('gets errors decrypted, shows nothing, and sends nothing in plain when it retries', async () => {
    bank.handle = () => ({ status: 409, headers: { 'content-type': 'application/json' }, body: data });
    const api = create();
    const error = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    expect(lowest.isAxiosError(error)).toBe(true);
    expect(error.response?.data).toEqual(data);
    expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
    await failureOf(api.request(error.config ?? {}));
    expect(bank.wire).not.toContain(CANARY);
  });

  it('can be cancelled', async () => {
    const error = await failureOf(create().post('/v2/payments', data, { signal: AbortSignal.abort() }));
    expect(lowest.isCancel(error)).toBe(true);
    expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
    expect(bank.arrivals).toHaveLength(0);
  });
});
