import { bodyText, type E2eeClient, E2eeError, type E2eeRequest, type E2eeResponse } from '@e2ee/core';
import axios, {
  Axios,
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosRequestTransformer,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
  isAxiosError,
} from 'axios';
import { OpaqueBody } from './opaque-body.js';
import { isUnread, readBody, replaceBody } from './response-body.js';
import { isSecure, keepToTls } from './transport.js';

type Config = InternalAxiosRequestConfig;
type Outcome = { readonly response: AxiosResponse; readonly error?: unknown };
type Headers = Readonly<Record<string, string>>;

/** A body as it was sent and as it was before encryption, with the content type of each. */
interface Sent {
  readonly plain: unknown;
  readonly plainType: string | undefined;
  readonly wire: unknown;
  readonly wireType: unknown;
  /** Whether it was changed at all. */
  readonly isSealed: boolean;
  /** Names of headers that it was given. */
  readonly added: readonly string[];
}

/** Which exchange a function in a config belongs to: functions survive merging, and show nothing. */
const exchanges = new WeakMap<object, Exchange>();

/**
 * One call: encrypts what axios is about to send, decrypts what comes back, and does both again once after a key
 * rejection. It stands in for the config's adapter, after every interceptor and transformation, so that it does not
 * matter in which order those were registered.
 */
export class Exchange {
  readonly #client: E2eeClient;
  #base: Config['adapter'];
  readonly #adapter: AxiosAdapter = (config) => this.#run(config);
  readonly #claim: AxiosRequestTransformer;
  /** What was last sent, and what it was made from: a retry starts from there. */
  #sent: Sent | undefined;

  private constructor(client: E2eeClient) {
    const attach = (config: Config): void => this.#attach(config);
    this.#client = client;
    // The last transformation: an interceptor that ran after ours may have put another adapter in our place.
    this.#claim = function claim(data: unknown): unknown {
      attach(this);
      return data;
    };
    exchanges.set(this.#adapter, this);
    exchanges.set(this.#claim, this);
  }

  /** Makes a request go through an exchange of its own. One that is sent again starts from its plain body. */
  static prepare(client: E2eeClient, config: Config): Config {
    const exchange = new Exchange(client);
    const earlier = Exchange.of(config);
    if (earlier && earlier.#client === client) earlier.#restore(config);
    if (OpaqueBody.open(config.data) !== config.data) {
      throw new E2eeError(
        'body_unreadable',
        'Only the axios instance that this request was made with can retry it',
      );
    }
    const transforms = transformsOf(config).filter(
      (item) => !exchanges.has(item) && item !== OpaqueBody.open,
    );
    config.transformRequest = [...transforms, exchange.#claim];
    exchange.#attach(config);
    return config;
  }

  /** The exchange that a config went through, if it did. */
  static of(config: Config): Exchange | undefined {
    const functions = [config.adapter, ...transformsOf(config)].filter((item) => typeof item === 'function');
    return functions.map((item) => exchanges.get(item)).find((exchange) => exchange !== undefined);
  }

  /** Takes out of the config of an error what logs should not show: a plain body. A retry finds it again. */
  conceal(config: Config): void {
    if (this.#sent) {
      if (config.data !== this.#sent.wire) config.data = this.#sent.wire;
    } else if (config.data !== undefined) {
      config.data = OpaqueBody.of(config.data);
      config.transformRequest = [OpaqueBody.open, ...transformsOf(config)];
    }
  }

  /** What was last sent, if anything of it was encrypted. */
  get #encrypted(): Sent | undefined {
    return this.#sent?.isSealed ? this.#sent : undefined;
  }

  /** Takes the place of the config's adapter. */
  #attach(config: Config): void {
    if (config.adapter === this.#adapter) return;
    const other = typeof config.adapter === 'function' ? exchanges.get(config.adapter) : undefined;
    this.#base = other ? other.#base : config.adapter;
    config.adapter = this.#adapter;
  }

  /** A retry hands in what was sent; encryption starts again from what that was made from. */
  #restore(config: Config): void {
    config.data = OpaqueBody.open(config.data);
    if (!this.#encrypted) return;
    const { plain, wire, plainType, wireType, added } = this.#encrypted;
    config.headers = AxiosHeaders.from(config.headers);
    for (const name of added) config.headers.delete(name);
    if (config.headers.getContentType() === wireType) config.headers.setContentType(plainType ?? null);
    if (config.data !== wire) return; // another body, for which other transformations may be due
    config.data = plain;
    config.transformRequest = [];
  }

  async #run(config: Config): Promise<AxiosResponse> {
    const request = take(this.#client, config);
    const first = await this.#send(config, request);
    const again =
      this.#encrypted && (await this.#client.recoverFrom(request, this.#answerOf(request, first.response)));
    const { response, error } = again ? await this.#send(config, request) : first;
    await this.#decrypt(request, response);
    if (error !== undefined) throw error;
    return response;
  }

  async #send(config: Config, request: E2eeRequest): Promise<Outcome> {
    delete config.data; // until it is encrypted, nothing that fails may show it
    const sealed = await this.#client.encryptRequest(request);
    if (this.#client.requireTls) keepToTls(config);
    if (sealed === request) config.data = request.body;
    else put(config, request, sealed);
    const wireType = config.headers.getContentType();
    this.#sent = {
      plain: request.body,
      plainType: request.headers['content-type'],
      wire: config.data,
      wireType,
      isSealed: sealed !== request,
      added: addedTo(request.headers, sealed.headers),
    };
    throwIfCancelled(config);
    try {
      return { response: await axios.getAdapter(this.#base ?? axios.defaults.adapter, config)(config) };
    } catch (error) {
      if (isAxiosError(error) && error.response) return { response: error.response, error };
      throw error;
    }
  }

  async #decrypt(request: E2eeRequest, response: AxiosResponse): Promise<void> {
    if (isUnread(response.data)) return;
    const answer = this.#answerOf(request, response);
    const restored = await this.#client.decryptResponse(request, answer).catch((error: unknown) => {
      throw withStatus(error, response.status);
    });
    if (restored === answer) return;
    const headers = AxiosHeaders.from(response.headers as AxiosHeaders);
    response.headers = rewrite(headers, answer.headers, restored.headers);
    replaceBody(response, restored);
  }

  /** Bytes are read only where the policy has a say: what is downloaded otherwise may be large. */
  #answerOf(request: E2eeRequest, { status, headers, data }: AxiosResponse): E2eeResponse {
    return { status, headers: flat(headers), body: this.#client.covers(request) ? readBody(data) : data };
  }
}

/** Composes URLs without the defaults of the global axios, which the instance may not use. */
const uris = new Axios({});
/** Stands for what a relative URI is relative to. */
const LOCAL = 'http://localhost';

/** The request as plain data, under the path by which the policy knows it: from the root, or from some way down the base URL. */
function take(client: E2eeClient, config: Config): E2eeRequest {
  const method = config.method ?? 'get';
  // The serialiser of parameters is the user's: it runs once more only where they are looked at.
  const uri = uris.getUri({ ...config, params: undefined, data: undefined });
  const { pathname, search } = new URL(uri, LOCAL);
  const base = new URL(config.baseURL || '/', LOCAL).pathname.replace(/\/+$/, '');
  const known = readings(pathname, base).find((path) => client.covers({ method, path })) ?? pathname;
  const unknown = pathname.slice(0, pathname.length - known.length);
  const secure = isSecure(uri, config);
  return {
    method,
    path: known + (client.guardsLeaks ? besides(config, unknown) : search),
    headers: flat(config.headers),
    body: OpaqueBody.open(config.data),
    secure,
  };
}

/**
 * What a URI has besides its path, for a guard against leaks: the query, as the user's serialiser writes the parameters, and,
 * as a fragment, what of the base URL the policy does not know. The policy looks at neither.
 */
function besides(config: Config, unknown: string): string {
  const { search } = new URL(uris.getUri({ ...config, data: undefined }), LOCAL);
  return unknown === '' ? search : `${search}#${unknown}`;
}

/** A path, and what is left of it without the first, the first two, … segments of the base that it begins with. */
function readings(path: string, base: string): readonly string[] {
  if (!`${path}/`.toLowerCase().startsWith(`${base}/`.toLowerCase())) return [path];
  const cuts = [...base.matchAll(/\//g)].map(({ index }) => index);
  return [path, ...[...cuts.slice(1), base.length].map((cut) => path.slice(cut))];
}

/** What was asked for may have been done all the same: the caller must learn what the server said of it. */
function withStatus(error: unknown, status: number): unknown {
  if (!(error instanceof E2eeError)) return error;
  const message = `The answer, of status ${status}, cannot be decrypted: ${error.message}`;
  return new E2eeError(error.code, message, { ...error, cause: error });
}

/** What was not encrypted goes as it is. */
function put(config: Config, request: E2eeRequest, sealed: E2eeRequest): void {
  rewrite(config.headers, flat(config.headers), sealed.headers);
  config.data = sealed.body === request.body ? request.body : bodyText(sealed);
}

/** Changes what differs and nothing else: a header with several values would not survive being set again. */
function rewrite(headers: AxiosHeaders, before: Headers, after: Headers): AxiosHeaders {
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) headers.delete(name);
  for (const [name, value] of Object.entries(after)) if (value !== before[name]) headers.set(name, value);
  return headers;
}

function addedTo(before: Headers, after: Headers): readonly string[] {
  const names = new Set(Object.keys(before).map((name) => name.toLowerCase()));
  return Object.keys(after).filter((name) => !names.has(name.toLowerCase()));
}

function flat(headers: unknown): Record<string, string> {
  const entries = Object.entries(AxiosHeaders.from(headers as AxiosHeaders).toJSON());
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** As axios itself does before it calls an adapter; encryption, and fetching keys, took a while since then. */
function throwIfCancelled(config: Config): void {
  config.cancelToken?.throwIfRequested();
  if (config.signal?.aborted) throw new CanceledError(undefined, config);
}

function transformsOf({ transformRequest }: Config): AxiosRequestTransformer[] {
  return [transformRequest ?? []].flat();
}
