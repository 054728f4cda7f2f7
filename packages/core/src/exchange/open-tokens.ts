import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import { checkJwe, type DecryptJweOptions, openJwe } from '../jwe/decrypt.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Profile } from '../profiles/profile.js';
import { refuseManyTokens } from './body-rules.js';
import type { Limits } from './limits.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly keyRing: KeyRing;
}

/**
 * Decrypts the encrypted form of each slot: all of them or none. Every check comes before the first key operation.
 * Returns the `kid` of the key that opened each.
 */
export async function openSlots(slots: readonly FieldSlot[], opener: Opener): Promise<readonly string[]> {
  const { profile, limits, keyRing } = opener;
  refuseManyTokens(slots, limits);
  const options = openOptions(profile, limits, limits.tokenLength);
  const checked = slots.map((slot) => checkJwe(slot.wire?.value, keyRing, options));
  const opened = await Promise.all(checked.map(openJwe));
  const values = opened.map(({ plaintext }, i) =>
    decodeField(plaintext, slots[i]?.rule.as ?? 'json', limits.depth),
  );
  slots.forEach((slot, i) => {
    slot.setPlain(values[i]);
  });
  return opened.map(({ kid }) => kid);
}

/** The JSON body inside a token, and the `kid` of the key that opened it. */
export async function openMessage(
  token: unknown,
  { profile, limits, keyRing }: Opener,
): Promise<{ body: unknown; kid: string }> {
  const { plaintext, kid } = await openJwe(
    checkJwe(token, keyRing, openOptions(profile, limits, limits.messageLength)),
  );
  return { body: decodeField(plaintext, 'json', limits.depth), kid };
}

function openOptions(profile: Profile, limits: Limits, tokenLength: number): DecryptJweOptions {
  const { accept, requireKid } = profile;
  return { algs: accept.alg, encs: accept.enc, requireKid, tokenLength, headerBytes: limits.headerBytes };
}
