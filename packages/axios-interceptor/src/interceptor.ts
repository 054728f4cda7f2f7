import { createE2eeClient, type E2eeClient, type E2eeClientOptions, E2eeError } from '@e2ee/core';
import type { AxiosError, AxiosInstance } from 'axios';
import { Exchange } from './exchange.js';

/** The options of the client end. */
export type E2eeAxiosOptions = E2eeClientOptions;

const installed = new WeakSet<AxiosInstance>();

/**
 * Installs encryption on an axios instance: requests leave encrypted as the policy says, responses and error responses
 * come back in plain, and a rejected key is replaced once per call without the caller noticing. Other interceptors and
 * retry libraries may be registered before or after. Only, an error interceptor registered before sees the plain body of
 * a request that failed before it was sent, and one that builds a config of its own must keep the adapter or the
 * transformations of the one that it was given.
 *
 * A request that cannot be encrypted is not sent: the call rejects with an `E2eeError`. Takes options, or a client end
 * made beforehand. Throws `option_invalid` or `policy_invalid`; `option_invalid` also when the instance has encryption
 * already.
 *
 * @returns A function that takes encryption off the instance again.
 * @example
 * const api = axios.create({ baseURL: 'https://api.example.com' })
 * e2ee(api, { profile: banked, encryptionKeys: remoteJwks('https://api.example.com/.well-known/jwks.json'), keyRing })
 */
export function e2ee(instance: AxiosInstance, optionsOrClient: E2eeAxiosOptions | E2eeClient): () => void {
  if (installed.has(instance)) {
    throw new E2eeError('option_invalid', 'This axios instance has encryption already; eject it first');
  }
  const given = Object(optionsOrClient); // so that the client end refuses what is missing, by name
  const client: E2eeClient = 'encryptRequest' in given ? given : createE2eeClient(given);
  const { request, response } = instance.interceptors;
  const requestId = request.use((config) => Exchange.prepare(client, config));
  const responseId = response.use(undefined, (error: unknown) => {
    conceal(error);
    throw error;
  });
  installed.add(instance);
  let ejected = false;

  return function eject(): void {
    if (ejected) return; // another installation may have taken its place
    ejected = true;
    request.eject(requestId);
    response.eject(responseId);
    installed.delete(instance);
  };
}

function conceal(error: unknown): void {
  if (typeof error !== 'object' || error === null || !('config' in error)) return;
  const { config } = error as AxiosError; // or of that shape: only what an exchange has made is touched
  if (typeof config === 'object' && config !== null) Exchange.of(config)?.conceal(config);
}
