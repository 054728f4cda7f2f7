import { once } from 'node:events';
import { type RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { E2eeServer, E2eeServerOptions, Recipient } from '@e2ee/core';
import type { Answer, Way } from './answers.js';

/** A framework with its adapter. One small file makes one: see `subjects/express.ts`. */
export interface ServerSubject {
  /** Heads a column of the matrix: `Express 5`. */
  readonly name: string;
  /** What it does not have, and why. The cases that need it are left out, and the matrix says so. */
  readonly unsupported?: Readonly<Partial<Record<Feature, string>>>;
  /** Faults that are known: the name of a case, and what is wrong. Such a case must fail. */
  readonly faults?: Readonly<Record<string, string>>;
  /** Makes an application of `setup` and listens on a free loopback port. */
  readonly start: (setup: ServerSetup) => Promise<Running>;
}

/** An application that listens. */
export interface Running {
  readonly port: number;
  /** Resolves when nothing of it is left, connections included. */
  readonly close: () => Promise<void>;
}

/** What an application is made of, from the outside to the inside. */
export interface ServerSetup extends Arrangement {
  /** For the adapter: `e2ee({ ...setup.options, recipient })`; or a server end made beforehand: `e2ee(setup.server)`. */
  readonly options: Omit<E2eeServerOptions, 'recipient'>;
  readonly server?: E2eeServer;
  /** Whom a response is for, by the request's `x-recipient`. Without it the adapter is given no `recipient`. */
  readonly recipient?: (header: string | undefined) => Recipient | undefined | Promise<Recipient | undefined>;
  /** What body parsers are to accept, in bytes. */
  readonly bodyLimit: number;
  readonly routes: readonly Route[];
  /** Every handler calls this first, with the request's `x-call`, and its body and `content-type` as they are there. */
  readonly saw: (call: string | undefined, body: unknown, type?: string) => void;
  /** What the logger heard of a response body. */
  readonly log: (chunk: unknown) => void;
}

/** What stands where around the adapter. */
export interface Arrangement {
  /** The framework's usual parsers of JSON and forms. */
  readonly parser: 'before' | 'after' | 'none';
  /** Compression of every response, whatever its length: outside or inside the adapter. */
  readonly compression?: 'outside' | 'inside';
  /** `all`: parser, adapter and routes are mounted below `path`. `routes`: only the routes are. */
  readonly prefix?: { readonly path: string; readonly of: 'all' | 'routes' };
  /** Outside the adapter, middleware that gives each request the method that its header `x-http-method-override` names. */
  readonly methodOverride?: boolean;
  /** Outside the adapter, a logger that hears every byte of every response body on its way out: `setup.log(chunk)`. */
  readonly logger?: boolean;
  /**
   * The application's own handling of errors, where such a thing usually stands: answers with the error's `status`, or
   * 500, and the JSON `{ failed: true, ...error.details }`.
   */
  readonly errorHandler?: boolean;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As Express, Koa and Fastify write it: `/v2/payments/:id`. */
  readonly path: string;
  readonly answer: Answer;
}

/** What a case may need of a framework, and a subject may not have. */
export type Feature =
  | `answer: ${Way}`
  | 'parser: after'
  | 'parser: none'
  | 'compression: outside'
  | 'compression: inside'
  /** What is compressed inside the adapter is protected; without this it may be withheld. */
  | 'compression: inside, and read'
  | 'prefix: all'
  | 'prefix: routes'
  | 'methodOverride'
  /** A handler is reached by the method that middleware has put in the place of another. */
  | 'methodOverride: routed'
  | 'logger'
  | 'errorHandler'
  | 'server'
  /** A policy may name paths from the place where the adapter is mounted. */
  | 'paths below the prefix'
  /** The adapter stands outside the parser's errors: what a parser quotes of a malformed body does not get out. */
  | 'errors of the parser';

/** Listens with a Node request listener: the `start` of most frameworks ends here. */
export function listen(listener: RequestListener): Promise<Running> {
  return running(new Server(listener).listen(0, '127.0.0.1'));
}

/** A server that listens already, or is about to. */
export async function running(server: Server): Promise<Running> {
  if (!server.listening) await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // a TCP server has no other kind of address
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
