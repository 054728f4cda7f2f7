import { bindTokens } from './binding.js';
import type { Profile } from './profile.js';

/**
 * For people who own both ends: every token is bound to its operation, direction, field, time and request, so that it can
 * be used in no other place and, with the server end's `replay`, only once. Give it a policy of your own, the same at
 * both ends: operations must have one name.
 *
 * @example
 * const profile = { ...strict, policy: { 'POST /orders': { card: { request: 'encrypt', response: 'redact' } } } }
 */
export const strict: Profile = {
  name: 'strict',
  encrypt: { alg: 'RSA-OAEP-256', enc: 'A256GCM' },
  accept: { alg: ['RSA-OAEP-256', 'ECDH-ES+A256KW'], enc: ['A256GCM'] },
  requireKid: true,
  prefix: { request: '', response: '' },
  message: { contentType: 'application/jose' },
  redaction: '[REDACTED]',
  publication: {
    path: '/.well-known/jwks.json',
    form: 'jwks',
    contentType: 'application/jwk-set+json',
    maxAge: 600,
    times: { issued: 'iat', expiry: 'exp' },
  },
  keyRejection: { status: 422, body: { error: { code: 'key_rejected' } } },
  error: { error: { code: '{code}', message: '{message}', path: '{path}' } },
  binding: bindTokens(),
  policy: {},
};
