/**
 * Set to `true` on a profile and in the options of a key, lets `RSA-OAEP` be used with them, which is built on SHA-1.
 *
 * @deprecated No attack on it is known, but SHA-1 is on its way out everywhere, and most lists of allowed algorithms leave
 * it out. For providers that offer nothing else.
 */
export const allowRsaOaepSha1: unique symbol = Symbol('e2ee.allowRsaOaepSha1');

/** Where it may be set. */
export interface AllowsRsaOaepSha1 {
  /** @deprecated See {@link allowRsaOaepSha1}. */
  readonly [allowRsaOaepSha1]?: boolean | undefined;
}

/** Whether an algorithm may be used where these options are. */
export function isAllowed(alg: string, options: AllowsRsaOaepSha1): boolean {
  return alg !== 'RSA-OAEP' || options[allowRsaOaepSha1] === true;
}
