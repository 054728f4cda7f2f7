import { E2eeError } from '../errors.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import { type E2eeRequest, headerOf } from './message.js';
import { type Sealer, seal } from './seal-tokens.js';

/* The secret of a call, from which the keys of its tokens are derived: docs/per-message-key.md. */

/** The place of a secret. A backslash alone is no field path, however its members are called. */
export const OFFER_PATH = '\\';

/**
 * A request with the secret of its call in a header, sealed as a field is, and the keys from it; nothing where the profile has
 * none. Rejects with `field_conflict` for a request that has one already: what that is, nobody here knows.
 */
export async function makeOffer(
  request: E2eeRequest,
  sealer: Sealer,
  kid: string,
): Promise<{ request: E2eeRequest; messageKey: MessageKey } | undefined> {
  const { perMessageKey } = sealer.profile;
  if (!perMessageKey) return undefined;
  const { header, typ } = perMessageKey;
  if (offerIn(request, sealer.profile) !== undefined)
    throw new E2eeError('field_conflict', `The request has a header \`${header}\` and plain values`);
  const secret = perMessageKey.newSecret();
  const [token, messageKey] = await Promise.all([
    seal(secret, OFFER_PATH, sealer, { typ }),
    perMessageKey.keysFrom(secret, kid),
  ]);
  return { request: { ...request, headers: { ...request.headers, [header]: token } }, messageKey };
}

/** The token in the headers of a request that holds the secret of its call, if there is one. */
export function offerIn({ headers }: E2eeRequest, { perMessageKey }: Profile): string | undefined {
  return perMessageKey && headerOf(headers, perMessageKey.header);
}
