import { E2eeError, invalidOption } from '../errors.js';
import {
  type ContentAlgorithm,
  isContentAlgorithm,
  isKeyAlgorithm,
  type KeyAlgorithm,
} from '../jwe/algorithms.js';
import { type AllowsRsaOaepSha1, isAllowed } from '../jwe/sha1.js';
import type { KidForm } from '../keys/key-ring-options.js';
import type { PolicyDocument } from '../policy/policy.js';
import type { TokenBinding } from './binding.js';
import type { PerMessageKey } from './per-message-key.js';

/** A JSON value, as a template: `{code}`, `{message}`, `{path}` and `{status}` in its strings are filled in. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [name: string]: JsonTemplate };

/**
 * One provider's wire conventions, as data. Derive your own from ours by spreading it.
 *
 * @example
 * const acme: Profile = { ...banked, name: 'acme', policy: { 'POST /orders': { card: { request: 'encrypt' } } } }
 */
export interface Profile extends AllowsRsaOaepSha1 {
  readonly name: string;
  /** Algorithms that are used to encrypt. */
  readonly encrypt: { readonly alg: KeyAlgorithm; readonly enc: ContentAlgorithm };
  /** Algorithms that are accepted in tokens; nothing else is. */
  readonly accept: { readonly alg: readonly KeyAlgorithm[]; readonly enc: readonly ContentAlgorithm[] };
  /** Whether a token must name its key. */
  readonly requireKid: boolean;
  /** What the name of an encrypted field begins with, by direction. Empty: the token takes the value's place. */
  readonly prefix: { readonly request: string; readonly response: string };
  /** A whole body as one token: its content type, and the member that holds it where the body stays JSON. */
  readonly message: { readonly contentType: string; readonly member?: string };
  /** What stands in for a value that is redacted. */
  readonly redaction: string;
  /** Where and how the public keys are published. */
  readonly publication: {
    readonly path: string;
    readonly form: 'jwks' | 'jwk';
    readonly contentType: string;
    /** Seconds that a client may keep the answer. Replaced keys decrypt so much longer. */
    readonly maxAge: number;
    /** What the ids of keys look like: RFC 7638 thumbprints (default), or the seconds since the epoch. */
    readonly kid?: KidForm;
    /** Under which names the issue and expiry times of a key go. */
    readonly times: { readonly issued: string; readonly expiry: string };
  };
  /** How a peer says that it does not know a key. Recognised by the status and the members of `body`. */
  readonly keyRejection: { readonly status: number; readonly body: JsonTemplate };
  /** The body of every other error. */
  readonly error: JsonTemplate;
  /** What tokens say of their place and time. Default nothing: a token is good anywhere, at any time. */
  readonly binding?: TokenBinding;
  /** Encrypts one secret for each call, and derives all keys of the call from it. Default: every token has a key of its own. */
  readonly perMessageKey?: PerMessageKey;
  readonly policy: PolicyDocument;
}

type Check = readonly [accepts: (value: unknown) => boolean, expected: string];
const OBJECT: Check = [(value) => typeof value === 'object' && value !== null, 'an object'];
const LIST: Check = [Array.isArray, 'a list'];
const TEXT: Check = [(value) => typeof value === 'string', 'a text'];
const MEDIA_TYPE: Check = [
  (value) => typeof value === 'string' && /^[a-z\d.+-]+\/[a-z\d.+-]+$/.test(value),
  'a content type in lower case, without parameters',
];
const FORM: Check = [(value) => value === 'jwks' || value === 'jwk', '"jwks" or "jwk"'];
const SECONDS: Check = [
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 31_536_000,
  'a whole number of seconds, a year at the most',
];
const STATUS: Check = [Number.isInteger, 'an HTTP status'];
const BINDING: Check = [has('claims', 'misfit'), 'made by bindTokens()'];
const PER_MESSAGE_KEY: Check = [has('newSecret', 'keysFrom'), 'made by perMessageKey()'];
const OPTIONAL_NAME: Check = [
  (value) => value === undefined || (typeof value === 'string' && value !== ''),
  'a name',
];

/** What the rest of the library relies on. A member comes after the object that it is in. */
const MEMBERS: readonly (readonly [check: Check, ...paths: string[]])[] = [
  [OBJECT, 'encrypt', 'accept', 'prefix', 'message', 'publication', 'publication.times', 'keyRejection'],
  [OBJECT, 'policy'],
  [LIST, 'accept.alg', 'accept.enc'],
  [TEXT, 'prefix.request', 'prefix.response', 'redaction', 'publication.path'],
  [MEDIA_TYPE, 'message.contentType', 'publication.contentType'],
  [OPTIONAL_NAME, 'message.member'],
  [BINDING, 'binding'],
  [PER_MESSAGE_KEY, 'perMessageKey'],
  [FORM, 'publication.form'],
  [SECONDS, 'publication.maxAge'],
  [STATUS, 'keyRejection.status'],
];

/** Throws `option_invalid` naming the member that is wrong. */
export function checkProfile(profile: Profile): Profile {
  if (typeof profile !== 'object' || profile === null)
    invalidOption('profile', 'a profile, such as `banked`', profile);
  for (const [[accepts, expected], ...paths] of MEMBERS) {
    for (const path of paths) {
      const value = path.split('.').reduce<unknown>((object, name) => Object(object)[name], profile);
      if (!accepts(value)) invalidOption(`profile.${path}`, expected, value);
    }
  }
  const algs = [profile.encrypt.alg, ...profile.accept.alg];
  checkAlgorithms('alg', isKeyAlgorithm, algs);
  if (!algs.every((alg) => isAllowed(alg, profile)))
    throw new E2eeError(
      'option_invalid',
      'RSA-OAEP is with SHA-1: a profile that lists it must set `allowRsaOaepSha1`',
    );
  if (profile.perMessageKey && algs.includes('dir'))
    throw new E2eeError(
      'option_invalid',
      'A profile with `perMessageKey` must not list `dir`: its tokens could be of either',
    );
  checkAlgorithms('enc', isContentAlgorithm, [profile.encrypt.enc, ...profile.accept.enc]);
  return profile;
}

/** Whether a member that may be left out has these methods. */
function has(...methods: readonly string[]): (value: unknown) => boolean {
  return (value) =>
    value === undefined || methods.every((method) => typeof Object(value)[method] === 'function');
}

function checkAlgorithms(kind: string, isKnown: (name: string) => boolean, names: readonly string[]): void {
  for (const name of names) {
    if (!isKnown(name))
      throw new E2eeError('option_invalid', `The profile lists an unsupported \`${kind}\`: ${name}`);
  }
}
