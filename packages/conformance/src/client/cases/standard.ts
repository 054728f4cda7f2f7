import { CANARY } from '../../server/answers.js';
import type { ClientBase } from '../case.js';

export const PAYMENTS = '/v2/payments';
export const ONE_PAYMENT = '/v2/payments/1';
export const MESSAGES = '/v2/messages';
export const OPEN = '/v2/open';

/** The client that most cases have in common. */
export const STANDARD = {
  policy: {
    [`POST ${PAYMENTS}`]: {
      payee: { request: 'encrypt', response: 'redact-or-encrypt' },
      mandate_id: { request: 'encrypt', response: 'encrypt', as: 'text' },
      'actions.#.source': { request: 'encrypt', response: 'redact' },
      'meta.*': { request: 'encrypt', response: 'encrypt' },
      'meta.public': { request: 'none', response: 'none' },
    },
    [`GET ${PAYMENTS}/:id`]: { payee: { response: 'encrypt' } },
    [`PUT ${PAYMENTS}/:id`]: { payee: { request: 'encrypt', response: 'encrypt' } },
    [`PATCH ${PAYMENTS}/:id`]: { payee: { request: 'encrypt', response: 'encrypt' } },
    [`DELETE ${PAYMENTS}/:id`]: { payee: { request: 'encrypt', response: 'encrypt' } },
    [`POST ${MESSAGES}`]: { $: { request: 'encrypt', response: 'encrypt' } },
    [`GET ${MESSAGES}`]: { $: { response: 'encrypt' } },
    'POST /v2/required': { payee: { request: 'encrypt', required: true } },
    'POST /v2/lists': { '#.payee': { request: 'encrypt', response: 'encrypt' } },
    'POST /v2/all': {
      '*': { request: 'encrypt', response: 'encrypt' },
      id: { request: 'none', response: 'none' },
    },
  },
} satisfies ClientBase;

/** The same, with the provider's keys fetched. */
export const REMOTE = { ...STANDARD, keys: 'remote' } satisfies ClientBase;

/** What must not be seen, in the shape that a payee has. */
export const PAYEE = { name: CANARY, iban: `GB33${CANARY}` };
export const SECRET = { payee: PAYEE };

/** The headers of JSON. */
export const JSON_TYPE = { 'content-type': 'application/json' } as const;

export function typed(type: string): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { 'content-type': type } };
}
