import type { FindRecipient } from '../exchange/recipient.js';
import { createE2eeServer, type E2eeServer } from '../exchange/server.js';
import type { E2eeServerOptions } from '../exchange/server-options.js';

/** The options of the server end, with the framework's own request where the recipient is looked for. */
export interface AdapterOptions<Request> extends Omit<E2eeServerOptions, 'recipient'> {
  /** Finds whom a response is for, when it is sent: authentication may run before or after. Default: nobody. */
  readonly recipient?: FindRecipient<Request>;
}

/** What an adapter works with. */
export interface ServerAndRecipient<Request> {
  readonly server: E2eeServer;
  /** Goes to `server.protectResponse`, with the framework's request. Nothing where the server end asks by itself. */
  readonly recipient?: FindRecipient<Request>;
}

/**
 * The server end that an adapter was given, or one made of the options it was given.
 *
 * Throws `option_invalid` or `policy_invalid`.
 */
export function resolveServer<Request>(
  given: AdapterOptions<Request> | E2eeServer,
): ServerAndRecipient<Request> {
  if ('decryptRequest' in Object(given)) return { server: given as E2eeServer };
  const { recipient, ...options } = Object(given) as AdapterOptions<Request>; // the server end refuses what is missing
  if (recipient === undefined) return { server: createE2eeServer(options) };
  // The server end must know that there are recipients; whom it asks is decided request by request.
  const known = typeof recipient === 'function' ? () => undefined : recipient;
  return { server: createE2eeServer({ ...options, recipient: known }), recipient };
}
