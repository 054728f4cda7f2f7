import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import { parsedJson, readableJson } from './json-body.js';

/** Shorter texts, such as a currency, occur in errors by chance. */
const SHORTEST = 6;
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
  const values = protectedValues(request, operation).flatMap((value) => textsIn(value, { names: false }));
  const long = values.filter((text) => text.length >= SHORTEST);
  const json = readableJson(body);
  if (!json && typeof body !== 'string') parsedJson(body);
  const said = json ? textsIn(json.value, { names: true }).join('\n') : String(body);
  if (!long.some((value) => spellings(value).some((spelling) => said.includes(spelling)))) return;
  const message = 'The error repeats a protected value of the request';
  throw new E2eeError('response_refused', message, { status: 400 });
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

/** Every text and number of a JSON value. Needs no recursion. */
function textsIn(value: unknown, { names }: { readonly names: boolean }): string[] {
  const texts: string[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (typeof item === 'string' || typeof item === 'number') texts.push(String(item));
    if (typeof item !== 'object' || item === null) continue;
    for (const [name, inner] of Object.entries(item)) {
      if (names) texts.push(name);
      pending.push(inner);
    }
  }
  return texts;
}
