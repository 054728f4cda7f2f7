import type { Request, RequestHandler, Response } from 'express';
import type { AccessTokens } from './access-tokens.js';
import { basicCredentials, type Credentials } from './credentials.js';
import type { PartnerRegistry } from './partners.js';

type OAuthError = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type';

/** `POST /oauth/token`: the client credentials grant (RFC 6749 §4.4), client id and secret by Basic or in the form. */
export function tokenEndpoint(partners: PartnerRegistry, tokens: AccessTokens): RequestHandler {
  return async function issueToken(req: Request, res: Response): Promise<void> {
    res.set({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const form = formOf(req.body);
    if (!form) return refuse(res, 'invalid_request', 'the body must be a form');
    if (form.grant_type !== 'client_credentials') return refuse(res, 'unsupported_grant_type');
    const credentials = credentialsOf(req.headers.authorization, form);
    const partner = credentials && partners.authenticate(credentials.clientId, credentials.clientSecret);
    if (!partner) return refuse(res, 'invalid_client', 'unknown client or wrong secret');
    const access_token = await tokens.issue(partner.clientId);
    res.json({ access_token, token_type: 'Bearer', expires_in: tokens.lifetime });
  };
}

/** RFC 6749 §5.2 */
function refuse(res: Response, error: OAuthError, error_description?: string): void {
  const isClient = error === 'invalid_client';
  if (isClient) res.set('www-authenticate', 'Basic realm="bank"');
  res.status(isClient ? 401 : 400).json({ error, ...(error_description && { error_description }) });
}

function formOf(body: unknown): Record<string, unknown> | undefined {
  return typeof body === 'object' && body !== null ? { ...body } : undefined;
}

function credentialsOf(
  authorization: string | undefined,
  form: Record<string, unknown>,
): Credentials | undefined {
  if (authorization !== undefined) return formDecoded(basicCredentials(authorization));
  const { client_id: clientId, client_secret: clientSecret } = form;
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string') return undefined;
  return { clientId, clientSecret };
}

/** Here, and only here, both parts of a Basic header are form-encoded (RFC 6749 §2.3.1). */
function formDecoded(credentials: Credentials | undefined): Credentials | undefined {
  if (!credentials) return undefined;
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  try {
    return { clientId: decode(credentials.clientId), clientSecret: decode(credentials.clientSecret) };
  } catch {
    return undefined;
  }
}
