import { bodyText, type E2eeClient, type E2eeRequest, type E2eeResponse } from '@e2ee/core';
import axios, {
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
  isAxiosError,
} from 'axios';
import { OpaqueBody } from './opaque-body.js';

type Config = InternalAxiosRequestConfig;
type Outcome = { readonly response: AxiosResponse; readonly error?: unknown };

/** Which exchange an adapter function belongs to: the one thing of a config that survives merging and shows nothing. */
const exchanges = new WeakMap<object, Exchange>();

/**
 * One call: encrypts what axios is about to send, decrypts what comes back, and does both again once after a key
 * rejection. It stands in for the config's adapter, after every interceptor and transformation, so that it does not
 * matter in which order those were registered.
 */
export class Exchange {
  readonly #client: E2eeClient;
  readonly #base: Config['adapter'];
  readonly #adapter: AxiosAdapter = (config) => this.#run(config);
  /** What was last sent, and what it was made from: a retry starts from there. */
  #sent: { wire: unknown; plain: unknown; contentType: string | undefined } | undefined;
  #decrypted = false;

  private constructor(client: E2eeClient, base: Config['adapter']) {
    this.#client = client;
    this.#base = base;
    exchanges.set(this.#adapter, this);
  }

  /** Makes a request go through an exchange: a new one, or, when a request is sent again, the one that it had. */
  static prepare(client: E2eeClient, config: Config): Config {
    const earlier = Exchange.of(config);
    const base = earlier ? earlier.#base : config.adapter;
    const exchange = earlier && earlier.#client === client ? earlier : new Exchange(client, base);
    const transforms = [config.transformRequest ?? []].flat();
    config.adapter = exchange.#adapter;
    config.transformRequest = [
      ...transforms.filter((transform) => transform !== OpaqueBody.seal),
      OpaqueBody.seal,
    ];
    exchange.#restore(config);
    return config;
  }

  /** The exchange that a config went through, if it did. */
  static of(config: unknown): Exchange | undefined {
    const adapter =
      typeof config === 'object' && config !== null && 'adapter' in config ? config.adapter : undefined;
    return typeof adapter === 'function' ? exchanges.get(adapter) : undefined;
  }

  /** Takes out of an error what should not be seen in logs: a body that was not sent, a decrypted answer. */
  conceal(config: Config, response: AxiosResponse | undefined): void {
    if (config.data !== this.#sent?.wire) config.data = this.#sent?.wire;
    if (!response || !this.#decrypted) return;
    let { data } = response;
    // An accessor: `error.response.data` reads and writes as ever, but `inspect` shows only that there is one.
    Object.defineProperty(response, 'data', {
      get: () => data,
      set: (value: unknown) => {
        data = value;
      },
      enumerable: true,
      configurable: true,
    });
  }

  /** A retry hands in what was sent; encryption starts again from what that was made from. */
  #restore(config: Config): void {
    if (this.#sent === undefined || config.data === undefined || config.data !== this.#sent.wire) return;
    config.data = this.#sent.plain;
    config.headers.setContentType(this.#sent.contentType ?? null);
    config.transformRequest = [OpaqueBody.seal];
  }

  async #run(config: Config): Promise<AxiosResponse> {
    config.data = OpaqueBody.open(config.data);
    const request = take(this.#client, config);
    const first = await this.#send(config, request);
    const again = await this.#client.recoverFrom(request, answerOf(first.response));
    const { response, error } = again ? await this.#send(config, request) : first;
    await this.#decrypt(request, response);
    if (error !== undefined) throw error;
    return response;
  }

  async #send(config: Config, request: E2eeRequest): Promise<Outcome> {
    const plain = { plain: request.body, contentType: request.headers['content-type'] };
    delete config.data; // until it is encrypted, nothing that fails may show it
    const sealed = await this.#client.encryptRequest(request);
    if (sealed === request) config.data = request.body;
    else put(config, sealed);
    this.#sent = { wire: config.data, ...plain };
    try {
      return { response: await axios.getAdapter(this.#base, config)(config) };
    } catch (error) {
      if (isAxiosError(error) && error.response) return { response: error.response, error };
      throw error;
    }
  }

  async #decrypt(request: E2eeRequest, response: AxiosResponse): Promise<void> {
    const answer = answerOf(response);
    const restored = await this.#client.decryptResponse(request, answer);
    if (restored === answer) return;
    this.#decrypted = true;
    const headers = AxiosHeaders.from(response.headers as AxiosHeaders);
    for (const name of Object.keys(answer.headers)) if (!(name in restored.headers)) headers.delete(name);
    response.headers = headers.set(restored.headers);
    response.data = typeof response.data === 'string' ? bodyText(restored) : restored.body;
  }
}

/** The request as plain data, under the path by which the policy knows it: from the root, or below the base URL. */
function take(client: E2eeClient, config: Config): E2eeRequest {
  const method = config.method ?? 'get';
  const { pathname } = new URL(axios.getUri(config), 'http://localhost');
  const base = new URL(config.baseURL || '/', 'http://localhost').pathname.replace(/\/$/, '');
  const below = pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  const path = [pathname, below].find((candidate) => client.covers({ method, path: candidate })) ?? pathname;
  return { method, path, headers: flat(config.headers), body: config.data };
}

function put(config: Config, sealed: E2eeRequest): void {
  const before = flat(config.headers);
  for (const name of Object.keys(before)) if (!(name in sealed.headers)) config.headers.delete(name);
  config.headers.set({ ...sealed.headers });
  config.data = bodyText(sealed);
}

function answerOf({ status, headers, data }: AxiosResponse): E2eeResponse {
  return { status, headers: flat(headers), body: data };
}

function flat(headers: unknown): Record<string, string> {
  const entries = Object.entries(AxiosHeaders.from(headers as AxiosHeaders).toJSON());
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}
