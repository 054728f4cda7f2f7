import {
  createE2eeClient,
  type E2eeClient,
  type E2eeClientOptions,
  E2eeError,
  type E2eeRequest,
  type E2eeResponse,
} from '@e2ee/core';
import {
  bodyOf,
  type Call,
  canRepeat,
  type Fetch,
  sealedParameters,
  takeCall,
  withoutRedirections,
} from './call.js';
import { flat } from './headers.js';
import { answerOf, restoredResponse, withStatus } from './response.js';
import { isSecure } from './transport.js';

/** The options of the client end, and what carries its requests. */
export interface E2eeFetchOptions extends E2eeClientOptions {
  /** What sends: it is called with what leaves, and answers what came. Default: the global `fetch`, as it is now. */
  readonly fetch?: Fetch;
}

/**
 * Makes a `fetch` for one API: requests leave encrypted as the policy says, responses of every status come back in plain,
 * and a rejected key is replaced once per call without the caller noticing. What the policy does not cover goes to the
 * `fetch` of the options as it is, its headers as `Headers`; of its responses only whole messages are opened. Takes
 * options, or a client end made beforehand.
 *
 * A request that cannot be encrypted is not sent: the call rejects with an `E2eeError`, and so it does for a response that
 * cannot be decrypted. Whatever else fetch rejects with comes as it is. Throws `option_invalid` or `policy_invalid`.
 *
 * @example
 * const fetch = e2ee({ profile: banked, encryptionKeys: remoteJwks('https://api.example.com/.well-known/jwks.json') })
 * const response = await fetch('https://api.example.com/v2/payment_sessions', {
 *   method: 'POST',
 *   headers: { 'content-type': 'application/json' },
 *   body: JSON.stringify({ payee }),
 * })
 */
export function e2ee(options: E2eeFetchOptions): Fetch;
export function e2ee(client: E2eeClient, options?: Pick<E2eeFetchOptions, 'fetch'>): Fetch;
export function e2ee(
  optionsOrClient: E2eeFetchOptions | E2eeClient,
  more: Pick<E2eeFetchOptions, 'fetch'> = {},
): Fetch {
  const given = Object(optionsOrClient); // so that the client end refuses what is missing, by name
  const isClient = 'encryptRequest' in given;
  const client: E2eeClient = isClient ? given : createE2eeClient(given);
  const { fetch = globalThis.fetch } = (isClient ? more : given) as E2eeFetchOptions;
  if (typeof fetch !== 'function') throw new E2eeError('option_invalid', 'Option `fetch` must be a function');

  return async function e2eeFetch(input, init) {
    const call = takeCall(input, init);
    const sent = client.requireTls ? withoutRedirections(call) : call;
    return unlessAborted(exchange(client, fetch, sent), call.signal);
  };
}

/** One call: encrypted, sent, decrypted; encrypted and sent once more after a key rejection. */
async function exchange(client: E2eeClient, fetch: Fetch, call: Call): Promise<Response> {
  const { method, url, headers, signal } = call;
  const path = url.pathname + url.search;
  const isCovered = client.covers({ method, path });
  signal?.throwIfAborted();
  const body = isCovered ? await bodyOf(call) : undefined;
  const request: E2eeRequest = { method, path, headers: flat(headers), body, secure: isSecure(url) };

  const send = async (): Promise<Sent> => {
    const sealed = await client.encryptRequest(request);
    const isEncrypted = sealed !== request;
    signal?.throwIfAborted(); // encryption, and fetching keys, took a while
    const [input, init] = isEncrypted ? sealedParameters(call, request, sealed) : [call.input, call.init];
    const response = await fetch(input, init);
    return { isEncrypted, response, answer: await answerOf(response, (head) => client.reads(request, head)) };
  };

  const first = await send();
  const isRejected = first.isEncrypted && (await client.recoverFrom(request, first.answer));
  const { response, answer } = isRejected && canRepeat(call) ? await send() : first;
  const restored = await client.decryptResponse(request, answer).catch((error: unknown) => {
    throw withStatus(error, response.status);
  });
  return restored === answer ? response : restoredResponse(response, answer, restored);
}

interface Sent {
  /** Whether anything of the request was. */
  readonly isEncrypted: boolean;
  readonly response: Response;
  readonly answer: E2eeResponse;
}

/** Rejects as soon as the signal says so, also where nobody listens to it: while keys are awaited. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
