import { Random } from '../random.js';
import { CANARY, isProven, secretText } from '../secrets.js';
import { COVERED } from '../setup.js';
import { countHandled, report } from './watch.js';

/** What reaches a handler, whatever the framework. */
export interface Call {
  readonly operation: string;
  readonly body: unknown;
  /** What the handler is asked to do: `x-act`. */
  readonly act: unknown;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  /** In place of JSON. */
  readonly text?: string;
}

export type Handler = (call: Call) => Reply;

/** The operations that the policy covers, as routes. */
export const ROUTES = [
  ['post', '/v2/payment_sessions'],
  ['get', '/v2/payment_sessions/:id'],
  ['post', '/v2/mandates'],
  ['post', '/v2/bank_accounts'],
  ['post', '/v2/messages'],
] as const;

const REPLIES: Readonly<Record<string, (body: unknown) => Reply>> = {
  missing: (body) => ({ status: 404, body }),
  empty: () => ({ status: 204 }),
  text: () => ({ status: 200, text: `Not for your eyes: ${CANARY}` }),
};

/** Answers with what it was given. Reports a value that nobody has encrypted to it. */
export function handle({ operation, body, act }: Call): Reply {
  countHandled();
  for (const value of isAbsent(body) ? [] : (COVERED[operation]?.(body) ?? []))
    if (value !== undefined && !isProven(value))
      report('unproven value', `${operation} ${JSON.stringify(body)}`);
  const shown = operation.startsWith('GET') ? { payee: { name: secretText(new Random(0)) } } : asObject(body);
  return REPLIES[String(act)]?.(shown) ?? { status: 200, body: shown };
}

/** No body, in the ways of parsers to say so. Whether one is required is for the policy to say. */
function isAbsent(body: unknown): boolean {
  return (
    body === undefined ||
    body === '' ||
    (typeof body === 'object' && body !== null && Object.keys(body).length === 0)
  );
}

/** What every framework sends as JSON. */
function asObject(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? body : { value: body };
}
