import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { E2eeExchanges } from './exchanges.js';

/** Decrypts the request before pipes see it. The response is the response guard's business. */
@Injectable()
export class E2eeInterceptor implements NestInterceptor {
  readonly #exchanges: E2eeExchanges;

  constructor(@Inject(E2eeExchanges) exchanges: E2eeExchanges) {
    this.#exchanges = exchanges;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    await this.#exchanges.of(context)?.open();
    return next.handle();
  }
}
