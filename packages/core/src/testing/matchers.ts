import { E2eeError, type E2eeErrorCode } from '../errors.js';
import { textsIn } from '../exchange/secrets.js';
import { isRedacted as showsMasksOnly } from '../fields/redact.js';
import { isContentAlgorithm, isKeyAlgorithm } from '../jwe/algorithms.js';
import { parseCompactJwe } from '../jwe/compact.js';
import { plaintextIn } from './plaintext.js';

/** What `expect.extend` of vitest and jest wants of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers as a test writes them: for `declare module`, so that an editor knows them. */
export interface E2eeMatchers<Result = void> {
  /** A compact JWE. */
  toBeEncrypted(): Result;
  /** Shows masks and nothing else. Default mask `[REDACTED]`. */
  toBeRedacted(mask?: string): Result;
  /** Holds none of these texts, in any spelling. See {@link plaintextIn}. */
  toHaveNoPlaintext(...canaries: (string | number)[]): Result;
  /** An `E2eeError`, of this code where one is given; behind `.rejects`, or of something that throws. Takes no promise. */
  toBeRefused(code?: E2eeErrorCode): Result;
}

const NO_LIMITS = { tokenLength: Number.POSITIVE_INFINITY, headerBytes: Number.POSITIVE_INFINITY };

/** Whether a value is a compact JWE of algorithms that this library knows. Says nothing about who can decrypt it. */
export function isEncrypted(value: unknown): value is string {
  try {
    const { alg, enc } = parseCompactJwe(value, NO_LIMITS).header;
    return isKeyAlgorithm(alg) && isContentAlgorithm(enc);
  } catch {
    return false;
  }
}

/** Whether a JSON value shows at least one mask, and nothing else. */
export function isRedacted(value: unknown, mask = '[REDACTED]'): boolean {
  return isPlain(value) && showsMasksOnly(value, mask) && textsIn(value, { names: false }).length > 0;
}

/**
 * The code of an `E2eeError`, or of the one that a function throws; nothing for anything else. Throws a `TypeError` for a
 * promise, and for a function that returns one.
 */
export function refusalOf(value: unknown): E2eeErrorCode | undefined {
  const outcome = typeof value === 'function' ? outcomeOf(() => value()) : { error: value };
  refusePromise(outcome.value ?? outcome.error);
  return outcome.error instanceof E2eeError ? outcome.error.code : undefined;
}

function outcomeOf(run: () => unknown): { readonly value?: unknown; readonly error?: unknown } {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

function refusePromise(value: unknown): void {
  if (typeof Object(value).then !== 'function') return;
  Promise.resolve(value).catch(() => {}); // nobody else hears of its rejection
  throw new TypeError('A promise is no refusal yet: await it, or use `.rejects`');
}

/** Whether all objects in a value are plain: those of classes hold more than their members show. */
function isPlain(value: unknown): boolean {
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (typeof item !== 'object' || item === null) continue;
    const type = Object.getPrototypeOf(item);
    const isRecord = type === null || Object.getPrototypeOf(type) === null; // of any realm
    if (!isRecord && !Array.isArray(item)) return false;
    for (const inner of Object.values(item)) pending.push(inner);
  }
  return true;
}

/**
 * For `expect.extend` of vitest and jest. What they say when they fail holds nothing of the value.
 *
 * @example
 * expect.extend(e2eeMatchers)
 * expect(provider.lastCall.wire.request.body.encrypted_payee).toBeEncrypted()
 */
export const e2eeMatchers: {
  [Name in keyof E2eeMatchers]: (received: unknown, ...args: Parameters<E2eeMatchers[Name]>) => MatcherResult;
} = {
  toBeEncrypted: (received) =>
    result(isEncrypted(received), `a compact JWE, and it is ${kindOf(received)}`, 'a compact JWE'),
  toBeRedacted: (received, mask) =>
    result(isRedacted(received, mask), `redacted, and it is ${kindOf(received)}`, 'redacted'),
  toHaveNoPlaintext: (received, ...canaries) => {
    const found = plaintextIn(received, ...canaries);
    return result(found === undefined, `without plaintext, and ${found}`, 'without plaintext');
  },
  toBeRefused: (received, code) => {
    const found = refusalOf(received);
    const expected = `refused${code ? ` with \`${code}\`` : ''}`;
    const actual = found ? `it was with \`${found}\`` : `it is ${kindOf(received)}`;
    return result(found !== undefined && (code ?? found) === found, `${expected}, and ${actual}`, expected);
  },
};

function result(pass: boolean, due: string, undue: string): MatcherResult {
  return { pass, message: () => `This should ${pass ? `not be ${undue}` : `be ${due}`}` };
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  return value === null || value === undefined ? String(value) : Object.prototype.toString.call(value);
}
