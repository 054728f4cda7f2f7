export { CardHolder, Checkout, Item, type Order } from './checkout.js';
export { createMerchant, shopProfile } from './merchant.js';
export type { BankAccount, HandledCheckout, MerchantOptions } from './options.js';
