import { E2eeError, invalidOption } from '../errors.js';
import { readableJson } from '../exchange/json-body.js';
import { bodyText, type E2eeRequest, type E2eeResponse, mediaType } from '../exchange/message.js';
import { asksForKeys } from '../exchange/published-keys.js';
import { createE2eeServer, type E2eeServer } from '../exchange/server.js';
import type { E2eeServerOptions } from '../exchange/server-options.js';
import { type EncryptionKeys, unavailable } from '../keys/encryption-keys.js';
import { readJwkSet } from '../keys/jwk-set.js';
import type { EncryptionKey } from '../keys/key.js';
import { createKeyRing, type KeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import { Router } from '../policy/router.js';
import type { Profile } from '../profiles/profile.js';
import { FAULTS, type Fault, type FaultName } from './faults.js';
import { keptKeys } from './public-keys.js';

/** What the server end takes; `keyRing` is made where it is not given. */
export type TestProviderOptions = Omit<E2eeServerOptions, 'keyRing'> &
  Partial<Pick<E2eeServerOptions, 'keyRing'>>;

/** What answers an operation: plain values in, plain values out. Default status 200, default headers those of JSON. */
export type TestHandler = (request: E2eeRequest) => Partial<E2eeResponse> | Promise<Partial<E2eeResponse>>;

/** A call as it was at both sides of the provider's server end. */
export interface TestCall {
  /** What crossed the wire. Without a response, none came. */
  readonly wire: { readonly request: E2eeRequest; readonly response?: E2eeResponse };
  /** What the handler was given and what it answered. Without a request, it was never called. */
  readonly plain: { readonly request?: E2eeRequest; readonly response?: E2eeResponse };
}

/** A provider in memory: a key ring, a server end, a key set, and handlers, without a socket. */
export interface TestProvider {
  readonly server: E2eeServer;
  readonly keyRing: KeyRing;
  /** Its published keys for a client end: fetched at first use, kept, and fetched again after a key rejection. */
  readonly encryptionKeys: EncryptionKeys;
  /** Every call, in order. Requests for the keys are not among them. */
  readonly calls: readonly TestCall[];
  /** The latest of them. Throws when there was none. */
  readonly lastCall: TestCall;
  /**
   * Answers the keys and the operations of any origin: for `remoteJwks`, `@e2ee/fetch`, or axios' `fetch` adapter. A body
   * that is not announced as JSON reaches the handler as text.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * Says what answers an operation, written as in a policy: `GET /v2/payment_sessions/:id`. A later handler takes the
   * place of an earlier one for the same requests. Throws `policy_invalid` for what is no operation.
   */
  handle(operation: string, handler: TestHandler): TestProvider;
  /**
   * Takes a request as it is on the wire, and resolves to the answer as it is on the wire: also to that of a refusal.
   * Rejects with an `Error` when there is no handler, and with whatever a handler throws that is no `E2eeError`.
   */
  send(request: E2eeRequest): Promise<E2eeResponse>;
  /** Publishes a new key. The one before still decrypts, as it does at every provider. */
  rotate(): Promise<void>;
  /** Takes the key that is published out of use: who still encrypts to it is answered with the key rejection. */
  revoke(): Promise<void>;
  /**
   * Lets something go wrong, the next `times` (default 1; `Infinity`: until {@link recover}) that it can: what becomes of
   * an answer waits for one that it changes. Throws a `TypeError` for what is no number of times.
   */
  fail(fault: FaultName, times?: number): void;
  /** Ends all faults. */
  recover(): void;
}

/**
 * Makes a provider for tests. A new key takes a moment to make: share a provider, or give it a `keyRing`.
 *
 * Rejects with `option_invalid` or `policy_invalid`.
 *
 * @example
 * const provider = await createTestProvider({ profile: banked })
 * provider.handle('POST /v2/payment_sessions', ({ body }) => ({ status: 201, body }))
 * const client = createE2eeClient({ profile: banked, encryptionKeys: provider.encryptionKeys })
 * const response = await provider.send(await client.encryptRequest(request))
 */
export async function createTestProvider(options: TestProviderOptions): Promise<TestProvider> {
  const { profile, keyRing = await createKeyRing({ profile }) } = options;
  return new Provider(createE2eeServer({ ...options, keyRing }), keyRing, profile);
}

/** While it is going on. */
interface OpenCall extends TestCall {
  readonly wire: { request: E2eeRequest; response?: E2eeResponse };
  readonly plain: { request?: E2eeRequest; response?: E2eeResponse };
}

/** These have no body (Fetch §2.2.3): a `Response` with one cannot be made. */
const BODILESS = [204, 205, 304];

class Provider implements TestProvider {
  readonly server: E2eeServer;
  readonly keyRing: KeyRing;
  readonly encryptionKeys: EncryptionKeys;
  readonly calls: OpenCall[] = [];
  readonly #profile: Profile;
  readonly #handlers = new Router<{ handler: TestHandler }>();
  /** How often each may still strike. */
  readonly #faults = new Map<FaultName, number>();

  constructor(server: E2eeServer, keyRing: KeyRing, profile: Profile) {
    this.server = server;
    this.keyRing = keyRing;
    this.#profile = profile;
    this.encryptionKeys = keptKeys(() => this.#loadKeys());
  }

  get lastCall(): TestCall {
    const last = this.calls.at(-1);
    if (!last) throw new Error('The test provider was never called');
    return last;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { signal = Object(input).signal as AbortSignal | undefined } = init ?? {};
    signal?.throwIfAborted();
    return unlessAborted(this.#respond(new Request(input, init)), signal);
  };

  handle(operation: string, handler: TestHandler): TestProvider {
    if (typeof handler !== 'function') invalidOption('handler', 'a function', handler);
    for (const { method, template } of definePolicy({ [operation]: {} }).operations) {
      const earlier = this.#handlers.add({ method, template, target: { handler } });
      if (earlier) earlier.target.handler = handler;
    }
    return this;
  }

  async send(request: E2eeRequest): Promise<E2eeResponse> {
    if (asksForKeys(request.path, this.#profile)) return this.#answerKeys(request);
    const call: OpenCall = { wire: { request }, plain: {} };
    this.calls.push(call);
    const response = await this.#answer(call);
    call.wire.response = response;
    return response;
  }

  async rotate(): Promise<void> {
    await this.keyRing.rotate();
  }

  async revoke(): Promise<void> {
    for (const { kid = '' } of this.keyRing.jwks().keys) await this.keyRing.revoke(kid);
  }

  fail(fault: FaultName, times = 1): void {
    if (!Object.hasOwn(FAULTS, fault)) invalidOption('fault', Object.keys(FAULTS).join(', '), fault);
    if (!(times > 0 && (Number.isInteger(times) || times === Number.POSITIVE_INFINITY)))
      throw new TypeError('A fault strikes a whole number of times, or `Infinity`');
    this.#faults.set(fault, times);
  }

  recover(): void {
    this.#faults.clear();
  }

  async #respond(request: Request): Promise<Response> {
    const { pathname, search, protocol } = new URL(request.url);
    const headers = Object.fromEntries(request.headers.entries());
    const answer = await this.send({
      method: request.method,
      path: pathname + search,
      headers,
      body: bodyOf(headers, await request.text()),
      secure: protocol === 'https:',
    });
    const { status } = answer;
    const isBodiless = request.method === 'HEAD' || BODILESS.includes(status);
    const body = isBodiless ? undefined : bodyText(answer);
    return new Response(body ?? null, { status, headers: answer.headers });
  }

  async #answer({ wire, plain }: OpenCall): Promise<E2eeResponse> {
    const instead = this.#nextFault('call')?.instead;
    if (instead) return instead(this.server);
    try {
      plain.request = await this.server.decryptRequest(wire.request);
      plain.response = await this.#handle(plain.request);
      const answer = await this.server.protectResponse(plain.request, plain.response);
      return this.#onItsWay(answer, plain.response);
    } catch (error) {
      if (error instanceof E2eeError) return this.server.errorResponse(error);
      throw error; // a mistake in the test, which it should hear of
    }
  }

  async #handle(request: E2eeRequest): Promise<E2eeResponse> {
    const { method, path } = request;
    const [route] = this.#handlers.find(method, path);
    if (!route) throw new Error(`The test provider has no handler for ${method} ${path.split('?')[0]}`);
    const answer = await route.target.handler(request);
    return { status: 200, headers: { 'content-type': 'application/json' }, ...answer };
  }

  async #answerKeys(request: E2eeRequest): Promise<E2eeResponse> {
    const instead = this.#nextFault('keys')?.instead;
    if (instead) return instead(this.server);
    return (await this.server.publishedKeys(request)) ?? { status: 404, headers: {} };
  }

  async #loadKeys(): Promise<readonly EncryptionKey[]> {
    const { publication, encrypt } = this.#profile;
    const request = { method: 'GET', path: publication.path, headers: {}, secure: true };
    const { status, body } = await this.#answerKeys(request);
    if (status !== 200) unavailable(`The test provider answered with status ${status}`);
    return readJwkSet(body, [encrypt.alg]).catch((cause: unknown) =>
      unavailable('The test provider publishes no usable key', cause),
    );
  }

  #onItsWay(answer: E2eeResponse, plain: E2eeResponse): E2eeResponse {
    const become = ({ afterwards }: Fault): E2eeResponse => afterwards?.(answer, plain) ?? answer;
    const isChangedBy = (fault: Fault): boolean => bodyText(become(fault)) !== bodyText(answer);
    const fault = this.#nextFault('answer', isChangedBy);
    return fault ? become(fault) : answer;
  }

  /** The first fault that can strike here. It is used up by that. */
  #nextFault(strikes: Fault['strikes'], can: (fault: Fault) => boolean = () => true): Fault | undefined {
    for (const [name, times] of this.#faults) {
      if (FAULTS[name].strikes !== strikes || times < 1 || !can(FAULTS[name])) continue;
      this.#faults.set(name, times - 1);
      return FAULTS[name];
    }
    return undefined;
  }
}

/** As a framework with a parser for JSON hands it to a handler. */
function bodyOf(headers: E2eeRequest['headers'], text: string): unknown {
  if (text === '') return undefined;
  const json = /[/+]json$/.test(mediaType(headers) ?? '') ? readableJson(text) : undefined;
  return json ? json.value : text;
}

/** Rejects as soon as the signal says so, as `fetch` does, also while a handler takes its time. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
