import type { IncomingHttpHeaders } from 'node:http';
import type { E2eeServer, FindRecipient } from '@e2ee/core';
import type { AdapterOptions } from '@e2ee/core/adapter';

/** What the requests of Express and of Fastify have in common. Write the type of your platform's where you want more. */
export interface PlatformRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** The options of the server end, with the platform's own request where the recipient is looked for. */
export interface E2eeNestOptions extends Omit<AdapterOptions<PlatformRequest>, 'recipient'> {
  /**
   * Finds whom a response is for, when it is sent: guards have run by then. Default: nobody.
   *
   * Declared as a method, so that a function that wants the request of one platform fits.
   */
  recipient?(request: PlatformRequest): ReturnType<FindRecipient<PlatformRequest>>;
}

/** Makes the options, for `useClass` and `useExisting`. */
export interface E2eeOptionsFactory {
  createE2eeOptions(): E2eeNestOptions | E2eeServer | Promise<E2eeNestOptions | E2eeServer>;
}
