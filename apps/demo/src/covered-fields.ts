import type { Choice, OperationName } from './report.js';

/*
 * What Banked's page says about its calls, written down a second time and read by other code than the library's. If the
 * library, its profile or its policy forgot a row, the demo would notice.
 */

/** What becomes of a field in an answer: always redacted, or as the partner chose. */
export type Answered = 'redacted' | 'as chosen';

const COVERED: Readonly<Record<OperationName, Readonly<Record<string, Answered>>>> = {
  'POST /v2/payment_sessions': {
    payee: 'as chosen',
    payer: 'as chosen',
    mandate_id: 'as chosen',
    mandate: 'as chosen',
  },
  'GET /v2/payment_sessions/:id': { payee: 'as chosen', payer: 'as chosen' },
  'POST /v2/bank_accounts': {
    name: 'redacted',
    account_identifier: 'redacted',
    sort_code: 'redacted',
    account_number: 'redacted',
    secondary_identifier: 'redacted',
  },
  'POST /v2/mandates': { source: 'redacted', destination: 'redacted', 'actions.#.source': 'redacted' },
};

export const MASK = '[REDACTED]';
export const PREFIX = 'encrypted_';
export const TOKEN_PLACE = 'token';

/** A covered field that a body holds. */
export interface CoveredField {
  /** As the page writes it: `actions.#.source`. */
  readonly path: string;
  readonly name: string;
  readonly value: unknown;
  readonly answered: Answered;
}

/** Whether an operation's fields come back redacted, whatever the partner chose. */
export function isRedactedAlways(operation: OperationName): boolean {
  return Object.values(COVERED[operation]).every((answered) => answered === 'redacted');
}

/** Whether a path in a body (`actions`, `3`, `source`, `name`) is a covered field or lies in one. */
export function isCovered(operation: OperationName, path: readonly (string | number)[]): boolean {
  const written = path.map((part) => (typeof part === 'number' ? '#' : part)).join('.');
  return Object.keys(COVERED[operation]).some((row) => `${written}.`.startsWith(`${row}.`));
}

/** Whether a member at the top of a body is a covered field or holds one. */
export function leadsToCovered(operation: OperationName, name: string): boolean {
  return Object.keys(COVERED[operation]).some((row) => row.split('.')[0] === name);
}

/** Every covered field of a body. */
export function coveredFields(operation: OperationName, body: unknown): CoveredField[] {
  const found: CoveredField[] = [];
  changeCovered(operation, body, (field) => {
    found.push(field);
    return [];
  });
  return found;
}

/** The body as the merchant's code should get it. */
export function expectedAnswer(operation: OperationName, choice: Choice, answer: unknown): unknown {
  return changeCovered(operation, answer, ({ name, value, answered }) => {
    const isRedacted = choice === 'redact' || answered === 'redacted';
    return [[name, isRedacted ? masked(value) : value]];
  });
}

/** The body as it may be seen: names stay, covered values go. */
export function withoutSecrets(operation: OperationName, body: unknown): unknown {
  return changeCovered(operation, body, ({ name, value }) => [
    [name, masked(value)],
    [PREFIX + name, ''],
  ]);
}

/** The body with a word in place of the token of each field that is encrypted, under its encrypted name. */
export function withTokenPlaces(
  operation: OperationName,
  body: unknown,
  isEncrypted: (field: CoveredField) => boolean,
): unknown {
  return changeCovered(operation, body, (field) =>
    isEncrypted(field) ? [[PREFIX + field.name, TOKEN_PLACE]] : [[field.name, field.value]],
  );
}

/** Replaces every scalar by the mask; null stays null. */
function masked(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object') return MASK;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member)]));
}

type Entry = readonly [name: string, value: unknown];
type Change = (field: CoveredField) => readonly Entry[];

function changeCovered(operation: OperationName, body: unknown, change: Change): unknown {
  return Object.entries(COVERED[operation]).reduce<unknown>((changed, [path, answered]) => {
    const onEntry = (name: string, value: unknown): readonly Entry[] =>
      change({ path, name, value, answered });
    return changeAt(changed, path.split('.'), onEntry);
  }, body);
}

function changeAt(
  value: unknown,
  [part = '', ...rest]: readonly string[],
  onEntry: (name: string, value: unknown) => readonly Entry[],
): unknown {
  if (part === '#') return Array.isArray(value) ? value.map((item) => changeAt(item, rest, onEntry)) : value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).flatMap(([name, member]): readonly Entry[] => {
    if (name !== part) return [[name, member]];
    return rest.length === 0 ? onEntry(name, member) : [[name, changeAt(member, rest, onEntry)]];
  });
  return Object.fromEntries(entries);
}
