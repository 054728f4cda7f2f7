import { looksLikeCompactJwe } from '../jwe/compact.js';
import { checkForm } from '../jwe/form.js';
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
 * Whether a value is encrypted already: a token that the profile would accept. Only that is left as it is; a value that
 * merely looks like one is encrypted as every other.
 */
export function isSealedBy({ accept, perMessageKey }: Profile): (value: unknown) => boolean {
  const form = {
    algs: perMessageKey ? [...accept.alg, 'dir' as const] : accept.alg,
    encs: accept.enc,
    tokenLength: Number.POSITIVE_INFINITY,
    headerBytes: 65_536,
  };
  return (value) => {
    if (!looksLikeCompactJwe(value)) return false;
    try {
      return checkForm(value, form).alg !== undefined;
    } catch {
      return false;
    }
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
