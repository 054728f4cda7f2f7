import type { IncomingMessage } from 'node:http';
import type { E2eeResponse } from '@e2ee/core';
import type { ServerAndRecipient } from '@e2ee/core/adapter';
import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { Exchange } from './exchange.js';
import type { PlatformRequest } from './options.js';
import { type Call, type Paths, platformOf, type Stages } from './platform.js';
import { SERVER } from './tokens.js';

/** The exchanges that are under way. */
@Injectable()
export class E2eeExchanges implements Stages {
  readonly #end: ServerAndRecipient<PlatformRequest>;
  readonly #config: ApplicationConfig;
  readonly #host: HttpAdapterHost;
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();

  constructor(
    @Inject(SERVER) end: ServerAndRecipient<PlatformRequest>,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
  ) {
    this.#end = end;
    this.#config = config;
    this.#host = host;
  }

  arrive(call: Call): void {
    this.#exchange(call).locate();
  }

  before(call: Call): Promise<E2eeResponse | undefined> {
    return this.#exchange(call).before();
  }

  /** The exchange that a handler has part in; nothing where that is not by HTTP. */
  of(context: ExecutionContext): Exchange | undefined {
    const platform = platformOf(this.#host.httpAdapter);
    const [request, response] = context.getArgs<[never, never]>(); // the platform's own
    // Libraries that call handlers by themselves may say `http`, which is the default, for anything.
    const isHttp = context.getType() === 'http' && Object(request).headers !== undefined;
    return platform && isHttp ? this.#exchange(platform.callOf(request, response)) : undefined;
  }

  #exchange(call: Call): Exchange {
    const paths = (): Paths => withoutPrefix(call.paths(), this.#config.getGlobalPrefix());
    const whole = { ...call, paths };
    const exchange = this.#exchanges.get(call.req) ?? new Exchange(whole, this.#end);
    exchange.adopt(whole);
    this.#exchanges.set(call.req, exchange);
    return exchange;
  }
}

/** What separates segments: `\\` may, or may be a character like any other. */
const SEPARATORS = ['/\\\\', '/'] as const;

/**
 * Each path as it is and below the global prefix, so that a policy may name either. Prefixes are counted, not compared:
 * how a platform spells them alike is the platform's business.
 */
function withoutPrefix(paths: Paths, prefix: string): Paths {
  const depth = prefix.split('/').filter(Boolean).length;
  if (depth === 0) return paths;
  const heads = SEPARATORS.map(
    (slash) =>
      new RegExp(
        `^(?:[a-z][a-z\\d+.-]*:[${slash}]{2}[^${slash}?#]*)?(?:[${slash}]+[^${slash}?#]+){${depth}}`,
        'i',
      ),
  );
  const [first, ...others] = paths;
  const below = heads.flatMap((head) => paths.map((path) => path.replace(head, '')));
  return [first, ...below, ...others];
}
