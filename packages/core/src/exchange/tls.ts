import { E2eeError, invalidOption } from '../errors.js';
import { type E2eeRequest, headerOf } from './message.js';

/**
 * `true`: the connection itself must be TLS. `'trust-proxy'`: TLS may end at a proxy in front, and `X-Forwarded-Proto`
 * says what the client came by. Only for servers that nobody reaches past that proxy.
 */
export type RequireTls = boolean | 'trust-proxy';

export function checkRequireTls(value: RequireTls = false): RequireTls {
  return value === true || value === false || value === 'trust-proxy'
    ? value
    : invalidOption('requireTls', 'true, false or "trust-proxy"', value);
}

/** Throws `tls_required` unless the request came by TLS, or none is required. */
export function refuseWithoutTls(
  { secure, headers = {} }: Partial<E2eeRequest>,
  requireTls: RequireTls,
): void {
  if (requireTls === false) return;
  const forwarded = requireTls === 'trust-proxy' ? headerOf(headers, 'x-forwarded-proto') : undefined;
  // Of several proxies each has added what it was reached by: one step in the clear is enough.
  const isSecure = forwarded === undefined ? secure === true : forwarded.split(',').every(isHttps);
  if (!isSecure) throw new E2eeError('tls_required', 'This operation needs TLS 1.2 or later');
}

function isHttps(protocol: string): boolean {
  return protocol.trim().toLowerCase() === 'https';
}
