/**
 * Replaces every scalar of a JSON value by `mask`. Objects and arrays keep their shape, and null stays null.
 * The value must be known not to be nested too deep.
 */
export function redact(value: unknown, mask: string): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => redact(item, mask));
  if (typeof value !== 'object') return mask;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redact(item, mask)]));
}

/** Whether a value shows nothing but masks. */
export function isRedacted(value: unknown, mask: string): boolean {
  if (value === null || value === mask) return true;
  return typeof value === 'object' && Object.values(value as object).every((item) => isRedacted(item, mask));
}
