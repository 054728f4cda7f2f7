import { encodeBase64url } from '../jwe/base64url.js';
import type { TokenPlace } from '../profiles/binding.js';

/** Which exchange a token belongs to. */
export type Whereabouts = Omit<TokenPlace, 'path'>;

/** Binds a response to the tokens of its request. Nothing where it had none. */
export async function digestOf(tokens: readonly unknown[]): Promise<string | undefined> {
  if (tokens.length === 0) return undefined;
  const bytes = new TextEncoder().encode([...tokens].sort().join('\n')); // whoever is between may sort members
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
