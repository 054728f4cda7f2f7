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

/** The same of a JSON text. */
export function isTextDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i += 1) {
    const character = json.charCodeAt(i);
    if (character === QUOTE) i = endOfString(json, i);
    else if (character === BRACE || character === BRACKET) {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === BRACE + 2 || character === BRACKET + 2) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, BRACE, BRACKET] = ['"', '\\', '{', '['].map((character) =>
  character.charCodeAt(0),
) as [number, number, number, number];

/** Where the string that begins at `start` ends. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let first = end;
    while (json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((end - first) % 2 === 0) return end; // an escaped quote has an odd number of backslashes before it
  }
  return json.length;
}
