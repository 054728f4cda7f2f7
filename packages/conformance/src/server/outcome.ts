import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { CANARY } from './answers.js';
import { NOTHING, Opening, type Outcome } from './case.js';
import type { WireAnswer } from './connection.js';
import type { Keys } from './keys.js';

/** A request as a handler sees it. */
export interface Seen {
  readonly body: unknown;
  readonly type: string | undefined;
}

/** What has become of a request. */
export interface Happened {
  /** Nothing where the server broke off. */
  readonly answer: WireAnswer | undefined;
  /** What handlers were called with. */
  readonly seen: readonly Seen[];
  /** Private-key operations. */
  readonly operations: number;
  /** Events, and what the logger heard. */
  readonly printed: string;
}

interface Means {
  readonly keys: Keys;
  /** The answer to the request of `sameAs`. */
  readonly like: WireAnswer | undefined;
}

/** Throws unless one of the outcomes is what has happened. No outcome allows the canary where it does not say so. */
export async function checkOutcome(
  happened: Happened,
  outcomes: readonly Outcome[],
  means: Means,
): Promise<void> {
  const { answer, printed } = happened;
  const shown = outcomes.flatMap(({ shows = [] }) => shows);
  const rest = shown.reduce((text, value) => text.replaceAll(value, ''), answer?.everything ?? '');
  if (rest.includes(CANARY)) throw new Error(`The answer shows plaintext:\n${excerpt(rest)}`);
  if (printed.includes(CANARY)) throw new Error(`Events or logs show plaintext:\n${excerpt(printed)}`);
  const failures: unknown[] = [];
  for (const outcome of outcomes) {
    const failure = await check(happened, outcome, means).catch((error: unknown) => error);
    if (failure === undefined) return;
    failures.push(failure);
  }
  if (failures.length === 1) throw failures[0];
  const reasons = failures.map(
    (failure, i) => `${i + 1}. ${failure instanceof Error ? failure.message : failure}`,
  );
  throw new Error(
    `None of the outcomes that would do:\n${reasons.join('\n')}\nThe answer: ${summary(answer)}`,
  );
}

async function check({ answer, seen, operations }: Happened, outcome: Outcome, means: Means): Promise<void> {
  if (!statusFits(answer?.status, outcome.status))
    throw new Error(`The status is ${answer?.status}, not ${outcome.status}: ${summary(answer)}`);
  checkHandler(seen, outcome.handler);
  if (outcome.keyOperations !== undefined)
    expect(operations, 'private-key operations').toBe(outcome.keyOperations);
  if (answer) await checkAnswer(answer, outcome, means);
}

async function checkAnswer(answer: WireAnswer, outcome: Outcome, { keys, like }: Means): Promise<void> {
  if ('json' in outcome) {
    const actual = jsonOf(answer.text);
    expect(actual, 'the JSON of the answer').toStrictEqual(await opened(outcome.json, actual, keys));
  }
  if ('includes' in outcome)
    expect(jsonOf(answer.text), 'the JSON of the answer').toMatchObject(outcome.includes as object);
  if (typeof outcome.text === 'string') expect(answer.text, 'the text of the answer').toBe(outcome.text);
  if (outcome.text instanceof RegExp) expect(answer.text, 'the text of the answer').toMatch(outcome.text);
  if ('message' in outcome) {
    expect(answer.headers['content-type'], 'the type of a whole message').toBe('application/jose');
    expect(jsonOf(await keys.open(answer.text)), 'the JSON in the message').toStrictEqual(outcome.message);
  }
  checkHeaders(answer, outcome.headers ?? {});
  if (outcome.sameAs) expect(look(answer)).toStrictEqual(like && look(like));
}

function checkHandler(seen: readonly Seen[], expected: Outcome['handler']): void {
  if (expected === undefined) return;
  const bodies = seen.map(({ body }) => body);
  const label = 'what handlers saw';
  expect(bodies, label).toHaveLength(expected === 'not called' ? 0 : 1);
  if (typeof expected === 'string') return;
  if (expected.body === NOTHING) expect([undefined, null, '', {}], 'no body').toContainEqual(bodies[0]);
  else if (!isDeepStrictEqual(bodies, [expected.body])) {
    expect(bodies, label).toStrictEqual([expected.body]);
    throw new Error('Handlers saw something else'); // of own members called __proto__, which expect() does not see
  }
  // Where a subject does not tell the type, there is nothing to check.
  for (const { type } of seen)
    if (expected.type && type) expect(type, 'the type that handlers saw').toMatch(expected.type);
}

function checkHeaders({ headers }: WireAnswer, expected: NonNullable<Outcome['headers']>): void {
  for (const [name, value] of Object.entries(expected)) {
    const label = `header ${name}`;
    if (value === null) expect(headers[name], label).toBeUndefined();
    else if (value instanceof RegExp) expect(headers[name] ?? '', label).toMatch(value);
    else expect(headers[name], label).toBe(value);
  }
}

/** An expected value with the tokens of the actual one in it, where those open to what was expected. */
async function opened(expected: unknown, actual: unknown, keys: Keys): Promise<unknown> {
  if (expected instanceof Opening) {
    const { value, as } = expected;
    const text = await keys.open(actual).catch((error: unknown) => `no token: ${error}`);
    const wanted = as === 'text' ? String(value) : JSON.stringify(value);
    return text === wanted ? actual : `a token that holds ${wanted}, not ${text}`;
  }
  if (typeof expected !== 'object' || expected === null) return expected;
  if (Array.isArray(expected))
    return Promise.all(expected.map((item, i) => opened(item, memberOf(actual, String(i)), keys)));
  const members = Object.entries(expected).map(
    async ([name, item]) => [name, await opened(item, memberOf(actual, name), keys)] as const,
  );
  return Object.fromEntries(await Promise.all(members));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function statusFits(status: number | undefined, expected: Outcome['status']): boolean {
  if (status === undefined || expected === 'broken off')
    return status === undefined && expected === 'broken off';
  if (expected === '4xx') return status >= 400 && status < 500;
  if (expected === '5xx') return status >= 500 && status < 600;
  return [expected].flat().includes(status);
}

/** Everything that a client could tell an answer from another one by, but for the clock. */
function look({ status, reason, headers, headerNames, text }: WireAnswer): unknown {
  const { date, ...others } = headers;
  return { status, reason, headerNames, headers: others, text };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`JSON was due, not: ${text.slice(0, 200)}`);
  }
}

function summary(answer: WireAnswer | undefined): string {
  if (!answer) return 'the server closed the connection before it was complete';
  return `${answer.status} ${answer.headers['content-type'] ?? ''} ${answer.text.slice(0, 300)}`;
}

function excerpt(text: string): string {
  const at = text.indexOf(CANARY);
  return text.slice(Math.max(0, at - 200), at + 100);
}
