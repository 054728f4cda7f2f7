import type { PolicyRow } from '../policy/policy.js';
import type { Profile } from './profile.js';

const REQUEST_AND_RESPONSE: PolicyRow = {
  sensitivity: 'high',
  request: 'encrypt',
  response: 'redact-or-encrypt',
};
const RESPONSE_ONLY: PolicyRow = { sensitivity: 'high', response: 'redact-or-encrypt' };
const REDACTED: PolicyRow = { sensitivity: 'high', request: 'encrypt', response: 'redact' };
const REDACTED_TEXT: PolicyRow = { ...REDACTED, as: 'text' };

/**
 * Banked: field-level encryption of requests and responses, and API response message-level encryption (recipients that
 * choose `message`).
 *
 * The page does not say how a plain string is encoded before encryption; strings go as they are (`as: 'text'`), objects
 * as JSON. The page lists `GET /v2/payment_sessions` only; it is taken to mean one session by id as well as a list.
 *
 * Source: docs.banked.com, "Field Level Encryption" and "Response Message Level Encryption".
 */
export const banked: Profile = {
  name: 'banked',
  encrypt: { alg: 'RSA-OAEP-256', enc: 'A256GCM' },
  accept: { alg: ['RSA-OAEP-256'], enc: ['A256GCM'] },
  requireKid: false,
  prefix: { request: 'encrypted_', response: 'encrypted_' },
  message: { contentType: 'application/jose' },
  redaction: '[REDACTED]',
  publication: {
    path: '/.well-known/jwks.json',
    form: 'jwks',
    contentType: 'application/json',
    maxAge: 600,
    kid: 'timestamp',
    // Both spellings are the page's own.
    times: { issued: 'bnkd.iat', expiry: 'bknd.exp' },
  },
  keyRejection: {
    status: 422,
    body: { errors: [{ code: 'invalid', source: 'encryption key', title: 'invalid encryption key' }] },
  },
  error: { errors: [{ code: '{code}', source: '{path}', title: '{message}' }] },
  policy: {
    'POST /v2/payment_sessions': {
      payee: REQUEST_AND_RESPONSE,
      payer: REQUEST_AND_RESPONSE,
      mandate_id: { sensitivity: 'high', request: 'encrypt', response: 'encrypt', as: 'text' },
      mandate: REQUEST_AND_RESPONSE,
    },
    'GET /v2/payment_sessions': {
      payee: RESPONSE_ONLY,
      payer: RESPONSE_ONLY,
      '#.payee': RESPONSE_ONLY,
      '#.payer': RESPONSE_ONLY,
    },
    'GET /v2/payment_sessions/:id': { payee: RESPONSE_ONLY, payer: RESPONSE_ONLY },
    'POST /v2/bank_accounts': {
      name: { ...REDACTED_TEXT, sensitivity: 'low' },
      account_identifier: REDACTED_TEXT,
      sort_code: REDACTED_TEXT,
      account_number: REDACTED_TEXT,
      secondary_identifier: REDACTED_TEXT,
    },
    'POST /v2/mandates': { source: REDACTED, destination: REDACTED, 'actions.#.source': REDACTED },
  },
};
