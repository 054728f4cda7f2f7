import { E2eeError } from '../errors.js';
import type { FieldSlot } from '../fields/select.js';
import type { E2eeRequest, E2eeResponse } from './message.js';
import { holdsAny, secretsOf } from './secrets.js';

/** Throws `leak_refused`. `slots` are the protected fields of a message, `body` is its body in plain. */
export type LeakGuard = (
  sent: Partial<Pick<E2eeRequest, 'path'>> & Pick<E2eeResponse, 'headers' | 'body'>,
  slots: readonly FieldSlot[],
  body: unknown,
) => void;

/**
 * For the option `leakGuard` of either end: refuses, with `leak_refused`, a message in which a protected value also stands in
 * the clear: in another member, the URL, a header. Names the field and the place. Values of less than six characters are not
 * looked for, and `Authorization` and `Cookie` are not looked into.
 *
 * @example
 * const client = createE2eeClient({ profile, encryptionKeys, leakGuard })
 */
export const leakGuard: LeakGuard = (sent, slots, body) => {
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
};

const CREDENTIALS = ['authorization', 'cookie'];

function placesIn({
  path,
  headers,
  body,
}: Parameters<LeakGuard>[0]): readonly (readonly [name: string, text: string])[] {
  const ofHeaders = Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name.toLowerCase()));
  return [
    ['the body', typeof body === 'string' ? body : (JSON.stringify(body) ?? '')],
    ...(path === undefined ? [] : ([['the URL', path]] as const)),
    ...ofHeaders.map(([name, text]) => [`the header \`${name.toLowerCase()}\``, String(text)] as const),
  ];
}
