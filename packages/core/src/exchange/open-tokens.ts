import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import { checkJwe, type DecryptJweOptions, openJwe } from '../jwe/decrypt.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Profile } from '../profiles/profile.js';
import { checkClaims, type Whereabouts } from './binding.js';
import { refuseManyTokens } from './body-rules.js';
import type { Limits } from './limits.js';
import { type ReplayStore, refuseReplay } from './replay.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly keyRing: KeyRing;
  /** Remembers tokens. Without it, one may come again. */
  readonly replay?: ReplayStore | undefined;
}

/**
 * Decrypts the encrypted form of each slot: all of them or none. Every check comes before the first key operation.
 * Returns the `kid` of the key that opened each.
 */
export async function openSlots(
  slots: readonly FieldSlot[],
  opener: Opener,
  where: Whereabouts,
): Promise<readonly string[]> {
  const { profile, limits, keyRing } = opener;
  refuseManyTokens(slots, limits);
  const options = openOptions(profile, limits, limits.tokenLength);
  const checked = slots.map((slot) => checkJwe(slot.wire?.value, keyRing, options));
  checked.forEach(({ jwe }, i) => {
    checkClaims(profile.binding, jwe.header, { ...where, path: slots[i]?.place ?? '' });
  });
  const opened = await Promise.all(checked.map(openJwe));
  await refuseReplay(checked, opener);
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
  opener: Opener,
  where: Whereabouts,
): Promise<{ body: unknown; kid: string }> {
  const { profile, limits, keyRing } = opener;
  const checked = checkJwe(token, keyRing, openOptions(profile, limits, limits.messageLength));
  checkClaims(profile.binding, checked.jwe.header, { ...where, path: '$' });
  const { plaintext, kid } = await openJwe(checked);
  await refuseReplay([checked], opener);
  return { body: decodeField(plaintext, 'json', limits.depth), kid };
}

function openOptions(profile: Profile, limits: Limits, tokenLength: number): DecryptJweOptions {
  const { accept, requireKid } = profile;
  return { algs: accept.alg, encs: accept.enc, requireKid, tokenLength, headerBytes: limits.headerBytes };
}
