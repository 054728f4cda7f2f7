import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import { parsedJson, readableJson } from './json-body.js';
import { holdsAny, secretsOf, textsIn } from './secrets.js';

/**
 * Throws `response_refused`, blaming the body, for an error that repeats a protected value of its request word for word:
 * in a message, in details, as the name of a member, in a page of HTML. `request` is the request's body in plain. Throws
 * `body_unreadable` for an error that is neither JSON nor text.
 */
export function refuseEcho(body: unknown, request: unknown, operation: Operation): void {
  const json = readableJson(body);
  if (!json && typeof body !== 'string') parsedJson(body);
  const said = json ? textsIn(json.value, { names: true }).join('\n') : String(body);
  const secrets = secretsOf(protectedValues(request, operation), readableJson(request)?.value);
  if (!holdsAny(said, secrets)) return;
  const message = 'The error repeats a protected value of the request';
  throw new E2eeError('response_refused', message, { status: 400 });
}

function protectedValues(body: unknown, { request }: Operation): unknown[] {
  const value = readableJson(body)?.value;
  if (request.whole) return [value];
  const { slots } = selectFields(value, request.fields, { prefix: '', isToken: () => false });
  return slots.map(({ plain }) => plain?.value);
}
