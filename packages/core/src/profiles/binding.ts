import { invalidOption } from '../errors.js';

/**
 * What a token can say of where it belongs: the operation and the direction, the field path (with the index of an
 * element), when it was issued and expires, an id of its own, whom it is for; that of a response also, which request it
 * answers.
 */
export type BindingClaim =
  | 'operation'
  | 'direction'
  | 'path'
  | 'issued'
  | 'expires'
  | 'id'
  | 'audience'
  | 'request';

/**
 * What tokens say of their place and time in their protected header, which is authenticated. Peers that do not know these
 * members ignore them (RFC 7516 §4). A profile derives its own from {@link boundTokens} by spreading it.
 */
export interface Binding {
  /** What a sender adds. */
  readonly add: readonly BindingClaim[];
  /** What a receiver requires, and checks. */
  readonly require: readonly BindingClaim[];
  /** Under which names they go. */
  readonly names: Readonly<Record<BindingClaim, string>>;
  /** Of times in the header, since the epoch: seconds or milliseconds. */
  readonly unit: 's' | 'ms';
  /** How long a token is good for, in seconds. */
  readonly lifetime: number;
  /** How far the clocks of both ends may differ, in seconds. */
  readonly tolerance: number;
  /** Whom tokens are for, where that is added or required. */
  readonly audience?: string;
}

const EVERYTHING: readonly BindingClaim[] = [
  'operation',
  'direction',
  'path',
  'issued',
  'expires',
  'id',
  'request',
];

/** Everything but the audience, for five minutes, with clocks that differ by a minute at the most. */
export const boundTokens: Binding = Object.freeze({
  add: EVERYTHING,
  require: EVERYTHING,
  names: Object.freeze({
    operation: 'op',
    direction: 'dir',
    path: 'path',
    issued: 'iat',
    expires: 'exp',
    id: 'jti',
    audience: 'aud',
    request: 'req',
  }),
  unit: 's',
  lifetime: 300,
  tolerance: 60,
});

/** What a header holds anyway. */
const TAKEN = 'alg enc zip kid typ cty crit jku jwk x5u x5c x5t x5t#S256 epk apu apv iv tag p2s p2c'.split(
  ' ',
);

/** Throws `option_invalid` naming the member that is wrong. */
export function checkBinding(binding: Binding): void {
  const { add, require, names, unit, lifetime, tolerance, audience } = Object(binding) as Binding;
  const known = Object.keys(boundTokens.names);
  for (const [member, list] of Object.entries({ add, require })) {
    const isList = Array.isArray(list) && list.every((claim) => known.includes(claim));
    if (!isList) invalidOption(`profile.binding.${member}`, `a list of ${known.join(', ')}`, list);
    if (list.includes('audience') && (typeof audience !== 'string' || audience === ''))
      invalidOption('profile.binding.audience', 'the name of whom tokens are for', audience);
  }
  const given = Object.values(Object(names)).filter(
    (name) => typeof name === 'string' && !TAKEN.includes(name),
  );
  if (new Set(given).size !== known.length || !known.every((claim) => Object.hasOwn(names, claim)))
    invalidOption('profile.binding.names', 'a different name for each, none that a JWE has already', names);
  if (unit !== 's' && unit !== 'ms') invalidOption('profile.binding.unit', '"s" or "ms"', unit);
  for (const [member, value] of Object.entries({ lifetime, tolerance })) {
    if (!(Number.isFinite(value) && value >= 0))
      invalidOption(`profile.binding.${member}`, 'a number of seconds', value);
  }
}
