/** How long an answer is fresh, in milliseconds, whatever its publisher says. */
export const LIFETIME = { min: 60_000, default: 600_000, max: 86_400_000 } as const;

/** How many milliseconds an answer may be kept: `max-age` less `Age` (RFC 9111 §4.2), within {@link LIFETIME}. */
export function lifetimeOf(headers: Headers): number {
  const control = headers.get('cache-control') ?? '';
  if (/\bno-(?:store|cache)\b/i.test(control)) return LIFETIME.min;
  const maxAge = /(?:^|[\s,])max-age="?(\d+)\b/i.exec(control)?.[1];
  if (maxAge === undefined) return LIFETIME.default;
  // Of several ages the first counts; what is no whole number counts as none (RFC 9111 §5.1).
  const age = /^\d+(?=\s*(?:,|$))/.exec(headers.get('age') ?? '')?.[0] ?? '0';
  const lifetime = (seconds(maxAge) - seconds(age)) * 1000;
  return Math.min(Math.max(lifetime, LIFETIME.min), LIFETIME.max);
}

/** RFC 9111 §1.2.2: a number too large to be represented counts as 2^31. */
function seconds(digits: string): number {
  return Math.min(Number(digits), 2 ** 31);
}
