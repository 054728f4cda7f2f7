import { encodeBase64url } from '../jwe/base64url.js';
import type { ProtectedHeader } from '../jwe/protected-header.js';
import { refuseToken } from '../jwe/refusal.js';
import type { Binding, BindingClaim } from '../profiles/binding.js';

/** Which exchange a token belongs to. */
export interface Whereabouts {
  /** As the policy writes it. */
  readonly operation: string;
  readonly direction: 'request' | 'response';
  /** Of a response: what {@link digestOf} gives for the tokens of its request, if it had any. */
  readonly request?: string | undefined;
}

/** Where in it a token belongs: its field path, with the index of an element; `$` for the whole body. */
type Place = Whereabouts & { readonly path: string };

/** What the header of a token says of where it belongs, and from when to when it is good. */
export function claimsOf(
  binding: Binding | undefined,
  place: Place,
): Readonly<Record<string, string | number>> {
  if (!binding) return {};
  const claims = binding.add.flatMap((claim): [string, string | number][] => {
    const value = claimed(claim, binding, place);
    return value === undefined ? [] : [[nameOf(claim, binding), value]];
  });
  return Object.fromEntries(claims);
}

/** Throws `token_invalid` unless a token says that it belongs there, and now. */
export function checkClaims(binding: Binding | undefined, header: ProtectedHeader, place: Place): void {
  const isFine = binding?.require.every((claim) => {
    const said = header[nameOf(claim, binding)];
    return CHECKS[claim]?.(said, binding) ?? said === claimed(claim, binding, place);
  });
  if (isFine === false) refuseToken();
}

/** Binds a response to the tokens of its request. Nothing where it had none. */
export async function digestOf(tokens: readonly unknown[]): Promise<string | undefined> {
  if (tokens.length === 0) return undefined;
  const bytes = new TextEncoder().encode([...tokens].sort().join('\n')); // whoever is between may sort members
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** What the sender says; nothing where there is nothing to say. */
function claimed(claim: BindingClaim, binding: Binding, place: Place): string | number | undefined {
  const { lifetime, unit, audience } = binding;
  const now = Math.floor(Date.now() / 1000);
  const perSecond = unit === 'ms' ? 1000 : 1;
  switch (claim) {
    case 'operation':
      return place.operation;
    case 'path':
      return place.path;
    case 'direction':
      return place.direction;
    case 'request':
      return place.request;
    case 'audience':
      return audience;
    case 'issued':
      return now * perSecond;
    case 'expires':
      return (now + lifetime) * perSecond;
    case 'id':
      return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
  }
}

/** What is not the same at both ends. */
const CHECKS: Readonly<Partial<Record<BindingClaim, (said: unknown, binding: Binding) => boolean>>> = {
  issued: (said, { lifetime, ...binding }) => isWithin(said, { from: -lifetime, to: 0 }, binding),
  expires: (said, { lifetime, ...binding }) => isWithin(said, { from: 0, to: lifetime }, binding),
  id: (said) => typeof said === 'string' && said !== '',
};

/** Whether a time is so many seconds from now, give or take the tolerance. */
function isWithin(
  said: unknown,
  { from, to }: { from: number; to: number },
  { unit, tolerance }: Pick<Binding, 'unit' | 'tolerance'>,
): boolean {
  if (typeof said !== 'number') return false;
  const distance = said / (unit === 'ms' ? 1000 : 1) - Date.now() / 1000;
  return distance >= from - tolerance && distance <= to + tolerance;
}

function nameOf(claim: BindingClaim, { names }: Binding): string {
  return names[claim];
}
