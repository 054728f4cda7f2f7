/** What must compile of the adapters, with the types of their frameworks, and what must not. Never runs. */
import { e2ee as e2eeAxios } from '@e2ee/axios-interceptor';
import {
  banked,
  createE2eeClient,
  createE2eeServer,
  type E2eeClient,
  type KeyRing,
  remoteJwks,
} from '@e2ee/core';
import { type E2eeExpressOptions, e2ee as e2eeExpress } from '@e2ee/express';
import { e2ee as e2eeFetch } from '@e2ee/fetch';
import { e2ee as e2eeKoa } from '@e2ee/koa';
import { E2eeModule, EncryptedBy, Protect, SkipE2ee } from '@e2ee/nest';
import axios from 'axios';
import express from 'express';
import Koa from 'koa';
import { expectType } from './expect-type.js';

declare const keyRing: KeyRing;
const encryptionKeys = remoteJwks('https://api.example.com/.well-known/jwks.json');
const client: E2eeClient = createE2eeClient({ profile: banked, encryptionKeys });
const server = createE2eeServer({ profile: banked, keyRing });

/* Express */

const app = express();
app.use(e2eeExpress({ profile: banked, keyRing }), e2eeExpress(server));
app.use(
  e2eeExpress({
    profile: banked,
    keyRing,
    recipient: (req) => (req.get('x-client') ? { id: 'acme', response: 'redact' } : undefined),
  }),
);
expectType<E2eeExpressOptions>({ profile: banked, keyRing });
// @ts-expect-error the server end has to have keys
e2eeExpress({ profile: banked });
// @ts-expect-error the client end does not stand in a server
e2eeExpress(client);
// @ts-expect-error Express' request has no such method
e2eeExpress({ profile: banked, keyRing, recipient: (req) => req.header.nothing() });

/* Koa */

const koa = new Koa();
koa.use(e2eeKoa({ profile: banked, keyRing })).use(e2eeKoa(server));
koa.use(
  e2eeKoa({
    profile: banked,
    keyRing,
    recipient: (ctx) =>
      ctx.get('x-client') ? { id: 'acme', response: 'encrypt', encryptionKeys } : undefined,
  }),
);
// @ts-expect-error the server end has to have keys
e2eeKoa({ profile: banked });

/* Nest */

E2eeModule.forRoot({ profile: banked, keyRing });
E2eeModule.forRoot(server);
E2eeModule.forRootAsync({ useFactory: async () => ({ profile: banked, keyRing }) });
// @ts-expect-error the server end has to have keys
E2eeModule.forRoot({ profile: banked });
// @ts-expect-error the server end has to have keys, also later
E2eeModule.forRootAsync({ useFactory: () => ({ profile: banked }) });

export class Payments {
  @Protect({ payee: { request: 'encrypt', response: 'redact' } })
  create(@EncryptedBy('payee') kid: string): string {
    return kid;
  }

  @SkipE2ee()
  health(): string {
    return 'up';
  }

  // @ts-expect-error a request cannot be redacted
  @Protect({ payee: { request: 'redact' } })
  change(): void {}
}

/* Axios */

expectType<() => void>(e2eeAxios(axios.create(), { profile: banked, encryptionKeys }));
e2eeAxios(axios.create(), client);
// @ts-expect-error the client end has to know whom it encrypts to
e2eeAxios(axios.create(), { profile: banked });
// @ts-expect-error the instance comes first
e2eeAxios({ profile: banked, encryptionKeys });
// @ts-expect-error the server end does not stand in a client
e2eeAxios(axios.create(), server);

/* fetch */

expectType<typeof globalThis.fetch>(e2eeFetch({ profile: banked, encryptionKeys }));
expectType<Promise<Response>>(e2eeFetch(client, { fetch: globalThis.fetch })('https://api.example.com/'));
// @ts-expect-error the client end has to know whom it encrypts to
e2eeFetch({ profile: banked });
