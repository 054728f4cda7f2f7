import { E2eeError } from '../errors.js';
import type { FieldSlot } from '../fields/select.js';
import type { E2eeRequest, E2eeResponse } from './message.js';
import { holdsAny, secretsOf } from './secrets.js';

/**
 * Throws `leak_refused`, naming the field and the place, when a protected value of a message stands in the clear somewhere
 * else in it: in another member, in the URL, in a header. `slots` are the protected fields, `body` the body in plain.
 * Values of less than six characters are not looked for, and `Authorization` and `Cookie` are not looked into.
 */
export function refuseLeak(
  sent: Partial<Pick<E2eeRequest, 'path'>> & Pick<E2eeResponse, 'headers' | 'body'>,
  slots: readonly FieldSlot[],
  body: unknown,
): void {
  const places = placesIn(sent);
  for (const { rule, plain } of slots) {
    const secrets = secretsOf([plain?.value], body);
    const found = places.find(([, text]) => holdsAny(text, secrets));
    if (!found) continue;
    const { path } = rule;
    throw new E2eeError(
      'leak_refused',
      `The value of field \`${path}\` also stands in the clear in ${found[0]}`,
      {
        path,
      },
    );
  }
}

const CREDENTIALS = ['authorization', 'cookie'];

function placesIn({
  path,
  headers,
  body,
}: Parameters<typeof refuseLeak>[0]): readonly (readonly [name: string, text: string])[] {
  const ofHeaders = Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name.toLowerCase()));
  return [
    ['the body', typeof body === 'string' ? body : (JSON.stringify(body) ?? '')],
    ...(path === undefined ? [] : ([['the URL', path]] as const)),
    ...ofHeaders.map(([name, text]) => [`the header \`${name.toLowerCase()}\``, String(text)] as const),
  ];
}
