import { banked, type E2eeServerOptions, type KeyRing } from '@e2ee/core';
import { e2ee } from '@e2ee/express';
import express, { type Express } from 'express';
import { type AccessTokenOptions, createAccessTokens } from './access-tokens.js';
import { answerErrors, notFound } from './api-error.js';
import { authenticate } from './authenticate.js';
import { bankAccountRoutes } from './bank-accounts.js';
import { expressHandler, type OnHandled } from './handler.js';
import { mandateRoutes } from './mandates.js';
import { type PartnerRegistration, PartnerRegistry } from './partners.js';
import { paymentSessionRoutes } from './payment-sessions.js';
import { tokenEndpoint } from './token-endpoint.js';

export interface BankOptions {
  /** The bank's private keys, which partners encrypt to. */
  readonly keyRing: KeyRing;
  readonly partners: readonly PartnerRegistration[];
  readonly accessTokens?: AccessTokenOptions;
  /** Hears what handlers saw and answered, in plain. For demonstrations and tests, never for a log. */
  readonly onHandled?: OnHandled;
  /** Changes to how encryption is set up. Default: Banked's profile as it is. */
  readonly encryption?: Partial<Pick<E2eeServerOptions, 'policy' | 'plaintext' | 'onEvent'>>;
}

/** Fifty encrypted fields of a mandate are about 50 kB. */
const BODY_LIMIT = '1mb';

/**
 * The bank's API. What it knows of encryption is the one `app.use(e2ee(…))`; the handlers know nothing of it.
 *
 * Partners are authenticated before their bodies are read, so that a stranger costs no private-key operation.
 */
export async function createBank(options: BankOptions): Promise<Express> {
  const { keyRing, onHandled, encryption } = options;
  const partners = await PartnerRegistry.of(options.partners);
  const tokens = await createAccessTokens(options.accessTokens);

  const app = express().disable('x-powered-by');
  app.post('/oauth/token', express.urlencoded({ extended: false }), tokenEndpoint(partners, tokens));
  app.use('/v2', authenticate(partners, tokens));
  app.use(express.json({ limit: BODY_LIMIT }));
  app.use(e2ee({ profile: banked, keyRing, recipient: (req) => req.partner?.recipient, ...encryption }));
  app.use('/v2', routes(onHandled));
  app.use(notFound, answerErrors);
  return app;
}

function routes(onHandled: OnHandled | undefined): express.Router {
  const router = express.Router();
  for (const route of [...paymentSessionRoutes(), ...bankAccountRoutes(), ...mandateRoutes()]) {
    router[route.method](route.path, expressHandler(route, onHandled));
  }
  return router;
}
