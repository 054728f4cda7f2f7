import { looksLikeCompactJwe, peekedHeader } from '../jwe/outward.js';
import type { Profile } from '../profiles/profile.js';
import { readableJson } from './json-body.js';

/**
 * Whether a value is meant as a token, well-formed or not. Wide on purpose: a token with a flaw must get the same answer
 * as every other bad token, not be taken for a plain value.
 */
export function isTokenAttempt(value: unknown): boolean {
  return typeof value === 'string' && (value.startsWith('eyJ') || /^[^.]*(?:\.[^.]*){4}$/.test(value));
}

/**
 * Whether a value is encrypted already: it looks like a token, for algorithms that the profile accepts. Only that is
 * left as it is; any other value is encrypted.
 */
export function isSealedBy({ accept }: Profile): (value: unknown) => boolean {
  return (value) => {
    const header = looksLikeCompactJwe(value) ? peekedHeader(value) : undefined;
    return accept.alg.some((alg) => alg === header?.alg) && accept.enc.some((enc) => enc === header?.enc);
  };
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
