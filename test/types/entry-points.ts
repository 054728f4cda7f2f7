/** What must compile of `@e2ee/core/node`, `/adapter` and `/testing`, and what must not. Never runs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { banked, createKeyRing, type E2eeServer, type KeyStore } from '@e2ee/core';
import { guardResponse, locate, type ResponseGuard, resolveServer } from '@e2ee/core/adapter';
import { fileKeyStore } from '@e2ee/core/node';
import { keyStoreContract } from '@e2ee/core/testing';
import { expectType } from './expect-type.js';

declare const server: E2eeServer;
declare const req: IncomingMessage;
declare const res: ServerResponse;

/* A key store */

const store = fileKeyStore('./keys');
expectType<KeyStore>(store);
createKeyRing({ store, profile: banked });
// @ts-expect-error a directory is no store
createKeyRing({ store: './keys' });
// @ts-expect-error a key ring has no such option
createKeyRing({ storage: store });

/* An adapter */

expectType<boolean>(locate(server, req, ['/a']).coverage.response);
// @ts-expect-error a request has a path
locate(server, req, []);
expectType<E2eeServer>(resolveServer(server).server);
expectType<ResponseGuard>(
  guardResponse(res, {
    protect: (response) => server.protectResponse({ method: 'GET', path: '/', headers: {} }, response),
    failure: (error) => server.errorResponse(error),
  }),
);
// @ts-expect-error what becomes of a failure has to be said
guardResponse(res, { protect: async (response) => response });

/* A contract for the tests of others */

for (const { name, run } of keyStoreContract) {
  expectType<string>(name);
  expectType<Promise<void>>(run(() => store));
}
