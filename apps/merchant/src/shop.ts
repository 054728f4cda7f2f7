import { E2eeHealthIndicator, type E2eeHealthResult, SkipE2ee } from '@e2ee/nest';
import { Controller, Get, Inject, ServiceUnavailableException } from '@nestjs/common';
import { Bank } from './bank.js';
import { PRODUCTS } from './products.js';

/** What everybody may see. */
@Controller()
export class Shop {
  readonly #bank: Bank;
  readonly #health: E2eeHealthIndicator;

  constructor(@Inject(Bank) bank: Bank, @Inject(E2eeHealthIndicator) health: E2eeHealthIndicator) {
    this.#bank = bank;
    this.#health = health;
  }

  @Get('products')
  products(): typeof PRODUCTS {
    return PRODUCTS;
  }

  @Get('health')
  @SkipE2ee()
  health(): E2eeHealthResult {
    const result = this.#health.isHealthy('encryption', { remote: [this.#bank.keys] });
    if (result.encryption.status === 'down') throw new ServiceUnavailableException(result);
    return result;
  }
}
