import { randomBytes } from '#platform';
import { E2eeError, invalidOption } from '../errors.js';
import { encodeBase64url } from '../jwe/base64url.js';
import { HEADER_MEMBERS } from '../jwe/encrypt.js';

/**
 * What a token can say of where it belongs: the operation and the direction, the field path (with the index of an
 * element), when it was issued and expires, an id of its own, whom it is for; that of a response also, which request it
 * answers. A signature in it also says to which key it was encrypted (`recipient`): whoever opens it could otherwise encrypt
 * what was signed to somebody else (RFC 7519 §11.2).
 */
export type BindingClaim =
  | 'operation'
  | 'direction'
  | 'path'
  | 'issued'
  | 'expires'
  | 'id'
  | 'audience'
  | 'request'
  | 'recipient';

export interface BindingOptions {
  /** What a sender adds. Default: everything; the audience where it is given. */
  readonly add?: readonly BindingClaim[];
  /** What a receiver requires, and checks. Default: the same. */
  readonly require?: readonly BindingClaim[];
  /** Under which names they go. Default `op`, `dir`, `path`, `iat`, `exp`, `jti`, `aud`, `req` and `jkt`. */
  readonly names?: Readonly<Partial<Record<BindingClaim, string>>>;
  /** Of times in the header, since the epoch: seconds (default) or milliseconds. */
  readonly unit?: 's' | 'ms';
  /** How long a token is good for, in seconds. Default 300. */
  readonly lifetime?: number;
  /** How far the clocks of both ends may differ, in seconds. Default 60. */
  readonly tolerance?: number;
  /** Whom tokens are for, such as the URL of the API. */
  readonly audience?: string;
}

/** Where a token belongs. */
export interface TokenPlace {
  /** As the policy writes it. */
  readonly operation: string;
  readonly direction: 'request' | 'response';
  /** Its field path, with the index of an element; `$` for the whole body. */
  readonly path: string;
  /** Of a response: a digest of the tokens of its request, if that had any. */
  readonly request?: string | undefined;
  /** Of what is signed: the thumbprint (RFC 7638) of the public key that it is encrypted to, if it is to one. */
  readonly recipient?: string | undefined;
}

/** How the tokens of a profile are bound to their place and time. Made by {@link bindTokens}. */
export interface TokenBinding {
  readonly require: readonly BindingClaim[];
  readonly lifetime: number;
  readonly tolerance: number;
  /** What the header of a token says that is made for this place, now. */
  claims(place: TokenPlace): Readonly<Record<string, string | number>>;
  /** The first claim of a header that is not what it must be for a token that belongs there, and now. */
  misfit(header: Readonly<Record<string, unknown>>, place: TokenPlace): BindingClaim | undefined;
}

const NAMES: Readonly<Record<BindingClaim, string>> = {
  operation: 'op',
  direction: 'dir',
  path: 'path',
  issued: 'iat',
  expires: 'exp',
  id: 'jti',
  audience: 'aud',
  request: 'req',
  recipient: 'jkt',
};

/**
 * Binds tokens to their place and time, for the `binding` of a profile: they say in their protected header, which is
 * authenticated, where they belong. Peers that do not know these members ignore them (RFC 7516 §4). Throws
 * `option_invalid`.
 *
 * @example
 * const profile = { ...banked, binding: bindTokens({ audience: 'https://api.example.com' }) }
 */
export function bindTokens(options: BindingOptions = {}): TokenBinding {
  const { audience, unit = 's', lifetime = 300, tolerance = 60 } = options;
  const everything = (Object.keys(NAMES) as BindingClaim[]).filter(
    (claim) => claim !== 'audience' || audience !== undefined,
  );
  const { add = everything, require = add } = options;
  const names = checkNames({ ...NAMES, ...options.names });
  checkClaims('add', add, audience);
  checkClaims('require', require, audience);
  if (audience !== undefined && !add.includes('audience'))
    throw new E2eeError('option_invalid', 'Option `add` leaves out the `audience` that is given');
  if (unit !== 's' && unit !== 'ms') invalidOption('unit', '"s" or "ms"', unit);
  checkSeconds('lifetime', lifetime);
  checkSeconds('tolerance', tolerance);

  const perSecond = unit === 'ms' ? 1000 : 1;
  const now = (): number => Math.floor(Date.now() / 1000);
  const values: Readonly<Record<BindingClaim, (place: TokenPlace) => string | number | undefined>> = {
    operation: (place) => place.operation,
    direction: (place) => place.direction,
    path: (place) => place.path,
    request: (place) => place.request,
    recipient: (place) => place.recipient,
    audience: () => audience,
    issued: () => now() * perSecond,
    expires: () => (now() + lifetime) * perSecond,
    id: () => encodeBase64url(randomBytes(16)),
  };
  /** Whether a time is so many seconds from now, give or take the tolerance. */
  const isWithin = (said: unknown, from: number, to: number): boolean => {
    if (typeof said !== 'number') return false;
    const distance = said / perSecond - Date.now() / 1000;
    return distance >= from - tolerance && distance <= to + tolerance;
  };
  /** What is not the same at both ends. */
  const checks: Readonly<Partial<Record<BindingClaim, (said: unknown) => boolean>>> = {
    issued: (said) => isWithin(said, -lifetime, 0),
    expires: (said) => isWithin(said, 0, lifetime),
    id: (said) => typeof said === 'string' && said !== '',
  };
  return Object.freeze({
    require: Object.freeze([...require]),
    lifetime,
    tolerance,
    claims: (place: TokenPlace) => {
      const said = add.map((claim) => [names[claim], values[claim](place)] as const);
      return Object.fromEntries(said.filter(([, value]) => value !== undefined)) as Record<
        string,
        string | number
      >;
    },
    misfit: (header: Readonly<Record<string, unknown>>, place: TokenPlace) =>
      require.find((claim) => {
        const said = header[names[claim]];
        return !(checks[claim]?.(said) ?? said === values[claim](place));
      }),
  });
}

function checkClaims(option: string, claims: readonly BindingClaim[], audience: unknown): void {
  const known = Object.keys(NAMES);
  const list = `a list of ${known.join(', ')}`;
  if (!Array.isArray(claims)) invalidOption(option, list, claims);
  const strange = claims.find((claim) => !known.includes(claim));
  if (strange !== undefined)
    throw new E2eeError('option_invalid', `Option \`${option}\` must be ${list}; it has another member`);
  if (claims.includes('audience') && (typeof audience !== 'string' || audience === ''))
    invalidOption('audience', 'the name of whom tokens are for', audience);
}

function checkNames(names: Readonly<Record<BindingClaim, string>>): Readonly<Record<BindingClaim, string>> {
  const given = Object.values(names).filter(
    (name) => typeof name === 'string' && name !== '' && !HEADER_MEMBERS.includes(name),
  );
  if (new Set(given).size === Object.keys(NAMES).length && Object.keys(names).length === given.length)
    return names;
  return invalidOption('names', 'a different name for each claim, none that a JWE has already', names);
}

function checkSeconds(option: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) invalidOption(option, 'a number of seconds', value);
}
