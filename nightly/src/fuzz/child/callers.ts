import { inspect } from 'node:util';
import { e2ee } from '@e2ee/axios-interceptor';
import { type E2eeClientOptions, E2eeError } from '@e2ee/core';
import { e2ee as e2eeFetch } from '@e2ee/fetch';
import axios, { isAxiosError } from 'axios';
import { CANARY } from '../secrets.js';
import { checkSecrecy, report } from './watch.js';

/** A call to the hostile server. */
export interface Calling {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came of a call: an answer, or the status or code of an error. */
export type Called = { readonly status: number; readonly data: unknown } | { readonly failed: string };

export type Caller = (calling: Calling) => Promise<Called>;

/** In milliseconds. */
const TIMEOUT = 20_000;

/** The adapters of clients. */
export const CALLERS: Readonly<Record<string, (options: E2eeClientOptions) => Caller>> = {
  axios: (options) => {
    const api = axios.create({ proxy: false, timeout: TIMEOUT, adapter: 'http' });
    e2ee(api, options);
    return async ({ body: data, ...calling }) => {
      try {
        const answer = await api.request({ data, ...calling });
        checkConfig(answer.config);
        return { status: answer.status, data: answer.data };
      } catch (error) {
        if (!isAxiosError(error)) return failure(error, error instanceof E2eeError);
        checkConfig(error.config);
        return { failed: String(error.response?.status ?? error.code ?? error) };
      }
    };
  },
  fetch: (options) => {
    const api = e2eeFetch(options);
    return async ({ url, method, headers, body }) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const signal = AbortSignal.timeout(TIMEOUT);
      try {
        const answer = await api(url, { method, signal, headers: { ...headers, ...JSON_TYPE }, ...sent });
        const text = await answer.text();
        return { status: answer.status, data: parsed(text) };
      } catch (error) {
        // What fetch itself says of a connection, and of a time that is up.
        const isOfFetch = error instanceof TypeError || error instanceof DOMException;
        return failure(error, isOfFetch || error instanceof E2eeError);
      }
    };
  },
};

const JSON_TYPE = { 'content-type': 'application/json' };

function failure(error: unknown, isExpected: boolean): Called {
  checkSecrecy(error);
  if (!isExpected) report('unexpected answer', error);
  return { failed: String(Reflect.get(Object(error), 'code') ?? error) };
}

/** What a caller's log shows of a config must not hold what was encrypted. */
function checkConfig(config: unknown): void {
  const shown = inspect(config, { depth: 6 });
  if (shown.includes(CANARY)) report('canary in an event or error', shown);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
