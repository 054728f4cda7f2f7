import type { PolicyRow, PolicyRows } from '../policy/policy.js';
import type { Profile } from './profile.js';

const CREDENTIAL: PolicyRow = { sensitivity: 'high', request: 'encrypt', as: 'text' };
const OPEN: PolicyRow = { request: 'none' };

/**
 * The names of a connector's fields differ from bank to bank, so that every member is a credential unless it is one that
 * the API itself defines. Those say which connector it is and what is to be done; they hold no secret.
 */
const CONNECTION: PolicyRows = {
  '*': CREDENTIAL,
  id_connector: OPEN,
  connector_uuid: OPEN,
  id_provider: OPEN,
  active: OPEN,
  expire: OPEN,
  resume: OPEN,
  background: OPEN,
};

/** Additional fields of a transfer, and of a payment in a validation webview. */
const VALIDATION: PolicyRows = { 'fields.*': CREDENTIAL };

/**
 * Powens: end-to-end encryption of credentials, from the page in which they are typed past servers that must not read
 * them. Each value is replaced, in its place, by a token of its UTF-8 text; the token names its key.
 *
 * The page lists the operations in words (connection creation and update, transfer update, payment update). Their paths,
 * the member `fields`, the members of a connection that are no credentials, and the form of errors are this profile's
 * reading. Text only: a credential that is a number or a boolean must be made a string first.
 *
 * Source: docs.powens.com, "End-to-end encryption".
 */
export const powens: Profile = {
  name: 'powens',
  encrypt: { alg: 'RSA-OAEP-256', enc: 'A256GCM' },
  accept: { alg: ['RSA-OAEP-256'], enc: ['A256GCM'] },
  requireKid: true,
  prefix: { request: '', response: '' },
  message: { contentType: 'application/jose' },
  redaction: '[REDACTED]',
  publication: {
    path: '/publickey',
    form: 'jwk',
    contentType: 'application/json',
    maxAge: 600,
    times: { issued: 'iat', expiry: 'exp' },
  },
  keyRejection: { status: 400, body: { code: 'invalidEncryptionKey' } },
  error: { code: '{code}', description: '{message}', field: '{path}' },
  policy: {
    'POST /users/:user/connections': CONNECTION,
    // The page's own example has the singular.
    'POST /user/:user/connections': CONNECTION,
    'POST /users/:user/connections/:connection': CONNECTION,
    'PUT /users/:user/connections/:connection': CONNECTION,
    'POST /users/:user/transfers/:transfer': VALIDATION,
    'PUT /users/:user/transfers/:transfer': VALIDATION,
    'POST /payments/:payment': VALIDATION,
  },
};
