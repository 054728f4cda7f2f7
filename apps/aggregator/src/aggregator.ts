import { type E2eeServerOptions, type KeyRing, powens } from '@e2ee/core';
import { e2ee } from '@e2ee/koa';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa from 'koa';
import { ApiError, answerErrors } from './api-error.js';
import { connectionRoutes } from './connections.js';
import { CONNECTORS, connectorBy, describeConnector } from './connectors.js';
import { koaHandler, type OnHandled } from './handler.js';
import { transferRoutes } from './transfers.js';
import { Users } from './users.js';

export interface AggregatorOptions {
  /** The aggregator's private keys, which user interfaces encrypt to. */
  readonly keyRing: KeyRing;
  /** Hears what handlers saw and answered, in plain. For demonstrations and tests, never for a log. */
  readonly onHandled?: OnHandled;
  /** Changes to how encryption is set up. Default: Powens' profile as it is. */
  readonly encryption?: Partial<Pick<E2eeServerOptions, 'policy' | 'plaintext' | 'onEvent'>>;
}

const BODY_LIMIT = '1mb';

/**
 * The aggregator's API. What it knows of encryption is the one `app.use(e2ee(…))`; the handlers know nothing of it.
 *
 * Users are authenticated before their bodies are read, so that a stranger costs no private-key operation.
 */
export function createAggregator({ keyRing, onHandled, encryption }: AggregatorOptions): Koa {
  const users = new Users();
  const app = new Koa();
  app.use(answerErrors);
  app.use(publicRoutes(users));
  app.use(users.authenticate({ except: powens.publication.path }));
  app.use(bodyParser({ jsonLimit: BODY_LIMIT }));
  app.use(e2ee({ profile: powens, keyRing, ...encryption }));
  app.use(userRoutes(onHandled));
  return app;
}

/** What needs no token: how banks want their customers to sign in, and a token for a new user. */
function publicRoutes(users: Users): Koa.Middleware {
  const router = new Router();
  router.post('/auth/init', (ctx) => {
    ctx.body = users.create();
  });
  router.get('/connectors', (ctx) => {
    ctx.body = { connectors: CONNECTORS.map(describeConnector) };
  });
  router.get('/connectors/:id', (ctx) => {
    const { id } = ctx.params;
    const connector = connectorBy((candidate) => String(candidate.id) === id || candidate.uuid === id);
    if (!connector) throw new ApiError(404, { code: 'notFound', description: 'There is no such connector' });
    ctx.body = describeConnector(connector);
  });
  return router.middleware() as Koa.Middleware; // sets what its types ask of the context by itself
}

function userRoutes(onHandled: OnHandled | undefined): Koa.Middleware {
  const router = new Router();
  for (const route of [...connectionRoutes(), ...transferRoutes()]) {
    router[route.method](route.path, koaHandler(route, onHandled));
  }
  return router.middleware() as Koa.Middleware; // as above
}
