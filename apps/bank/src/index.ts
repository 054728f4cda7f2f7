export type { AccessTokenOptions, TokenAlgorithm } from './access-tokens.js';
export { type BankOptions, createBank } from './bank.js';
export type { Answer, Call, HandledCall, OnHandled } from './handler.js';
export { type Listening, listen } from './listen.js';
export type { PartnerRegistration } from './partners.js';
