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
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const character = json[i] as number;
    if (inString) {
      if (character === BACKSLASH) i += 1;
      else if (character === QUOTE) inString = false;
    } else if (character === QUOTE) inString = true;
    else if (character === BRACE || character === BRACKET) {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === BRACE + 2 || character === BRACKET + 2) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What ends an object or a list is two further on. */
const BRACE = 0x7b;
const BRACKET = 0x5b;
