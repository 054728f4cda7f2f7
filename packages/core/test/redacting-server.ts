import { banked, createE2eeServer, type E2eeServer, type E2eeServerOptions } from '../src/index.js';

/** Stands in every protected field. Must never be seen on the wire where it does not belong. */
export const CANARY = 'CANARY-2b7e151628aed2a6';

/** A server end that needs no key: it redacts, and passes what is outside its policy. */
export function redactingServer(options: Partial<E2eeServerOptions> = {}): E2eeServer {
  const keyRing = { find: () => undefined, jwks: () => ({ keys: [] }) };
  const policy = {
    'GET /covered': { payee: { response: 'redact' } },
    'POST /covered': { payee: { request: 'encrypt', response: 'redact' } },
    'POST /message': { $: { request: 'encrypt' } },
  };
  return createE2eeServer({ profile: banked, policy, keyRing, onEvent: () => {}, ...options } as never);
}
