import { Agent } from 'node:https';
import { text } from 'node:stream/consumers';
import { e2ee } from '@e2ee/axios-interceptor';
import axios, {
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosRequestTransformer,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
  isAxiosError,
} from 'axios';
import axiosRetry from 'axios-retry';
import type { Client, ClientRequest, ClientSetup, ClientSubject, Reply } from '../subject.js';

const OF_FETCH = {
  'options of TLS': 'the fetch of Node takes none, and trusts the authorities that Node started with',
  'redirections with requireTls': 'fetch does not say where a redirection leads, so that all are refused',
  'Node streams': 'fetch takes streams of the web only',
  ...(axios.VERSION.startsWith('1.7.') && {
    'headers of several values': 'Axios 1.7 keeps the last of several headers that fetch tells',
  }),
} as const;

/** Axios, in the version that is installed, with one of the adapters that Node has. */
export function axiosSubject(adapter: 'http' | 'fetch'): ClientSubject {
  return {
    name: `Axios ${axios.VERSION} ${adapter}`,
    unsupported: adapter === 'fetch' ? OF_FETCH : {},
    open: (setup) => open(setup, adapter),
  };
}

function open(setup: ClientSetup, adapter: 'http' | 'fetch'): Client {
  const { baseUrl, options, client, tls, position } = setup;
  const agent = tls && new Agent({ ...(tls as object) }); // the types of Node list the versions
  const api = axios.create({
    baseURL: baseUrl,
    adapter: setup.sign ? signing(setup.sign, adapter) : adapter,
    proxy: false,
    ...(agent && { httpsAgent: agent }),
    transformRequest: transformations(setup),
  });
  if (position === 'before') surround(api, setup);
  const eject = e2ee(api, client ?? options);
  if (position !== 'before') surround(api, setup);
  return {
    send: async (request) => replyTo(api.request(configOf(request))), // Axios 1.7 throws at once for a cycle
    resend: async (error) => {
      if (!isAxiosError(error) || !error.config) throw error;
      const { signal, ...config } = error.config;
      return replyTo(api.request(signal?.aborted ? config : error.config));
    },
    eject,
    close: () => agent?.destroy(),
  };
}

function surround(api: AxiosInstance, { request, response, retries }: ClientSetup): void {
  const { interceptors } = api;
  if (request)
    interceptors.request.use(async (config) => {
      const { method = 'get', url = '', headers, data } = config;
      const asked = { method, path: url, headers: flat(headers), body: data as unknown };
      const changed = await request(asked);
      for (const [name, value] of Object.entries(changed.headers))
        if (value !== asked.headers[name]) headers.set(name, value);
      return Object.assign(config, { method: changed.method, url: changed.path, data: changed.body });
    });
  if (response)
    interceptors.response.use(
      (answer) => {
        response(answer.data);
        return answer;
      },
      (error: unknown) => {
        if (isAxiosError(error) && error.response) response(error.response.data);
        throw error;
      },
    );
  if (retries) axiosRetry(api, { retries: 2, retryCondition: () => true });
}

function transformations({ transform, transformText }: ClientSetup): AxiosRequestTransformer[] {
  const usual = [axios.defaults.transformRequest ?? []].flat();
  return [...(transform ? [transform] : []), ...usual, ...(transformText ? [transformText] : [])];
}

function signing(sign: (text: string) => string, adapter: 'http' | 'fetch'): AxiosAdapter {
  return (config) => {
    config.headers.set('x-signature', sign(String(config.data ?? '')));
    return axios.getAdapter(adapter)(config);
  };
}

function configOf({
  method,
  path,
  headers,
  body,
  read,
  rejects,
  ...rest
}: ClientRequest): AxiosRequestConfig {
  return {
    ...rest, // timeout, signal and params are called the same
    method,
    url: path,
    data: body,
    ...(headers && { headers }),
    ...(read && { responseType: read === 'bytes' ? 'arraybuffer' : read }),
    ...(rejects && { validateStatus: () => rejects === 'none' }),
  };
}

async function replyTo(call: Promise<AxiosResponse>): Promise<Reply> {
  try {
    const response = await call;
    return await replyOf(response, [response, response.config, response.request]);
  } catch (error) {
    // An answer that broke off has no data, an empty one has an empty text.
    if (!isAxiosError(error) || error.response?.data === undefined) throw error;
    return { ...(await replyOf(error.response, [error])), error };
  }
}

async function replyOf({ status, headers, data }: AxiosResponse, shown: readonly unknown[]): Promise<Reply> {
  const isStream = typeof data?.pipe === 'function' || typeof data?.getReader === 'function';
  const isBytes = data instanceof ArrayBuffer || data instanceof Uint8Array;
  const body: unknown = isStream ? await text(data) : isBytes ? new TextDecoder().decode(data) : data;
  return { status, headers: flat(headers as InternalAxiosRequestConfig['headers']), body, shown };
}

function flat(headers: InternalAxiosRequestConfig['headers']): Record<string, string> {
  const entries = Object.entries(AxiosHeaders.from(headers).toJSON());
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}
