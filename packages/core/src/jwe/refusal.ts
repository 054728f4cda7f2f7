import { E2eeError } from '../errors.js';

/**
 * The one answer to every bad token. It has no detail on purpose: whatever told two failures apart would help somebody to
 * forge a token. Only what a sender knows by himself is told, to our side alone: a `reason` becomes the `cause`.
 */
export function refuseToken(reason?: string): never {
  const options = reason === undefined ? {} : { cause: new Error(reason) };
  throw new E2eeError('token_invalid', 'The encrypted payload is not acceptable', options);
}
