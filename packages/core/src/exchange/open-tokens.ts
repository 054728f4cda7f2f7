import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import { checkJwe, type DecryptJweOptions, openJwe } from '../jwe/decrypt.js';
import { refuseToken } from '../jwe/refusal.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { TokenPlace } from '../profiles/binding.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';
import { refuseManyTokens } from './body-rules.js';
import type { Limits } from './limits.js';
import type { ReplayGuard } from './replay.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly keyRing: KeyRing;
  /** Refuses tokens that came before. Without it, one may come again. */
  readonly refuseReplay?: ReplayGuard | undefined;
  /** With it, what is inside a token must be signed by one of these. */
  readonly verifyWith?: VerificationKeys | undefined;
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
    checkPlace(profile, jwe.header, { ...where, path: slots[i]?.place ?? '' });
  });
  const opened = await Promise.all(checked.map(openJwe));
  const plaintexts = await Promise.all(
    opened.map(({ plaintext }, i) => verified(plaintext, opener, { ...where, path: slots[i]?.place ?? '' })),
  );
  await opener.refuseReplay?.(checked);
  const values = plaintexts.map((plaintext, i) =>
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
  checkPlace(profile, checked.jwe.header, { ...where, path: '$' });
  const { plaintext, kid } = await openJwe(checked);
  const payload = await verified(plaintext, opener, { ...where, path: '$' });
  await opener.refuseReplay?.([checked]);
  return { body: decodeField(payload, 'json', limits.depth), kid };
}

/** What a signature covers, where there must be one. It says itself where it belongs. */
async function verified(
  plaintext: Uint8Array,
  { profile, verifyWith }: Opener,
  place: TokenPlace,
): Promise<Uint8Array> {
  if (!verifyWith) return plaintext;
  const { payload, header } = await verifyWith.verify(new TextDecoder().decode(plaintext));
  checkPlace(profile, header, place);
  return payload;
}

/** Throws `token_invalid` for a token that belongs elsewhere, where the profile binds its tokens. */
function checkPlace(
  { binding }: Profile,
  header: Readonly<Record<string, unknown>>,
  place: TokenPlace,
): void {
  if (binding?.fits(header, place) === false) refuseToken();
}

function openOptions(profile: Profile, limits: Limits, tokenLength: number): DecryptJweOptions {
  const { accept, requireKid } = profile;
  return { algs: accept.alg, encs: accept.enc, requireKid, tokenLength, headerBytes: limits.headerBytes };
}
