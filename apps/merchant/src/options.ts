import type { E2eeServerOptions, KeyRing } from '@e2ee/core';
import type { Checkout, Order } from './checkout.js';

/** Where the shop gets its money. */
export interface BankAccount {
  readonly name: string;
  readonly account_number: string;
  readonly sort_code: string;
}

export interface MerchantOptions {
  /** The shop's private keys, which its front end encrypts to. */
  readonly keyRing: KeyRing;
  readonly bank: {
    readonly url: string;
    /** How the shop is registered there. */
    readonly clientId: string;
    readonly clientSecret: string;
    readonly account: BankAccount;
  };
  /** Changes to how encryption is set up. Default: what is at the handlers. */
  readonly encryption?: Partial<Pick<E2eeServerOptions, 'plaintext' | 'onEvent'>>;
  /** Whether Nest prints nothing, warnings and errors included. Default false. */
  readonly isSilent?: boolean;
  /** Hears what the handler saw and answered, in plain. For demonstrations and tests, never for a log. */
  readonly onHandled?: (call: HandledCheckout) => void;
}

/** A checkout that the handler has dealt with. */
export interface HandledCheckout {
  readonly checkout: Checkout;
  /** The key that the card-holder was encrypted to; nothing where it came in plain. */
  readonly kid: string | undefined;
  readonly order: Order;
}

export const MERCHANT_OPTIONS: unique symbol = Symbol('MerchantOptions');
