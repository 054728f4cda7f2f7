import { CANARY } from '../answers.js';
import type { Base } from '../case.js';
import type { Route } from '../subject.js';

export const PAYMENTS = '/v2/payments';
export const ACCOUNTS = '/v2/accounts';
export const NOTES = '/v2/notes';

/** A route whose handler answers with the body that it saw. */
export function echo(path: string, method: Route['method'] = 'POST'): Route {
  return { method, path, answer: { way: 'echo' } };
}

/** The application that most cases have in common. */
export const STANDARD = {
  policy: {
    [`POST ${PAYMENTS}`]: {
      payee: { request: 'encrypt', response: 'redact-or-encrypt' },
      mandate_id: { request: 'encrypt', response: 'encrypt', as: 'text' },
    },
    [`POST ${ACCOUNTS}`]: {
      account_number: { request: 'encrypt', response: 'redact', as: 'text', required: true },
    },
    // Nothing is said of responses.
    [`POST ${NOTES}`]: { note: { request: 'encrypt' } },
    'GET /v2/ways/:way': { payee: { response: 'redact-or-encrypt' } },
    'POST /v2/ways/:way': { payee: { request: 'encrypt', response: 'redact-or-encrypt' } },
  },
  routes: [echo(PAYMENTS), echo(ACCOUNTS), echo(NOTES), echo('/v2/open')],
} satisfies Base;

/** What must not be seen, in the shape that a payee has. */
export const PAYEE = { name: CANARY, iban: `GB33${CANARY}` };
export const MASKED_PAYEE = { name: '[REDACTED]', iban: '[REDACTED]' };

/** A path below `/v2/ways` for a route of one case. */
export function wayPath(name: string): string {
  return `/v2/ways/${name.toLowerCase().replace(/[^a-z\d]+/g, '-')}`;
}
