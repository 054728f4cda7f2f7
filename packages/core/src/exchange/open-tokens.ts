import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
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
  const form = fieldFormOf(opener, tokenLength);
  const ready = sealed.map((one) => checkToken(one, form, opener));
  const offer = opener.offer === undefined ? undefined : checkOffer(opener.offer, opener, where);
  const forRing = ready.filter(isForRing);
  // Whoever brings the secret can read the answer: what others have sealed does not go with it.
  if (offer && forRing.length > 0) refuseToken();
  const open = takingTurns([...forRing, ...(offer ? [offer] : [])], opener);

  const accepted = offer && (await acceptOffer(await open(offer), opener, where));
  const messageKey = accepted?.messageKey ?? opener.messageKey;
  const opened = await Promise.all(
    ready.map((token) => (isForRing(token) ? open(token) : openAgreed(token, messageKey))),
  );
  const contents = await Promise.all(
    opened.map(({ plaintext }, i) => verified(plaintext, opener, (sealed[i] as Sealed)[1])),
  );
  // What two have signed is no message of either.
  const signers = new Set([...(accepted ? [accepted] : []), ...contents].map(({ signer }) => signer));
  if (signers.size > 1) refuseToken();
  const signed = [...(accepted ? [accepted] : []), ...opened].map(({ plaintext }) => plaintext);
  await opener.refuseReplay?.(offer ? [offer] : forRing, opener.verifyWith ? signed : []);
  return {
    contents: contents.map(({ payload }) => payload),
    kids: opened.map(({ kid }) => kid),
    signer: [...signers][0],
    messageKey,
  };
}

/** Opens tokens with private keys when it is their turn. After one that is bad, the others of the message are left alone. */
function takingTurns(
  tokens: readonly CheckedJwe[],
  { capacity }: Opener,
): (token: CheckedJwe) => Promise<DecryptedJwe> {
  if (!capacity) return openJwe;
  capacity.admit(tokens.length);
  let isRefused = false;
  return (token) =>
    capacity.inTurn(async () => {
      if (isRefused) refuseToken();
      return openJwe(token).catch((error: unknown) => {
        isRefused = true;
        throw error;
      });
    });
}

/** Throws `token_invalid` or `key_rejected`. */
function checkToken([token, place]: Sealed, form: AcceptedForm, opener: Opener): Ready {
  const formed = checkForm(token, form);
  // A profile with secrets of calls accepts `dir` for nothing else. Its place is in what the key is derived from.
  return formed.alg === 'dir' && hasSecret(opener) ? { ...formed, place } : withRing(formed, opener, place);
}

function hasSecret({ offer, messageKey }: Opener): boolean {
  return offer !== undefined || messageKey !== undefined;
}

/** The token that holds the secret of a call. It belongs to no field. */
function checkOffer(token: string, opener: Opener, where: Whereabouts): CheckedJwe {
  const formed = checkForm(token, formOf(opener, opener.limits.tokenLength));
  if (formed.jwe.header.typ !== opener.profile.perMessageKey?.typ) refuseToken();
  return withRing(formed, opener, { ...where, path: OFFER_PATH });
}

function formOf({ profile: { accept }, limits }: Opener, tokenLength: number): AcceptedForm {
  return { algs: accept.alg, encs: accept.enc, tokenLength, headerBytes: limits.headerBytes };
}

/** What is accepted of a field or a message: besides, what was sealed with the secret of the call. */
function fieldFormOf(opener: Opener, tokenLength: number): AcceptedForm {
  const form = formOf(opener, tokenLength);
  return hasSecret(opener) ? { ...form, algs: ['dir', ...form.algs] } : form;
}

function withRing(formed: FormedJwe, { profile, keyRing }: Opener, place: TokenPlace): CheckedJwe {
  if (!keyRing) refuseToken();
  const checked = withCandidates(formed, keyRing, profile.requireKid);
  const claim = profile.binding?.misfit(formed.jwe.header, place);
  if (claim) refuseToken(`Its \`${claim}\` is not what this place and time ask for`);
  return checked;
}

function isForRing(token: Ready): token is CheckedJwe {
  return 'candidates' in token;
}

/** The keys of a call, from the secret in its offer; signed as a field is, where that is asked for. */
async function acceptOffer(
  { plaintext, kid }: DecryptedJwe,
  opener: Opener,
  where: Whereabouts,
): Promise<{ messageKey: MessageKey | undefined; plaintext: Uint8Array; signer: string | undefined }> {
  const { payload, signer } = await verified(plaintext, opener, { ...where, path: OFFER_PATH });
  return { messageKey: await opener.profile.perMessageKey?.keysFrom(payload, kid), plaintext, signer };
}

async function openAgreed(
  { place, ...formed }: Exclude<Ready, CheckedJwe>,
  messageKey: MessageKey | undefined,
): Promise<DecryptedJwe> {
  return openJwe({ ...formed, candidates: messageKey ? [messageKey.openingKey(place)] : [] });
}

/** The content of a token, and who has signed it. */
interface Verified {
  readonly payload: Uint8Array;
  readonly signer: string | undefined;
}

/** What a signature covers, where there must be one. It says itself where it belongs. */
function verified(
  plaintext: Uint8Array,
  { profile, verifyWith }: Opener,
  place: TokenPlace,
): Verified | Promise<Verified> {
  return verifyWith
    ? verifiedWith(verifyWith, plaintext, profile, place)
    : { payload: plaintext, signer: undefined };
}

async function verifiedWith(
  verifyWith: VerificationKeys,
  plaintext: Uint8Array,
  { binding }: Profile,
  place: TokenPlace,
): Promise<Verified> {
  const text = new TextDecoder().decode(plaintext);
  if (!/^[\w-]+\.[\w-]*\.[\w-]+$/.test(text)) refuseToken();
  const { payload, header, kid } = await verifyWith.verify(text);
  if (binding?.misfit(header, place)) refuseToken();
  return { payload, signer: kid };
}
