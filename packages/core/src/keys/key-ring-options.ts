import { E2eeError, invalidOption } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { type AllowsRsaOaepSha1, isAllowed } from '../jwe/sha1.js';
import { asDecryptionKey, type DecryptionKey, type ImportedKey } from './key.js';
import { restAtRotation } from './key-life.js';
import { checkReport, type KeyRingReport } from './key-ring-events.js';
import { checkStore, type KeyStore, memoryKeyStore } from './key-store.js';
import { RSA_BITS } from './key-types.js';

/** What ids look like: the RFC 7638 thumbprint, or the time of making in seconds since the epoch. */
export type KidForm = 'thumbprint' | 'timestamp';

/** What a ring takes from a profile. Every `Profile` has it. */
export interface KeyConventions extends AllowsRsaOaepSha1 {
  readonly encrypt: { readonly alg: KeyAlgorithm };
  readonly publication: { readonly maxAge: number; readonly kid?: KidForm };
}

export interface KeyRingOptions {
  /** Where made keys are kept. Default: in memory, lost when the process ends. */
  readonly store?: KeyStore | undefined;
  /** The profile that publishes the keys: it gives `alg`, `kid` and the `max-age` that `grace` is computed from. */
  readonly profile?: KeyConventions | undefined;
  /**
   * Private keys of your own, first the one to publish. With them the ring makes no first key by itself; keys that
   * `rotate()` makes take their place in the publication, which needs a `store`.
   */
  readonly keys?: ImportedKey | readonly ImportedKey[] | undefined;
  /** What the ring makes keys for. Default: what the profile encrypts with, or `RSA-OAEP-256`. */
  readonly alg?: KeyAlgorithm | undefined;
  /** The curve of keys for `ECDH-ES` and `ECDH-ES+A256KW`. Default `P-256`. */
  readonly crv?: 'P-256' | 'X25519' | undefined;
  /** Size of the RSA keys that the ring makes, in bits: a multiple of 128. Default 2048. */
  readonly modulusLength?: number | undefined;
  /** What ids look like. Default: as the profile says, or `thumbprint`. */
  readonly kid?: KidForm | undefined;
  /** How long a made key is published, in seconds, at least 60. A successor is made in time. Default 2,592,000 (30 days). */
  readonly lifetime?: number | undefined;
  /**
   * How long a replaced key still decrypts, in seconds. Default: the `max-age` of the publication (600 as long as no
   * profile is known), the time that a client may use a set which it cannot refresh (86,400) and the difference between
   * clocks (300).
   */
  readonly grace?: number | undefined;
  /** Hears what becomes of the keys. Default: a line on the console when the store fails. */
  readonly onEvent?: KeyRingReport | undefined;
}

export interface KeyRingSettings {
  readonly store: KeyStore;
  /** Whether the ring may make keys: not where all it has was given to it, and there is nowhere to keep more. */
  readonly makesKeys: boolean;
  readonly given: readonly DecryptionKey[];
  readonly alg: KeyAlgorithm;
  readonly crv: string;
  readonly modulusLength: number;
  readonly kid: KidForm;
  readonly lifetime: number;
  /** Absent where it is computed. */
  readonly grace: number | undefined;
  readonly maxAge: number;
  /** From when a key is written to its publication, in seconds: until every process that shares the store has it. */
  readonly lead: number;
  /** How often the ring looks for what is due, in milliseconds. */
  readonly interval: number;
  readonly onEvent: KeyRingReport;
}

/** A ring looks for what is due this often, in milliseconds, where no other process shares its store; or more often. */
const IDLE_INTERVAL = 3_600_000;
/** So many looks at least fit into the time in which a successor is due. */
const LOOKS_WHILE_DUE = 5;
/** A key is published after this many looks of the other processes. */
const LOOKS_BEFORE_PUBLICATION = 4;
/** Longest time, in seconds: there might be no date for a larger number. */
const CENTURY = 3_155_760_000;
/** No client keeps a set for a shorter time. */
const MIN_LIFETIME = 60;
/** A year, in seconds. */
const MAX_MAX_AGE = 31_536_000;

/** Throws `option_invalid` naming the option, or `key_invalid` for keys among `keys` that cannot be used. */
export function checkOptions(options: KeyRingOptions): KeyRingSettings {
  const { profile, keys = [] } = options;
  if (profile !== undefined && typeof Object(profile).publication !== 'object')
    invalidOption('profile', 'a profile, such as `banked`', profile);
  const { kid = profile?.publication.kid ?? 'thumbprint' } = options;
  if (kid !== 'thumbprint' && kid !== 'timestamp') invalidOption('kid', '"thumbprint" or "timestamp"', kid);
  const store = checkStore(options.store ?? memoryKeyStore());
  const given = checkGiven([keys].flat().map(asDecryptionKey));
  const { pollInterval = 0 } = store;
  const lifetime = duration('lifetime', options.lifetime ?? 2_592_000, MIN_LIFETIME);
  const longestInterval = (restAtRotation(lifetime) * 1000) / LOOKS_WHILE_DUE;
  if (pollInterval > longestInterval) {
    invalidOption(
      'lifetime',
      "longer: the store's pollInterval is too long to replace keys in time",
      lifetime,
    );
  }
  return {
    ...checkKind(options),
    store,
    makesKeys: given.length === 0 || options.store !== undefined,
    given,
    kid,
    lifetime,
    grace: options.grace === undefined ? undefined : duration('grace', options.grace, 0),
    maxAge: checkMaxAge('profile.publication.maxAge', profile?.publication.maxAge ?? 600),
    lead: (pollInterval * LOOKS_BEFORE_PUBLICATION) / 1000,
    interval: pollInterval || Math.min(IDLE_INTERVAL, longestInterval),
    onEvent: checkReport(options.onEvent),
  };
}

/** Throws `option_invalid` for what no publication can say. */
export function checkMaxAge(option: string, value: number): number {
  return Number.isFinite(value) && value >= 0 && value <= MAX_MAX_AGE
    ? value
    : invalidOption(option, 'a number of seconds, from 0 to a year', value);
}

/** Browsers make keys of no other sizes: they round down. */
const SIZE_STEP = 128;

const DEFAULT_ALG = 'RSA-OAEP-256';
/** The algorithms of secrets that are shared, which nobody makes here. */
const MADE_ELSEWHERE: readonly KeyAlgorithm[] = ['A256KW', 'A256GCMKW', 'dir'];
/** What keys can be made for. */
const MADE_FOR: readonly KeyAlgorithm[] = ['RSA-OAEP-256', 'RSA-OAEP', 'ECDH-ES', 'ECDH-ES+A256KW'];

/** What keys are made. */
function checkKind(options: KeyRingOptions): Pick<KeyRingSettings, 'alg' | 'crv' | 'modulusLength'> {
  const { crv, modulusLength } = options;
  const alg = checkAlgorithm(options);
  const isRsa = alg.startsWith('RSA');
  const isCurve = crv === 'P-256' || crv === 'X25519';
  if (crv !== undefined && (isRsa || !isCurve))
    invalidOption('crv', isRsa ? 'absent for RSA keys' : '"P-256" or "X25519"', crv);
  const isSize =
    typeof modulusLength === 'number' &&
    modulusLength % SIZE_STEP === 0 &&
    modulusLength >= RSA_BITS.min &&
    modulusLength <= RSA_BITS.max;
  if (modulusLength !== undefined && (!isRsa || !isSize)) {
    const expected = `a multiple of ${SIZE_STEP} bits, from ${RSA_BITS.min} to ${RSA_BITS.max}`;
    invalidOption('modulusLength', isRsa ? expected : 'absent for keys on a curve', modulusLength);
  }
  return { alg, crv: crv ?? 'P-256', modulusLength: modulusLength ?? RSA_BITS.min };
}

function checkAlgorithm({ alg, profile, keys, store }: KeyRingOptions): KeyAlgorithm {
  const chosen = alg ?? profile?.encrypt?.alg ?? DEFAULT_ALG;
  const possible = MADE_FOR.filter((known) => isAllowed(known, profile ?? {}));
  if (possible.includes(chosen)) return chosen;
  if (alg !== undefined || !MADE_ELSEWHERE.includes(chosen))
    invalidOption('alg', possible.join(' or '), chosen);
  // The profile is for a secret that is shared: there is nothing to make, but a place for what was given.
  return keys === undefined || store !== undefined
    ? invalidOption('keys', `the shared secret for \`${chosen}\`, without a store`, keys)
    : DEFAULT_ALG;
}

function checkGiven(keys: readonly DecryptionKey[]): readonly DecryptionKey[] {
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw new E2eeError('key_invalid', 'Two of the given `keys` have one `kid`');
  return keys;
}

function duration(option: string, value: number, min: number): number {
  return Number.isFinite(value) && value >= min && value <= CENTURY
    ? value
    : invalidOption(option, `a number of seconds, from ${min} to 100 years`, value);
}
