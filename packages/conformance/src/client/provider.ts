import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import {
  banked,
  bodyText,
  createE2eeServer,
  type E2eeRequest,
  type E2eeServer,
  type E2eeServerOptions,
  leakGuard,
  type Recipient,
  staticKeys,
} from '@e2ee/core';
import { cert, key } from '../../../axios-interceptor/test/loopback-certificate.js';
import type { ClientKeys, Generation } from './keys.js';

/** What the provider does with a request. */
export type Answer =
  /**
   * Decrypts it, and answers as a handler with the server end in front of it: with what it saw, or with `body`. `to` is
   * what the client has chosen, `none` a client that the provider does not know. `later`: in that many milliseconds.
   */
  | (Head & { way: 'handle'; body?: unknown; to?: To; later?: number })
  /** Answers with these bytes, or this JSON. May hold what {@link Tokens} makes. */
  | (Head & { way: 'raw'; body?: unknown })
  /** Says that it does not know the key. */
  | { way: 'reject the key' }
  /** `elsewhere`: at the same path of {@link Provider.elsewhere}. */
  | { way: 'redirect'; status: number; location: string | 'elsewhere' }
  /** Closes the connection in place of an answer. */
  | { way: 'drop' }
  /** Begins an answer, and closes the connection in the middle. */
  | { way: 'break off' }
  /** Begins an answer, and says nothing more. */
  | { way: 'stall' }
  /** Says nothing at all. */
  | { way: 'hang' };

export type To = Recipient['response'] | 'none';

interface Head {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface ProviderSetup {
  /** The first request gets the first answer, and so on; the last one is for all that follow. Default: the echo. */
  readonly answers: readonly Answer[];
  /** The keys that it decrypts with, and publishes unless it publishes others. */
  readonly generation: Generation;
  /** In place of its keys: what it answers where they are published. */
  readonly publishes?: Generation | Answer;
  /** Holds the requests back until there are so many. */
  readonly together: number;
}

/** What both ends go by. */
type Rules = Pick<E2eeServerOptions, 'profile' | 'policy'>;

/** Makes something of the keys when it is sent. */
export class Tokens {
  readonly make: (keys: ClientKeys) => unknown;

  constructor(make: (keys: ClientKeys) => unknown) {
    this.make = make;
  }
}

/** One request as it arrived. */
export interface Arrival {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Which connection it came by. */
  readonly connection: Socket;
}

/** What happens at the provider, for those who want to break off right then. */
export type Moment = 'key fetch' | 'arrival' | 'answer';

export const MOUNT = '/api';
const KEYS_PATH = banked.publication.path;
const ECHO: Answer = { way: 'handle' };

/** A loopback API that records every byte that it is sent. Serves one case at a time. */
export class Provider {
  readonly #keys: ClientKeys;
  readonly #server = createServer(this.#listener());
  readonly #secure = createTlsServer({ cert, key }, this.#listener());
  #setup: ProviderSetup = initial();
  #rules: Rules = { profile: banked };
  #ends = new Map<string, E2eeServer>();
  #answered = 0;
  #waiting: (() => void)[] = [];
  #received: Buffer[] = [];

  readonly arrivals: Arrival[] = [];
  /** The bodies of requests as handlers saw them. */
  readonly handled: unknown[] = [];
  /** Connections by TLS, whether or not anything was said by them. */
  secureConnections = 0;
  keyFetches = 0;
  at: (moment: Moment) => void = () => {};

  constructor(keys: ClientKeys) {
    this.#keys = keys;
    // Added after Node's own listener: Node would hand the bytes to its parser past this one otherwise.
    for (const [server, event] of [
      [this.#server, 'connection'],
      [this.#secure, 'secureConnection'],
    ] as const)
      server.on(event, (socket: Socket) => socket.on('data', (chunk) => this.#received.push(chunk)));
    for (const server of [this.#server, this.#secure]) server.keepAliveTimeout = 60_000; // over the length of a run
    this.#secure.on('connection', () => {
      this.secureConnections += 1;
    });
  }

  async start(): Promise<void> {
    await Promise.all([
      once(this.#server.listen(0, '127.0.0.1'), 'listening'),
      once(this.#secure.listen(0, '127.0.0.1'), 'listening'),
    ]);
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#secure]) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  get secureUrl(): string {
    return `https://127.0.0.1:${portOf(this.#secure)}`;
  }

  /** The same, under an address that is none of loopback by its name, so that what must not be sent there is seen. */
  get elsewhere(): string {
    return `http://0.0.0.0:${portOf(this.#server)}`;
  }

  get keysUrl(): string {
    return `${this.url}${KEYS_PATH}`;
  }

  /** Every byte that arrived, heads included. */
  get bytes(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Forgets what was, and serves the next case. */
  reset(rules: Rules, setup: Partial<ProviderSetup>): void {
    this.#rules = rules;
    this.#ends = new Map();
    this.#setup = initial();
    this.#received = [];
    this.arrivals.length = 0;
    this.handled.length = 0;
    this.secureConnections = 0;
    this.keyFetches = 0;
    this.at = () => {};
    this.change(setup);
  }

  /** Goes on, but otherwise. New answers begin with the first one. */
  change(setup: Partial<ProviderSetup>): void {
    this.#setup = { ...this.#setup, ...setup };
    if (setup.answers) this.#answered = 0;
  }

  #listener(): RequestListener {
    return (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', socket } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, `${value}`]),
    );
    const arrival: Arrival = { method, url, headers, body: Buffer.concat(chunks), connection: socket };
    if (url === KEYS_PATH) return this.#publish(arrival, response);
    this.arrivals.push(arrival);
    this.at('arrival');
    const { answers } = this.#setup;
    const answer = answers[Math.min(this.#answered, answers.length - 1)] ?? ECHO;
    this.#answered += 1;
    await this.#gather();
    await this.#carryOut(answer, arrival, response);
  }

  async #publish(arrival: Arrival, response: ServerResponse): Promise<void> {
    this.keyFetches += 1;
    this.at('key fetch');
    const { publishes = this.#setup.generation } = this.#setup;
    if (typeof publishes === 'object') return this.#carryOut(publishes, arrival, response);
    const keys = await this.#end(publishes, 'none').publishedKeys(requestOf(arrival));
    if (keys) send(response, { ...keys, body: bodyText(keys) });
    else response.destroy();
  }

  /** Resolves when enough requests are there, which is awaited once. */
  async #gather(): Promise<void> {
    if (this.#setup.together < 2) return;
    await new Promise<void>((go) => {
      this.#waiting.push(go);
      if (this.#waiting.length < this.#setup.together) return;
      this.change({ together: 0 });
      for (const waiting of this.#waiting.splice(0)) waiting();
    });
  }

  async #carryOut(answer: Answer, arrival: Arrival, response: ServerResponse): Promise<void> {
    switch (answer.way) {
      case 'handle':
        return send(response, await this.#handle(answer, requestOf(arrival)));
      case 'raw': {
        const { status = 200, headers, body } = answer;
        const filled = await fill(body, this.#keys);
        const isJson = typeof filled === 'object' && !(filled instanceof Uint8Array);
        const text = isJson ? JSON.stringify(filled) : (filled as Sent['body']); // cases hold JSON, text and bytes
        return send(response, { status, headers: { ...(isJson && JSON_TYPE), ...headers }, body: text });
      }
      case 'reject the key': {
        const { status, body } = this.#rules.profile.keyRejection;
        return send(response, { status, headers: JSON_TYPE, body: JSON.stringify(body) });
      }
      case 'redirect':
        return send(response, {
          status: answer.status,
          headers: { location: this.#place(answer.location, arrival) },
        });
      case 'drop':
        response.destroy();
        return;
      case 'break off':
      case 'stall':
        response.writeHead(200, { ...JSON_TYPE, 'content-length': 1_000 });
        response.write('{"a":');
        await setTimeout(10); // so that the head is there
        this.at('answer');
        if (answer.way === 'break off') response.destroy();
        return;
      case 'hang':
    }
  }

  #place(location: string, { url }: Arrival): string {
    return location === 'elsewhere' ? `${this.elsewhere}${url}` : location;
  }

  async #handle(
    { status = 200, headers, body, to = 'encrypt', later }: Extract<Answer, { way: 'handle' }>,
    request: E2eeRequest,
  ): Promise<Sent> {
    const end = this.#end(this.#setup.generation, to);
    try {
      const opened = await end.decryptRequest(request);
      const seen = parsed(opened.body);
      this.handled.push(seen);
      if (later !== undefined) await setTimeout(later);
      const value = body === undefined ? (seen ?? {}) : body;
      // A text would be taken for the text of JSON.
      const answer = {
        status,
        headers: JSON_TYPE,
        body: typeof value === 'string' ? JSON.stringify(value) : value,
      };
      const sealed = await end.protectResponse(opened, answer);
      return { status, headers: { ...headers, ...sealed.headers }, body: bodyText(sealed) };
    } catch (error) {
      const refusal = end.errorResponse(error);
      return { ...refusal, body: bodyText(refusal) };
    }
  }

  #end(generation: Generation, to: To): E2eeServer {
    const name = `${generation} ${to}`;
    const made = this.#ends.get(name) ?? this.#makeEnd(generation, to);
    this.#ends.set(name, made);
    return made;
  }

  #makeEnd(generation: Generation, to: To): E2eeServer {
    const encryptionKeys = staticKeys(this.#keys.client);
    return createE2eeServer({
      ...this.#rules,
      keyRing: this.#keys.provider[generation],
      limits: { tokens: 10_000, tokenLength: 4_000_000, messageLength: 4_000_000 },
      onEvent: () => {},
      leakGuard,
      recipient: () => (to === 'none' ? undefined : { id: 'client', encryptionKeys, response: to }),
    });
  }
}

const JSON_TYPE = { 'content-type': 'application/json' } as const;

interface Sent extends Head {
  readonly body?: string | Uint8Array | undefined;
}

function initial(): ProviderSetup {
  return { answers: [ECHO], generation: 'first', together: 0 };
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}

/** What the server end is given: the path without the mount point, as frameworks do. */
function requestOf({ method, url, headers, body }: Arrival): E2eeRequest {
  const path = url.toLowerCase().startsWith(`${MOUNT}/`) ? url.slice(MOUNT.length) : url;
  return { method, path, headers, body: body.length > 0 ? body.toString() : undefined };
}

/** What a body parser makes of a body that the server end has left alone. */
function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Sent): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.writeHead(status);
  response.end(body);
}

/** A body with its tokens made. */
export async function fill(value: unknown, keys: ClientKeys): Promise<unknown> {
  if (value instanceof Tokens) return value.make(keys);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => fill(item, keys)));
  const members = Object.entries(value).map(async ([name, item]) => [name, await fill(item, keys)] as const);
  return Object.fromEntries(await Promise.all(members));
}
