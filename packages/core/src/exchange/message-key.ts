import { E2eeError } from '../errors.js';
import type { EncryptionKey } from '../keys/key.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';
import { type E2eeRequest, headerOf } from './message.js';
import { checkKey } from './seal-tokens.js';

/* The secret of a call, from which the keys of its tokens are derived: docs/per-message-key.md. */

/** The place of a secret, which is in no field. */
export const OFFER_PATH = '';

/**
 * A request with the secret of its call in a header, and that secret; nothing where the profile has none. Rejects with
 * `field_conflict` for a request that has one already: what that is, nobody here knows.
 */
export async function makeOffer(
  request: E2eeRequest,
  key: EncryptionKey,
  where: Whereabouts,
  profile: Profile,
): Promise<{ request: E2eeRequest; messageKey: MessageKey } | undefined> {
  const { perMessageKey, binding, encrypt } = profile;
  if (!perMessageKey) return undefined;
  const { header: name } = perMessageKey;
  if (offerIn(request, profile) !== undefined)
    throw new E2eeError('field_conflict', `The request has a header \`${name}\` and plain values`);
  const header = binding?.claims({ ...where, path: OFFER_PATH }) ?? {};
  const { token, messageKey } = await perMessageKey.offer(checkKey(key, profile), {
    enc: encrypt.enc,
    header,
  });
  return { request: { ...request, headers: { ...request.headers, [name]: token } }, messageKey };
}

/** The token in the headers of a request that holds the secret of its call, if there is one. */
export function offerIn({ headers }: E2eeRequest, { perMessageKey }: Profile): string | undefined {
  return perMessageKey && headerOf(headers, perMessageKey.header);
}
