import { invalidOption } from '../errors.js';

/** Bounds on what a peer can make us do. Each is checked before the first private-key operation. */
export interface Limits {
  /** Most tokens in one body. Default 64; 10,000 in an answer at the client end. */
  readonly tokens: number;
  /** Longest token of a field, in characters. Default 16,384; 16 MiB in an answer. */
  readonly tokenLength: number;
  /** Longest token that is a whole message, in characters. Default 1,048,576; 16 MiB in an answer. */
  readonly messageLength: number;
  /** Longest protected header, in bytes. Default 2,048. */
  readonly headerBytes: number;
  /** Deepest nesting of a body, and of a decrypted value. Default 64, at the most 1,000. */
  readonly depth: number;
  /** Most elements of an array that a field path goes through, in a request. Default 1,000. */
  readonly elements: number;
  /** Most private-key operations at once. Default 16; more than Node has threads for gain nothing. */
  readonly concurrency: number;
  /**
   * Server end: most private-key operations that wait for their turn; beyond, and for a message of which none could begin
   * within 10 seconds, `over_capacity` (503, `Retry-After`). Default 1,024. Messages take turns, one operation each.
   */
  readonly queue: number;
}

const DEFAULTS: Limits = {
  tokens: 64,
  tokenLength: 16_384,
  messageLength: 1_048_576,
  headerBytes: 2_048,
  depth: 64,
  elements: 1_000,
  concurrency: 16,
  queue: 1_024,
};

/** As deep as recursion may go, with a stack that an application has used before. */
const DEEPEST = 1_000;

/** What the client end opens comes from the provider that it chose, and may be a long list. */
export const ANSWER_DEFAULTS: Partial<Limits> = {
  tokens: 10_000,
  tokenLength: 16_777_216,
  messageLength: 16_777_216,
};

export function checkLimits(given: Partial<Limits> = {}, defaults: Partial<Limits> = {}): Limits {
  if (typeof given !== 'object' || given === null) invalidOption('limits', 'an object', given);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name))
      invalidOption(`limits.${name}`, `one of ${Object.keys(DEFAULTS).join(', ')}`, value);
    const most = name === 'depth' ? DEEPEST : Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      invalidOption(`limits.${name}`, `a whole number from 1 to ${most}`, value);
  }
  return Object.freeze({ ...DEFAULTS, ...defaults, ...given });
}
