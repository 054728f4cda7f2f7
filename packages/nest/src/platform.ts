import type { IncomingMessage, ServerResponse } from 'node:http';
import type { E2eeRequest, E2eeResponse, E2eeServer } from '@e2ee/core';
import type { ResponseGuard } from '@e2ee/core/adapter';
import type { HttpServer } from '@nestjs/common';
import { express } from './express.js';
import { fastify } from './fastify.js';
import type { PlatformRequest } from './options.js';

export type Paths = readonly [string, ...string[]];

/** A request and its response, as the platform holds them. */
export interface Call {
  /** What `recipient` gets. */
  readonly request: PlatformRequest;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Whether the handler is chosen before any middleware: then what that makes of method and path leads nowhere else. */
  readonly isRouted: boolean;
  /** The paths that the policy may know it by, as `locate` wants them. */
  paths(): Paths;
  /** What a body parser has left. */
  body(): unknown;
  /** Puts a body, and what headers say of it, in the place of that. */
  put(request: E2eeRequest): void;
  /** Lets the guard see what goes through the platform's own way of sending. */
  guardSend(guard: ResponseGuard): void;
  /** Answers in the handlers' place. */
  answer(answer: E2eeResponse): void;
}

/** What is done for a request before the handlers. */
export interface Stages {
  /** Before anything else. */
  arrive(call: Call): void;
  /** After middleware such as CORS, before the routes. What it returns is answered. */
  before(call: Call): Promise<E2eeResponse | undefined>;
}

/** A platform of Nest's. */
export interface Platform {
  callOf(request: never, response: never): Call;
  /** Takes `stages.arrive` into use. As soon as there is an application: before anything else is added to it. */
  first(application: HttpServer, stages: Stages): void;
  /** Takes `stages.before` into use, and lets whole messages in. While the application starts, before its routes. */
  second(application: HttpServer, stages: Stages, message: E2eeServer['message']): void;
}

const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  ['express', express],
  ['fastify', fastify],
]);

export function platformOf(application: HttpServer | undefined): Platform | undefined {
  return PLATFORMS.get(application?.getType() ?? '');
}
