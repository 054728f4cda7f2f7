import type { FindingKind } from './findings.js';
import type { Expected } from './flaw.js';
import { CANARY } from './secrets.js';
import type { Answer } from './wire.js';

/** What is said of an answer that should not be. */
export interface Complaint {
  readonly kind: FindingKind;
  readonly detail: string;
}

/** How a server refuses a bad token, and an unknown key; both always alike. */
export interface Refusals {
  readonly refused: string;
  readonly rejected: string;
}

/** Headers that tell of the connection and the moment, not of the answer. */
const VARYING = ['date', 'connection', 'keep-alive'];

/** Everything by which two refusals could be told apart: status, body, names of headers. */
export function fingerprint({ status, headers, body }: Answer): string {
  const names = Object.keys(headers).filter((name) => !VARYING.includes(name));
  return `${status} ${names.sort().join(' ')} ${body}`;
}

/** What is wrong with the answer to an input; nothing where it may be so. */
export function judgeAnswer(
  answer: Answer,
  expected: Expected,
  { refused, rejected }: Refusals,
  isText: boolean,
): Complaint | undefined {
  const shown = fingerprint(answer).slice(0, 300);
  if (`${answer.bytes.toString('latin1')}${answer.body}`.includes(CANARY))
    return { kind: 'canary in an answer', detail: shown };
  if (answer.hung) return { kind: 'no answer', detail: 'The connection was left open' };
  // A handler that answers with text where JSON is due must be stopped, by a 500.
  if (answer.status >= 500 && !(answer.status === 500 && isText) && !isOfHttp(answer))
    return { kind: 'server error', detail: shown };
  if (expected === 'accepted' && !(answer.status >= 200 && answer.status < 300))
    return { kind: 'unexpected answer', detail: `accepted was due: ${shown}` };
  const due = { accepted: [], anything: [], refused: [refused], 'refused or rejected': [refused, rejected] }[
    expected
  ] as string[]; // texts all
  if (due.length > 0 && !due.includes(fingerprint(answer))) return { kind: 'uneven refusal', detail: shown };
  return undefined;
}

/** Node itself, or a framework, says that it does not do something of HTTP. */
function isOfHttp({ status }: Answer): boolean {
  return status === 501 || status === 505;
}
