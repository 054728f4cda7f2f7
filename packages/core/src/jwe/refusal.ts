import { E2eeError } from '../errors.js';

/**
 * The one answer to every bad token. It has no cause and no detail on purpose: whatever told two failures apart would
 * help somebody to forge a token.
 */
export function refuseToken(): never {
  throw new E2eeError('token_invalid', 'The encrypted payload is not acceptable');
}
