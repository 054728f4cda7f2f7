import type { Check } from '../report.js';

/** One call of the shop's front end, and the payment that it brought about, seen from all sides. */
export interface ShopStep {
  readonly name: string;
  /** `POST /checkouts` */
  readonly call: string;
  readonly status: number;
  /** What the customer typed; null where the call has no body. */
  readonly typed: Checkout | null;
  /** Between the front end and the shop. */
  readonly wireToShop: unknown;
  /** Between the shop and the bank. */
  readonly wireToBank: unknown;
  readonly shopSaw: unknown;
  readonly bankSaw: unknown;
  readonly customerGot: unknown;
  readonly checks: readonly Check[];
}

export interface ShopReport {
  readonly ok: boolean;
  readonly steps: readonly ShopStep[];
}

/** A checkout as the front end has it. */
export interface Checkout {
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  readonly email: string;
  readonly card_holder: Readonly<Record<string, string>>;
}
