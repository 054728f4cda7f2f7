import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  banked,
  createE2eeServer,
  createKeyRing,
  decryptJwe,
  definePolicy,
  type E2eeClientOptions,
  type E2eeRequest,
  type E2eeResponse,
  type E2eeServer,
  importKey,
  type KeyRing,
  type Profile,
  remoteJwks,
  staticKeys,
} from '@e2ee/core';

/** One request as it arrived, byte for byte. */
export interface Arrival {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export type Handle = (request: E2eeRequest, arrival: Arrival) => E2eeResponse | Promise<E2eeResponse>;
type Intercept = (
  arrival: Arrival,
  response: ServerResponse,
  request: IncomingMessage,
) => boolean | Promise<boolean>;

/** What no log, error or socket may show. */
export const CANARY = 'canary-plaintext-4929';

/** All treatments, all methods, whole messages. */
export const profile: Profile = {
  ...banked,
  name: 'test',
  policy: {
    'POST /v2/payments': {
      payee: { request: 'encrypt', response: 'redact-or-encrypt' },
      mandate_id: { request: 'encrypt', response: 'encrypt', as: 'text' },
      'actions.#.source': { request: 'encrypt', response: 'redact' },
      'meta.*': { request: 'encrypt' },
      'meta.public': { request: 'none' },
      secret: { response: 'encrypt' },
    },
    'PUT /v2/payments/:id': { payee: { request: 'encrypt', response: 'encrypt' } },
    'PATCH /v2/payments/:id': { payee: { request: 'encrypt', response: 'encrypt' } },
    'DELETE /v2/payments/:id': { payee: { request: 'encrypt', response: 'encrypt' } },
    'GET /v2/payments/:id': { payee: { response: 'encrypt' } },
    'POST /v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
    'POST /v2/required': { payee: { request: 'encrypt', required: true } },
  },
};

const policy = definePolicy(profile.policy); // compiled once: there are many instances

const rings = await Promise.all([createKeyRing(), createKeyRing()]);
export const bankKeys: KeyRing = rings[0];
const merchantKeys: KeyRing = rings[1];

/** A loopback API with the server end of the exchange in front of its handler, and a recorder before that. */
export class Bank {
  readonly arrivals: Arrival[] = [];
  readonly handled: E2eeRequest[] = [];
  keyFetches = 0;
  handle: Handle = echo;
  /** Comes before everything else; true when it has answered. */
  intercept: Intercept = () => false;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });
  #e2ee: E2eeServer = server(bankKeys);

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // a TCP server has an address of this form
  }

  get jwksUrl(): string {
    return `${this.url}${profile.publication.path}`;
  }

  /** The last request that arrived. */
  get last(): Arrival {
    const arrival = this.arrivals.at(-1);
    if (!arrival) throw new Error('Nothing has arrived');
    return arrival;
  }

  /** Everything that arrived, as text: bodies, headers and URLs. */
  get wire(): string {
    return this.arrivals
      .map(({ method, url, rawHeaders, body }) => [method, url, ...rawHeaders, body.toString('latin1')])
      .join('\n');
  }

  reset(keyRing: KeyRing = bankKeys): void {
    this.arrivals.length = 0;
    this.handled.length = 0;
    this.keyFetches = 0;
    this.handle = echo;
    this.intercept = () => false;
    this.#e2ee = server(keyRing);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers, rawHeaders } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const arrival: Arrival = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
    const isKeyFetch = url === profile.publication.path;
    if (isKeyFetch) this.keyFetches += 1;
    else this.arrivals.push(arrival);
    if (await this.intercept(arrival, response, request)) return;
    send(response, await this.#answer(toRequest(arrival), arrival));
  }

  async #answer(request: E2eeRequest, arrival: Arrival): Promise<E2eeResponse> {
    try {
      const keys = await this.#e2ee.publishedKeys(request);
      if (keys) return keys;
      const opened = await this.#e2ee.decryptRequest(request);
      this.handled.push(opened);
      return await this.#e2ee.protectResponse(opened, await this.handle(opened, arrival));
    } catch (error) {
      return this.#e2ee.errorResponse(error);
    }
  }
}

/** The client end that talks to a bank, its keys fetched over HTTP. */
export function remoteOptions(bank: Bank): E2eeClientOptions {
  return { profile, policy, encryptionKeys: remoteJwks(bank.jwksUrl), keyRing: merchantKeys };
}

const [bankJwk] = bankKeys.jwks().keys;
const [merchantJwk] = merchantKeys.jwks().keys;
if (!bankJwk || !merchantJwk) throw new Error('A party has no key');
const [bankKey, merchantKey] = await Promise.all([importKey(bankJwk), importKey(merchantJwk)]);

/** The client end with the bank's key known beforehand. */
export const localOptions: E2eeClientOptions = {
  profile,
  policy,
  encryptionKeys: staticKeys(bankKey),
  keyRing: merchantKeys,
};

/** What a token for the bank holds. */
export async function plaintextOf(token: unknown): Promise<string> {
  const { plaintext } = await decryptJwe(String(token), bankKeys);
  return new TextDecoder().decode(plaintext);
}

/** Every token in a body that arrived, in order. */
export function tokensIn({ body }: Arrival): string[] {
  return body.toString('utf8').match(/eyJ[\w-]+(?:\.[\w-]+){4}/g) ?? [];
}

/** The answer with which the bank refuses a key. */
export function keyRejection(): E2eeResponse {
  const headers = { 'content-type': 'application/json' };
  return { status: profile.keyRejection.status, headers, body: profile.keyRejection.body };
}

export function send(response: ServerResponse, { status, headers, body }: E2eeResponse): void {
  response.writeHead(status, { ...headers });
  response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
}

function echo({ body }: E2eeRequest): E2eeResponse {
  const headers = { 'content-type': 'application/json' };
  return {
    status: 201,
    headers,
    body: typeof body === 'object' && body !== null ? { id: 'p1', ...body } : { id: 'p1' },
  };
}

function server(keyRing: KeyRing): E2eeServer {
  return createE2eeServer({
    profile,
    policy,
    keyRing,
    onEvent: () => {},
    recipient: ({ headers }) => {
      const response = headers['x-response'] ?? 'encrypt';
      if (response === 'none') return undefined;
      return {
        id: 'merchant',
        encryptionKeys: staticKeys(merchantKey),
        response: response as 'encrypt' | 'redact' | 'message', // what the tests send
      };
    },
  });
}

function toRequest({ method, url, headers, body }: Arrival): E2eeRequest {
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  const path = url.replace(/^\/(?:api|API)(?=\/)/, ''); // as if mounted below a prefix too
  return { method, path, headers: flat, body: body.length > 0 ? body.toString('utf8') : undefined };
}
