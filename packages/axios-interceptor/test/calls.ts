import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { e2ee } from '../src/index.js';
import { type Bank, localOptions } from './bank.js';

/** The adapters that Node has. */
export const ADAPTERS = ['http', 'fetch'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** The tests run against two versions: see `src/lowest-axios.test.ts`. */
export const isLowest: boolean = axios.VERSION.startsWith('1.7.');

export function createPlain(
  bank: Bank,
  adapter: AdapterName,
  config: CreateAxiosDefaults = {},
): AxiosInstance {
  return axios.create({ baseURL: bank.url, adapter, proxy: false, ...config });
}

export function createApi(bank: Bank, adapter: AdapterName, config?: CreateAxiosDefaults): AxiosInstance {
  const api = createPlain(bank, adapter, config);
  e2ee(api, localOptions);
  return api;
}

/** What a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject');
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
