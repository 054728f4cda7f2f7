import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import {
  type CheckedJwe,
  checkJwe,
  type DecryptedJwe,
  type DecryptJweOptions,
  openJwe,
} from '../jwe/decrypt.js';
import { refuseToken } from '../jwe/refusal.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { TokenPlace } from '../profiles/binding.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';
import { refuseManyTokens } from './body-rules.js';
import type { Capacity } from './capacity.js';
import type { Limits } from './limits.js';
import type { ReplayGuard } from './replay.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly keyRing: KeyRing;
  /** Whose turn it is to use a private key. Without it, everybody's. */
  readonly capacity?: Capacity | undefined;
  /** Refuses tokens that came before. Without it, one may come again. */
  readonly refuseReplay?: ReplayGuard | undefined;
  /** With it, what is inside a token must be signed by one of these. */
  readonly verifyWith?: VerificationKeys | undefined;
}

/**
 * Decrypts the encrypted form of each slot: all of them or none. Every check comes before the first key operation.
 * Returns the `kid` of the key that opened each, and of the key that signed all of them.
 */
export async function openSlots(
  slots: readonly FieldSlot[],
  opener: Opener,
  where: Whereabouts,
): Promise<{ kids: readonly string[]; signer: string | undefined }> {
  const { profile, limits, keyRing } = opener;
  refuseManyTokens(slots, limits);
  const options = openOptions(profile, limits, limits.tokenLength);
  const checked = slots.map((slot) => checkJwe(slot.wire?.value, keyRing, options));
  const places = slots.map(({ place }): TokenPlace => ({ ...where, path: place }));
  checked.forEach(({ jwe }, i) => {
    checkPlace(profile, jwe.header, places[i] as TokenPlace); // one for each
  });
  const opened = await openAll(checked, opener);
  const contents = await Promise.all(
    places.map((place, i) => verified((opened[i] as DecryptedJwe).plaintext, opener, place)),
  );
  // What two have signed is no message of either.
  const signers = new Set(contents.map(({ signer }) => signer));
  if (signers.size > 1) refuseToken();
  await opener.refuseReplay?.(checked, opener.verifyWith ? opened.map(({ plaintext }) => plaintext) : []);
  const values = contents.map(({ payload }, i) =>
    decodeField(payload, slots[i]?.rule.as ?? 'json', limits.depth),
  );
  slots.forEach((slot, i) => {
    slot.setPlain(values[i]);
  });
  return { kids: opened.map(({ kid }) => kid), signer: contents[0]?.signer };
}

/** The JSON body inside a token, and the `kid` of the key that opened it. */
export async function openMessage(
  token: unknown,
  opener: Opener,
  where: Whereabouts,
): Promise<{ body: unknown; kid: string; signer: string | undefined }> {
  const { profile, limits, keyRing } = opener;
  const checked = checkJwe(token, keyRing, openOptions(profile, limits, limits.messageLength));
  checkPlace(profile, checked.jwe.header, { ...where, path: '$' });
  const [{ plaintext, kid }] = (await openAll([checked], opener)) as [DecryptedJwe]; // one for one
  const { payload, signer } = await verified(plaintext, opener, { ...where, path: '$' });
  await opener.refuseReplay?.([checked], opener.verifyWith ? [plaintext] : []);
  return { body: decodeField(payload, 'json', limits.depth), kid, signer };
}

function openAll(checked: readonly CheckedJwe[], { capacity }: Opener): Promise<DecryptedJwe[]> {
  const work = checked.map((token) => () => openJwe(token));
  return capacity ? capacity.take(work) : Promise.all(work.map((open) => open()));
}

/** What a signature covers, where there must be one. It says itself where it belongs. */
async function verified(
  plaintext: Uint8Array,
  { profile, verifyWith }: Opener,
  place: TokenPlace,
): Promise<{ payload: Uint8Array; signer: string | undefined }> {
  if (!verifyWith) return { payload: plaintext, signer: undefined };
  const text = new TextDecoder().decode(plaintext);
  if (!/^[\w-]+\.[\w-]*\.[\w-]+$/.test(text)) refuseToken();
  const { payload, header, kid } = await verifyWith.verify(text);
  if (profile.binding?.misfit(header, place)) refuseToken();
  return { payload, signer: kid };
}

/** Throws `token_invalid` for a token that belongs elsewhere, where the profile binds its tokens. */
function checkPlace(
  { binding }: Profile,
  header: Readonly<Record<string, unknown>>,
  place: TokenPlace,
): void {
  const claim = binding?.misfit(header, place);
  if (claim) refuseToken(`Its \`${claim}\` is not what this place and time ask for`);
}

function openOptions(profile: Profile, limits: Limits, tokenLength: number): DecryptJweOptions {
  const { accept, requireKid } = profile;
  return { algs: accept.alg, encs: accept.enc, requireKid, tokenLength, headerBytes: limits.headerBytes };
}
