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

/** Whether a value shows nothing but masks. Needs no recursion: the value may come from anybody, in any depth. */
export function isRedacted(value: unknown, mask: string): boolean {
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (item === null || item === mask) continue;
    if (typeof item !== 'object') return false;
    for (const inner of Object.values(item)) pending.push(inner);
  }
  return true;
}
