import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { E2eeExchanges } from './exchanges.js';
import { E2eeHandlers } from './handlers.js';

/** Puts the rules of the handler in charge, before anything can answer for it. */
@Injectable()
export class E2eeGuard implements CanActivate {
  readonly #exchanges: E2eeExchanges;
  readonly #handlers: E2eeHandlers;

  constructor(@Inject(E2eeExchanges) exchanges: E2eeExchanges, @Inject(E2eeHandlers) handlers: E2eeHandlers) {
    this.#exchanges = exchanges;
    this.#handlers = handlers;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const exchange = this.#exchanges.of(context);
    // Nest's type of a handler is a plain Function.
    const handler = context.getHandler() as (...args: never[]) => unknown;
    await exchange?.bind(this.#handlers.of(context.getClass(), handler));
    return true;
  }
}
