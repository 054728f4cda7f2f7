import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import { parsedJson, readableJson } from './json-body.js';
import { holds, isLong, isShort, isWord, readings, textsIn } from './secrets.js';

/** So many comparisons of a character are made at most: an error that would need more is not let through. */
const MAX_WORK = 20_000_000;

/**
 * Throws `response_refused`, blaming the body, for an error that repeats a protected value of its request word for word:
 * in a message, in details, as the name of a member, in a page of HTML. `request` is the request's body in plain. Throws
 * `body_unreadable` for an error that is neither JSON nor text.
 *
 * Values of six characters or more are looked for within any text, but not as a part of a longer number or word; texts of
 * four or five only as a whole value or name, and not where they are words in small or capital letters alone. What is called
 * like a member of the request, and is a plain word, says nothing: an error may name the member.
 */
export function refuseEcho(body: unknown, request: unknown, operation: Operation): void {
  const json = readableJson(body);
  if (!json && typeof body !== 'string') parsedJson(body);
  const said = textsIn(json ? json.value : body, { names: true });
  const { long, short } = secretsOf(request, operation);
  const isRepeated = said.some((text) => short.has(text)) || holdsAny(said, long);
  if (isRepeated) refuse('The error repeats a protected value of the request');
}

function refuse(message: string): never {
  throw new E2eeError('response_refused', message, { status: 400 });
}

/** Whether one of the texts has one of the secrets in it. */
function holdsAny(texts: readonly string[], secrets: ReadonlySet<string>): boolean {
  const said = texts.join('\n');
  refuseWork(said.length, secrets);
  const read = readings(said);
  refuseWork(
    read.reduce((sum, text) => sum + text.length, 0),
    secrets,
  );
  return read.some((text) => [...secrets].some((secret) => holds(text, secret)));
}

function refuseWork(length: number, secrets: ReadonlySet<string>): void {
  if (length * secrets.size > MAX_WORK)
    refuse('The error is too large to be searched for protected values of the request');
}

/** The protected values of a request, but for those that an error may say all the same, by how they are looked for. */
function secretsOf(request: unknown, operation: Operation): Record<'long' | 'short', ReadonlySet<string>> {
  const body = readableJson(request)?.value;
  const members = new Set(textsIn(body, { names: true, values: false }).filter(isWord));
  const found = protectedValues(body, operation);
  const long = textsIn(found, { names: false }).filter(isLong);
  const short = textsIn(found, { names: false, values: 'texts' }).filter(isShort);
  const without = (texts: readonly string[]): Set<string> =>
    new Set(texts.filter((text) => !members.has(text)));
  return { long: without(long), short: without(short) };
}

function protectedValues(value: unknown, { request }: Operation): unknown[] {
  if (request.whole) return [value];
  const { slots } = selectFields(value, request.fields, { prefix: '', isToken: () => false });
  return slots.map(({ plain }) => plain?.value);
}
