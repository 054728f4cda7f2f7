import { E2eeError } from '../errors.js';
import { decodeField, encodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import type { FieldRule } from '../fields/tree.js';
import { looksLikeCompactJwe, parseCompactJwe } from '../jwe/compact.js';
import { checkJwe, type DecryptJweOptions, openJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import type { EncryptionKey } from '../keys/key.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Profile } from '../profiles/profile.js';
import { refuseManyTokens } from './body-rules.js';
import { readableJson } from './json-body.js';
import type { Limits } from './limits.js';

/** What opening tokens needs. */
export interface Opener {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly keyRing: KeyRing;
}

/**
 * Whether a value is meant as a token, well-formed or not. Wide on purpose: a token with a flaw must get the same answer
 * as every other bad token, not be taken for a plain value.
 */
export function isTokenAttempt(value: unknown): boolean {
  return typeof value === 'string' && (value.startsWith('eyJ') || /^[^.]*(?:\.[^.]*){4}$/.test(value));
}

/**
 * Whether a value is encrypted already: a token that the profile would accept. Only that is left as it is; a value that
 * merely looks like one is encrypted as every other.
 */
export function isSealedBy({ accept }: Profile): (value: unknown) => boolean {
  return (value) => {
    if (!looksLikeCompactJwe(value)) return false;
    try {
      const { header } = parseCompactJwe(value, {
        tokenLength: Number.POSITIVE_INFINITY,
        headerBytes: 65_536,
      });
      return accept.alg.some((alg) => alg === header.alg) && accept.enc.some((enc) => enc === header.enc);
    } catch {
      return false;
    }
  };
}

/** Encrypts the plain form of each slot, and tells what became of which. Nothing is changed when one of them fails. */
export async function sealSlots(
  slots: readonly FieldSlot[],
  key: EncryptionKey,
  profile: Profile,
): Promise<{ rule: FieldRule; token: string }[]> {
  const plain = slots.filter((slot) => slot.plain);
  const plaintexts = plain.map(({ rule, plain: field }) => encodeField(field?.value, rule.as, rule.path));
  const tokens = await Promise.all(
    plaintexts.map((bytes) => encryptJwe(bytes, checkKey(key, profile), { enc: profile.encrypt.enc })),
  );
  return plain.map((slot, i) => {
    const token = tokens[i] as string; // one for each
    slot.setWire(token);
    return { rule: slot.rule, token };
  });
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

/** A whole JSON body as one token. */
export function sealMessage(body: unknown, key: EncryptionKey, profile: Profile): Promise<string> {
  return encryptJwe(encodeField(body, 'json', '$'), checkKey(key, profile), {
    enc: profile.encrypt.enc,
    cty: 'json',
  });
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

/** A key must be for an algorithm that the profile knows: its peers would refuse the token. */
function checkKey(key: EncryptionKey, { name, accept }: Profile): EncryptionKey {
  if (accept.alg.includes(key.alg)) return key;
  throw new E2eeError(
    'encryption_failed',
    `The key is for \`${key.alg}\`, which profile \`${name}\` does not list`,
  );
}

/** Where a whole-message token sits in a body, if it does: the body itself, or the only member of an envelope. */
export function messageToken(body: unknown, { message }: Profile): unknown {
  if (message.member === undefined) return looksLikeCompactJwe(body) ? body : undefined;
  const value = readableJson(body)?.value;
  if (typeof value !== 'object' || value === null) return undefined;
  const [name, ...others] = Object.keys(value);
  return name === message.member && others.length === 0 ? Reflect.get(value, name) : undefined;
}

/** Whether a body is a whole-message token already. What stands in the place of one need not be a token. */
export function isMessage(body: unknown, profile: Profile): boolean {
  return looksLikeCompactJwe(messageToken(body, profile));
}

/** A body that holds a whole-message token, as the profile writes it. */
export function messageBody(token: string, { message }: Profile): unknown {
  return message.member === undefined ? token : { [message.member]: token };
}

function openOptions(profile: Profile, limits: Limits, tokenLength: number): DecryptJweOptions {
  const { accept, requireKid } = profile;
  return { algs: accept.alg, encs: accept.enc, requireKid, tokenLength, headerBytes: limits.headerBytes };
}
