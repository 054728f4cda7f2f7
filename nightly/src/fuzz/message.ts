import type { Random } from './random.js';
import { goodHeader, type Place, sealed } from './sealer.js';
import { secretText } from './secrets.js';
import { PROFILES, type ProfileName } from './setup.js';

/** A JSON body with tokens in it, or one token. */
export interface Message {
  readonly operation: string;
  readonly body: unknown;
  /** It is one token for the whole of it. */
  readonly whole: boolean;
}

/** Where a message goes, and for whom. */
export type Whereabouts = Omit<Place, 'path'> & { readonly profile: ProfileName };

/** Puts a value, which stands for a good token, at a field. */
export type Put = (place: Place, secret: string) => unknown;

/** The good token of a place, of a JSON value. Where texts go as they are, the quotes do not matter. */
export function goodToken(profile: ProfileName): Put {
  return (place, secret) => sealed(place, JSON.stringify(goodHeader(profile, place)), JSON.stringify(secret));
}

type Field = (path: string) => readonly [name: string, value: unknown];
type Build = (field: Field, random: Random) => unknown;

/** Bodies with fields, by operation; more of an operation are likelier. */
const BODIES: readonly (readonly [operation: string, build: Build])[] = [
  ['POST /v2/payment_sessions', (field) => Object.fromEntries([field('payee'), ['amount', 5]])],
  [
    'POST /v2/payment_sessions',
    (field) => Object.fromEntries([['note', 'x'], field('mandate_id'), field('payee')]),
  ],
  ['POST /v2/bank_accounts', (field) => Object.fromEntries([field('account_number')])],
  [
    'POST /v2/mandates',
    (field, random) => ({
      ...Object.fromEntries([field('source')]),
      actions: Array.from({ length: random.below(4) }, (_, i) =>
        Object.fromEntries([['n', i], field(`actions.${i}.source`)]),
      ),
    }),
  ],
];
const WHOLE = 'POST /v2/messages';

export const OPERATIONS: readonly string[] = [...BODIES.map(([operation]) => operation), WHOLE];

/** A message of an operation, all of whose protected values are what `put` makes of them. */
export function messageOf(
  operation: string,
  where: Omit<Whereabouts, 'operation'>,
  put: Put,
  random: Random,
): Message {
  const { profile, direction, request } = where;
  const place = (path: string): Place => ({ operation, direction, path, request });
  if (operation === WHOLE) return { operation, whole: true, body: put(place('$'), secretText(random)) };
  const prefix = PROFILES[profile].prefix[direction];
  const field: Field = (path) => [`${prefix}${path.split('.').at(-1)}`, put(place(path), secretText(random))];
  const [, build] = random.pick(BODIES.filter(([name]) => name === operation));
  return { operation, whole: false, body: build(field, random) };
}
