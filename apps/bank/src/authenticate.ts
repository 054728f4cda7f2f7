import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AccessTokens } from './access-tokens.js';
import { ApiError } from './api-error.js';
import { basicCredentials } from './credentials.js';
import type { Partner, PartnerRegistry } from './partners.js';

declare global {
  namespace Express {
    interface Request {
      /** Who makes this request. Set by `authenticate`. */
      partner?: Partner;
    }
  }
}

/** Lets a request on only when it comes from a partner: with an access token, or Basic credentials. */
export function authenticate(partners: PartnerRegistry, tokens: AccessTokens): RequestHandler {
  return async function authenticatePartner(req: Request, res: Response, next: NextFunction): Promise<void> {
    const partner = await partnerOf(req.headers.authorization, partners, tokens);
    if (!partner) {
      res.set('www-authenticate', 'Bearer realm="bank", Basic realm="bank"');
      throw new ApiError(401, {
        code: 'unauthorized',
        source: 'authorization',
        title: 'valid credentials are required',
      });
    }
    req.partner = partner;
    next();
  };
}

async function partnerOf(
  authorization: string | undefined,
  partners: PartnerRegistry,
  tokens: AccessTokens,
): Promise<Partner | undefined> {
  const bearer = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) {
    const clientId = await tokens.verify(bearer);
    return clientId === undefined ? undefined : partners.find(clientId);
  }
  const basic = basicCredentials(authorization);
  return basic && partners.authenticate(basic.clientId, basic.clientSecret);
}
