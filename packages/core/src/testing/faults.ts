import { E2eeError, type E2eeErrorCode } from '../errors.js';
import type { E2eeResponse } from '../exchange/message.js';
import type { E2eeServer } from '../exchange/server.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';

/** One thing that can go wrong at a provider. */
export interface Fault {
  /** What it strikes: requests for the published keys, calls of operations, or answers of handlers. */
  readonly strikes: 'keys' | 'call' | 'answer';
  /** Answers in the provider's place; its handler is not called. Throws where no answer comes at all. */
  readonly instead?: (server: E2eeServer) => E2eeResponse;
  /** What becomes of the provider's answer on its way, if anything does. `plain` is what the handler gave. */
  readonly afterwards?: (answer: E2eeResponse, plain: E2eeResponse) => E2eeResponse;
}

/** What `provider.fail()` knows. */
export type FaultName =
  | 'jwks_down'
  | 'jwks_empty'
  | 'key_rejected'
  | 'over_capacity'
  | 'server_error'
  | 'unreachable'
  | 'answer_plain'
  | 'answer_tampered';

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  /** The keys are answered with 503: a client end without keys rejects with `keys_unavailable`. */
  jwks_down: { strikes: 'keys', instead: () => ({ status: 503, headers: {} }) },
  /** A key set without any key. */
  jwks_empty: { strikes: 'keys', instead: () => ({ status: 200, headers: {}, body: { keys: [] } }) },
  /** The profile's key rejection, although the key is the current one: looking for another does not help. */
  key_rejected: { strikes: 'call', instead: refusing('key_rejected') },
  /** 503 with `Retry-After`. */
  over_capacity: { strikes: 'call', instead: refusing('over_capacity') },
  /** 500 in the profile's form. */
  server_error: { strikes: 'call', instead: (server) => server.errorResponse(new Error('on demand')) },
  /** No answer: the call rejects, as `fetch` does without a network. */
  unreachable: { strikes: 'call', instead: neverAnswer },
  /** The answer comes as the handler gave it: neither encrypted nor redacted. */
  answer_plain: { strikes: 'answer', afterwards: (_, plain) => plain },
  /** Every token of the answer has been changed on the way. */
  answer_tampered: { strikes: 'answer', afterwards: (answer) => ({ ...answer, body: changed(answer.body) }) },
};

function refusing(code: E2eeErrorCode): NonNullable<Fault['instead']> {
  return (server) => server.errorResponse(new E2eeError(code, 'The test asks for this refusal'));
}

function neverAnswer(): never {
  throw new TypeError('fetch failed: the test provider is unreachable');
}

/** A JSON value with another authentication tag in each of its tokens. */
function changed(value: unknown): unknown {
  if (looksLikeCompactJwe(value)) return value.replace(/[\w-](?=[\w-]*$)/, otherLetter);
  if (Array.isArray(value)) return value.map(changed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, changed(item)]));
}

function otherLetter(letter: string): string {
  return letter === 'A' ? 'B' : 'A';
}
