import { decodeUtf8 } from '#platform';
import { decodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import { type CheckedJwe, type OpenedJwe, openJwe, withCandidates } from '../jwe/decrypt.js';
import { type AcceptedForm, checkForm, type FormedJwe } from '../jwe/form.js';
import { refuseToken } from '../jwe/refusal.js';
import { parseJwsHeader } from '../jws/compact.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import { thumbprintOf } from '../keys/thumbprint.js';
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
  /** Whose turn it is to use a private key. */
  readonly capacity: Capacity;
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
  const { values, ...origin } = await openAll(sealed, limits.tokenLength, opener, where, (content, i) =>
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
  const { values, ...origin } = await openAll([sealed], messageLength, opener, where, (content) =>
    decodeField(content, 'json', depth),
  );
  return { body: values[0], origin };
}

/** Opens the secret of a call that has nothing else to open. */
export async function openOffer(opener: Opener, where: Whereabouts): Promise<Origin> {
  return openAll([], opener.limits.tokenLength, opener, where, () => undefined);
}

/** What should be a token, and where it stands. */
type Sealed = readonly [token: unknown, place: TokenPlace];

/** A token that passed every check which needs no key: for a key of the ring, or for one of the call. */
type Ready = CheckedJwe | (FormedJwe & { readonly place: TokenPlace });

/** `decode` makes a value of the content of each. Tokens count as used only when everything about them is right. */
async function openAll(
  sealed: readonly Sealed[],
  tokenLength: number,
  opener: Opener,
  where: Whereabouts,
  decode: (content: Uint8Array, index: number) => unknown,
): Promise<Origin & { values: readonly unknown[] }> {
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
  const contents = await Promise.all(opened.map((one, i) => verified(one, opener, (sealed[i] as Sealed)[1])));
  const all: readonly Verified[] = accepted ? [accepted, ...contents] : contents;
  // What two have signed is no message of either.
  const signers = new Set(all.map(({ signer }) => signer));
  if (signers.size > 1) refuseToken('It has two signers');
  const values = contents.map(({ payload }, i) => decode(payload, i));
  const signed = all.flatMap(({ signingInput }) => signingInput ?? []);
  await opener.refuseReplay?.(offer ? [offer] : forRing, signed);
  return { values, kids: opened.map(({ key }) => key.kid), signer: [...signers][0], messageKey };
}

/** Opens tokens with private keys when it is their turn. After one that is bad, the others of the message are left alone. */
function takingTurns(
  tokens: readonly CheckedJwe[],
  { capacity }: Opener,
): (token: CheckedJwe) => Promise<OpenedJwe> {
  // A token that names no key is tried with each.
  const inTurn = capacity.admit(tokens.reduce((all, { candidates }) => all + candidates.length, 0));
  let isRefused = false;
  return (token) =>
    inTurn(async () => {
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
  opened: OpenedJwe,
  opener: Opener,
  where: Whereabouts,
): Promise<Verified & { messageKey: MessageKey | undefined }> {
  const content = await verified(opened, opener, { ...where, path: OFFER_PATH });
  const messageKey = await opener.profile.perMessageKey?.keysFrom(content.payload, opened.key.kid);
  return { ...content, messageKey };
}

async function openAgreed(
  { place, ...formed }: Exclude<Ready, CheckedJwe>,
  messageKey: MessageKey | undefined,
): Promise<OpenedJwe> {
  return openJwe({ ...formed, candidates: messageKey ? [messageKey.openingKey(place)] : [] });
}

/** The content of a token; where it must be signed, who has, and what the signature is over (RFC 7515 §5.1). */
interface Verified {
  readonly payload: Uint8Array;
  readonly signer?: string;
  readonly signingInput?: string;
}

/** What a signature covers, where there must be one. It says itself where it belongs. */
function verified(opened: OpenedJwe, opener: Opener, place: TokenPlace): Verified | Promise<Verified> {
  const { verifyWith } = opener;
  if (verifyWith) return verifiedWith(verifyWith, opened, opener.profile, place);
  // A signature that nobody looks at is not what the sender meant by it, and its text is not the value.
  if (/^(?:application\/)?jwt$/i.test(opened.header.cty ?? '')) refuseToken('It is signed; set `verifyWith`');
  return { payload: opened.plaintext };
}

async function verifiedWith(
  verifyWith: VerificationKeys,
  { plaintext, key }: OpenedJwe,
  { binding }: Profile,
  place: TokenPlace,
): Promise<Verified> {
  const jws = textOf(plaintext);
  parseJwsHeader(jws); // whoever verifies it could take more than one form of it
  const { payload, header, kid } = await verifyWith.verify(jws);
  const recipient = await thumbprintOf(key.publicJwk);
  const claim = binding?.misfit(header, { ...place, recipient });
  if (claim) refuseToken(`The \`${claim}\` of its signature is not what this place, time and key ask for`);
  return { payload, signer: kid, signingInput: jws.slice(0, jws.lastIndexOf('.')) };
}

/** With a byte order mark, if there is one: no text may have two forms. */
function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return refuseToken();
  }
}
