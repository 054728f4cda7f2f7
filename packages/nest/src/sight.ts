import type { IncomingMessage } from 'node:http';
import type { Coverage, E2eeServer } from '@e2ee/core';
import type { Paths } from './platform.js';

/** What a request asks for, as it looks at one moment: middleware may rewrite it. */
export interface Sight {
  readonly method: string;
  readonly paths: Paths;
}

/** Whether the policy, or the publication of the keys, has anything to say of a request. */
export function isMentioned({ keys, operation, request }: Coverage): boolean {
  return keys || operation !== undefined || request;
}

/** A server end to which a request is one by `method`, whatever method it has by now. */
export function byMethod(server: E2eeServer, method: string, { method: now }: IncomingMessage): E2eeServer {
  if (method === now) return server;
  const seen = <Request extends { readonly method: string }>(request: Request): Request => ({
    ...request,
    method,
  });
  return {
    message: server.message,
    covers: (request) => server.covers(seen(request)),
    decryptRequest: (request) => server.decryptRequest(seen(request)),
    // The very object that `decryptRequest` gave, which has the method already: more is known of it.
    protectResponse: (...given) => server.protectResponse(...given),
    publishedKeys: (request) => server.publishedKeys(seen(request)),
    bind: (name, rows) => server.bind(name, rows),
    errorResponse: (error) => server.errorResponse(error),
  };
}
