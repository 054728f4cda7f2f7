import { E2eeError } from '../errors.js';

/** Throws `crypto_unavailable` where a browser keeps WebCrypto from a page, because somebody could have changed it. */
export function requireWebCrypto(): void {
  if (globalThis.crypto?.subtle) return;
  throw new E2eeError(
    'crypto_unavailable',
    'WebCrypto is missing: browsers offer it to pages from https: or localhost only',
  );
}
