import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { type CheckedJwe, type DecryptedJwe, openJwe, withCandidates } from '../jwe/decrypt.js';
import { type AcceptedForm, checkForm, type FormedJwe } from '../jwe/form.js';
import { refuseToken } from '../jwe/refusal.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { TokenPlace } from '../profiles/binding.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';
import { refuseManyTokens } from './body-rules.js';
import type { Capacity } from './capacity.js';
import type { Limits } from './limits.js';
import { OFFER_PATH } from './message-key.js';
import type { ReplayGuard } from './replay.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  /** Without it, only what was sealed with the secret of the call can be opened. */
  readonly keyRing: KeyRing | undefined;
  /** Whose turn it is to use a private key. Without it, everybody's. */
  readonly capacity?: Capacity | undefined;
  /** Refuses tokens that came before. Without it, one may come again. */
  readonly refuseReplay?: ReplayGuard | undefined;
  /** With it, what is inside a token must be signed by one of these. */
  readonly verifyWith?: VerificationKeys | undefined;
  /** The token that holds the secret of the call, where the other end has sent one. */
  readonly offer?: string | undefined;
  /** The secret of the call, where this end has made it. */
  readonly messageKey?: MessageKey | undefined;
}

/** Who sealed tokens that were opened. */
export interface Origin {
  /** Of the keys that opened them, one for each. */
  readonly kids: readonly string[];
  /** The `kid` of the key that signed all of them. */
  readonly signer: string | undefined;
  readonly messageKey: MessageKey | undefined;
}

/** Decrypts the encrypted form of each slot: all of them or none. Every check comes before the first key operation. */
export async function openSlots(
  slots: readonly FieldSlot[],
  opener: Opener,
  where: Whereabouts,
): Promise<Origin> {
  const { limits } = opener;
  refuseManyTokens(slots, limits);
  const sealed = slots.map(({ wire, place }): Sealed => [wire?.value, { ...where, path: place }]);
  const { contents, ...origin } = await openAll(sealed, limits.tokenLength, opener, where);
  const values = contents.map((content, i) =>
    decodeField(content, slots[i]?.rule.as ?? 'json', limits.depth),
  );
  slots.forEach((slot, i) => {
    slot.setPlain(values[i]);
  });
  return origin;
}

/** The JSON body inside a token. */
export async function openMessage(
  token: unknown,
  opener: Opener,
  where: Whereabouts,
): Promise<{ body: unknown; origin: Origin }> {
  const { messageLength, depth } = opener.limits;
  const sealed: Sealed = [token, { ...where, path: '$' }];
  const { contents, ...origin } = await openAll([sealed], messageLength, opener, where);
  return { body: decodeField(contents[0] as Uint8Array, 'json', depth), origin }; // one for one
}

/** Opens the secret of a call that has nothing else to open. */
export async function openOffer(opener: Opener, where: Whereabouts): Promise<Origin> {
  return openAll([], opener.limits.tokenLength, opener, where);
}

/** What should be a token, and where it stands. */
type Sealed = readonly [token: unknown, place: TokenPlace];

/** A token that passed every check which needs no key: for a key of the ring, or for one of the call. */
type Ready = CheckedJwe | (FormedJwe & { readonly place: TokenPlace });

async function openAll(
  sealed: readonly Sealed[],
  tokenLength: number,
  opener: Opener,
  where: Whereabouts,
): Promise<Origin & { contents: readonly Uint8Array[] }> {
  const ready = sealed.map((one) => checkToken(one, tokenLength, opener));
  const offer = opener.offer === undefined ? undefined : checkOffer(opener.offer, opener, where);
  const forRing = [...(offer ? [offer] : []), ...ready.filter(isForRing)];
  const { capacity } = opener;
  capacity?.admit(forRing.length);
  const open = async (token: CheckedJwe): Promise<DecryptedJwe> =>
    capacity ? capacity.inTurn(() => openJwe(token)) : openJwe(token);

  const messageKey = offer ? await acceptOffer(await open(offer), opener) : opener.messageKey;
  const opened = await Promise.all(
    ready.map((token) => (isForRing(token) ? open(token) : openAgreed(token, messageKey))),
  );
  const contents = await Promise.all(
    opened.map(({ plaintext }, i) => verified(plaintext, opener, (sealed[i] as Sealed)[1])),
  );
  // What two have signed is no message of either.
  const signers = new Set(contents.map(({ signer }) => signer));
  if (signers.size > 1) refuseToken();
  await opener.refuseReplay?.(forRing, opener.verifyWith ? opened.map(({ plaintext }) => plaintext) : []);
  return {
    contents: contents.map(({ payload }) => payload),
    kids: opened.map(({ kid }) => kid),
    signer: contents[0]?.signer,
    messageKey,
  };
}

/** Throws `token_invalid` or `key_rejected`. */
function checkToken([token, place]: Sealed, tokenLength: number, opener: Opener): Ready {
  const { profile, offer, messageKey } = opener;
  const hasSecret = offer !== undefined || messageKey !== undefined;
  const algs: readonly KeyAlgorithm[] = hasSecret ? ['dir', ...profile.accept.alg] : profile.accept.alg;
  const formed = checkForm(token, { ...formOf(opener, tokenLength), algs });
  // A profile with secrets of calls accepts `dir` for nothing else. Its place is in what the key is derived from.
  if (formed.alg === 'dir' && hasSecret) return { ...formed, place };
  return forRing(formed, opener, place);
}

/** The token that holds the secret of a call. It belongs to no field. */
function checkOffer(token: string, opener: Opener, where: Whereabouts): CheckedJwe {
  const formed = checkForm(token, formOf(opener, opener.limits.tokenLength));
  if (!opener.profile.perMessageKey?.isOffer(formed.jwe.header)) refuseToken();
  return forRing(formed, opener, { ...where, path: OFFER_PATH });
}

function formOf({ profile: { accept }, limits }: Opener, tokenLength: number): AcceptedForm {
  return { algs: accept.alg, encs: accept.enc, tokenLength, headerBytes: limits.headerBytes };
}

function forRing(formed: FormedJwe, { profile, keyRing }: Opener, place: TokenPlace): CheckedJwe {
  if (!keyRing) refuseToken();
  const checked = withCandidates(formed, keyRing, profile.requireKid);
  const claim = profile.binding?.misfit(formed.jwe.header, place);
  if (claim) refuseToken(`Its \`${claim}\` is not what this place and time ask for`);
  return checked;
}

function isForRing(token: Ready): token is CheckedJwe {
  return 'candidates' in token;
}

async function acceptOffer(
  { plaintext, kid }: DecryptedJwe,
  { profile }: Opener,
): Promise<MessageKey | undefined> {
  return profile.perMessageKey?.accept(plaintext, kid);
}

async function openAgreed(
  { place, ...formed }: Exclude<Ready, CheckedJwe>,
  messageKey: MessageKey | undefined,
): Promise<DecryptedJwe> {
  return openJwe({ ...formed, candidates: messageKey ? [messageKey.openingKey(place)] : [] });
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
