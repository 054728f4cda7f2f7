import type { E2eeServer } from '@e2ee/core';
import type { ServerAndRecipient } from '@e2ee/core/adapter';
import { Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { rulesOf } from './decorators.js';
import { SERVER } from './tokens.js';

/** What is done for a handler: what its own server end says, nothing at all, or what the policy says of the path. */
export type Binding = E2eeServer | 'skip' | undefined;

/** A handler as Nest tells of it. */
type Handler = (...args: never[]) => unknown;

/** The handlers that have rules of their own. */
@Injectable()
export class E2eeHandlers {
  readonly #server: E2eeServer;
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;
  readonly #bindings = new Map<Type, Map<Handler, Binding>>();

  constructor(
    @Inject(SERVER) { server }: ServerAndRecipient<never>,
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) scanner: MetadataScanner,
  ) {
    this.#server = server;
    this.#discovery = discovery;
    this.#scanner = scanner;
  }

  /** Compiles the rules of every controller, and logs who is left out. Throws `policy_invalid`. */
  compile(): void {
    const types = this.#discovery.getControllers().map(({ metatype }) => metatype as Type); // a controller is a class
    const skipped = types.flatMap((type) =>
      this.#scanner
        .getAllMethodNames(type.prototype)
        .filter((name) => this.of(type, type.prototype[name]) === 'skip' && isRoute(type.prototype[name]))
        .map((name) => `${type.name}.${name}`),
    );
    if (skipped.length > 0) new Logger('E2eeModule').warn(`Not protected (@SkipE2ee): ${skipped.join(', ')}`);
  }

  of(type: Type, handler: Handler): Binding {
    const known = this.#bindings.get(type) ?? new Map<Handler, Binding>();
    this.#bindings.set(type, known);
    if (!known.has(handler)) known.set(handler, this.#bind(type, handler));
    return known.get(handler);
  }

  #bind(type: Type, handler: Handler): Binding {
    const names = this.#scanner.getAllMethodNames(type.prototype);
    const name = names.find((candidate) => type.prototype[candidate] === handler) ?? handler.name;
    const rules = rulesOf(type, name);
    return typeof rules === 'object' ? this.#server.bind(`${type.name}.${name}`, rules) : rules;
  }
}

/** Nest keeps the path of a route at its function. */
function isRoute(handler: object): boolean {
  return Reflect.hasMetadata('path', handler);
}
