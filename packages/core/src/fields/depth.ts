/** Whether a JSON value is nested deeper than `limit` containers. Recursion goes no deeper than that. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) {
    for (const element of value) if (isDeeperThan(element, limit - 1)) return true;
    return false;
  }
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    if (isDeeperThan((value as Record<string, unknown>)[name], limit - 1)) return true;
  }
  return false;
}

/** The same of a JSON text in UTF-8. */
export function isJsonDeeperThan(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i += 1) {
    const character = json[i] as number;
    if (character === QUOTE) i = endOfString(json, i);
    else if (character >= BRACKET) {
      const folded = character | 0x20;
      if (folded === BRACE) depth += 1;
      else if (folded === BRACE + 2) depth -= 1;
      if (depth > limit) return true;
    }
  }
  return false;
}

function endOfString(json: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== QUOTE) i += json[i] === BACKSLASH ? 2 : 1;
  return i;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What ends an object or a list is two further on. A bracket differs from a brace in one bit. */
const BRACE = 0x7b;
const BRACKET = 0x5b;
