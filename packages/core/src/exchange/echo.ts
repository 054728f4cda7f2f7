import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import { parsedJson, readableJson } from './json-body.js';

/** Shorter texts, such as a currency, occur in errors by chance. */
const SHORTEST = 6;
/** So many comparisons of a character are made at most: with more to look for, the body is given up. */
const MAX_WORK = 20_000_000;
/** What validation errors speak of. */
const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object'] as const;
const HTML: Readonly<Record<string, string>> = {
  '"': '&quot;',
  '&': '&amp;',
  "'": '&#39;',
  '<': '&lt;',
  '>': '&gt;',
};

/**
 * Throws `response_refused`, blaming the body, for an error that repeats a protected value of its request word for word:
 * in a message, in details, as the name of a member, in a page of HTML. `request` is the request's body in plain. Throws
 * `body_unreadable` for an error that is neither JSON nor text.
 */
export function refuseEcho(body: unknown, request: unknown, operation: Operation): void {
  const json = readableJson(body);
  if (!json && typeof body !== 'string') parsedJson(body);
  const said = json ? textsIn(json.value, { names: true }).join('\n') : String(body);
  const secrets = secretsOf(request, operation);
  const isTooMuch = secrets.length * said.length > MAX_WORK;
  if (!isTooMuch && !secrets.some((secret) => said.includes(secret))) return;
  const message = 'The error repeats a protected value of the request';
  throw new E2eeError('response_refused', message, { status: 400 });
}

/** Every protected text of a request, in each spelling. What is called like a field says nothing. */
function secretsOf(request: unknown, operation: Operation): readonly string[] {
  const values = protectedValues(request, operation);
  const names = new Set([
    ...JSON_TYPES,
    ...textsIn(readableJson(request)?.value, { names: true, values: false }),
  ]);
  const texts = values.flatMap((value) => textsIn(value, { names: false }));
  const secrets = texts.filter((text) => text.length >= SHORTEST && !names.has(text));
  return [...new Set(secrets.flatMap(spellings))];
}

function protectedValues(body: unknown, { request }: Operation): unknown[] {
  const value = readableJson(body)?.value;
  if (request.whole) return [value];
  const { slots } = selectFields(value, request.fields, { prefix: '', isToken: () => false });
  return slots.map(({ plain }) => plain?.value);
}

/** A text as it is, as in JSON text, and as Express' own error page writes it. */
function spellings(text: string): readonly string[] {
  return [text, JSON.stringify(text).slice(1, -1), text.replace(/["&'<>]/g, (char) => HTML[char] as string)];
}

/** Every text and number of a JSON value, and the names of members. Needs no recursion. */
function textsIn(
  value: unknown,
  { names, values = true }: { readonly names: boolean; readonly values?: boolean },
): string[] {
  const texts: string[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (values && (typeof item === 'string' || typeof item === 'number')) texts.push(String(item));
    if (typeof item !== 'object' || item === null) continue;
    for (const [name, inner] of Object.entries(item)) {
      if (names) texts.push(name);
      pending.push(inner);
    }
  }
  return texts;
}
