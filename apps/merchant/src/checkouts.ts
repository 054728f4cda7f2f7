import { randomUUID } from 'node:crypto';
import { EncryptedBy, Protect } from '@e2ee/nest';
import {
  Body,
  Controller,
  Get,
  Inject,
  NotFoundException,
  Param,
  Post,
  ValidationPipe,
} from '@nestjs/common';
import { Bank } from './bank.js';
import { Checkout, type Order } from './checkout.js';
import { MERCHANT_OPTIONS, type MerchantOptions } from './options.js';
import { totalOf } from './products.js';

/** The oldest orders go first: an example must not fill the memory of the machine that it runs on. */
const CAPACITY = 1_000;

/** Names the class, so that no metadata of types is needed. Messages name fields, never values. */
const validated = new ValidationPipe({ expectedType: Checkout, transform: true, whitelist: true });

/** Its handlers know nothing of encryption: `@Protect` is all. */
@Controller('checkouts')
@Protect({ card_holder: { sensitivity: 'high', response: 'redact' } })
export class Checkouts {
  readonly #bank: Bank;
  readonly #options: MerchantOptions;
  readonly #orders = new Map<string, Order>();

  constructor(@Inject(Bank) bank: Bank, @Inject(MERCHANT_OPTIONS) options: MerchantOptions) {
    this.#bank = bank;
    this.#options = options;
  }

  @Post()
  @Protect({ card_holder: { sensitivity: 'high', request: 'encrypt', response: 'redact', required: true } })
  async create(
    @Body(validated) checkout: Checkout,
    @EncryptedBy('card_holder') kid: string | undefined,
  ): Promise<Order> {
    const id = randomUUID();
    const [amount, currency] = [totalOf(checkout.items), 'GBP'] as const;
    const payer = checkout.card_holder;
    const payment = await this.#bank.pay({ amount, currency, reference: id, payer });
    const order: Order = { id, ...checkout, amount, currency, state: 'paid', payment };
    this.#keep(order);
    this.#options.onHandled?.({ checkout, kid, order });
    return order;
  }

  @Get(':id')
  show(@Param('id') id: string): Order {
    const order = this.#orders.get(id);
    if (!order) throw new NotFoundException('There is no such order');
    return order;
  }

  #keep(order: Order): void {
    this.#orders.set(order.id, order);
    for (const oldest of this.#orders.keys()) {
      if (this.#orders.size <= CAPACITY) break;
      this.#orders.delete(oldest);
    }
  }
}
