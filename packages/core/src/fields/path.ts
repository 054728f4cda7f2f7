/** One step into a JSON value: a named member, each member (`*`), or each array element (`#`). */
export type PathSegment =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'element' };

/** Where values sit in a JSON body. Empty for the whole body (`$`). */
export type FieldPath = readonly PathSegment[];

const WILDCARDS: ReadonlyMap<string, PathSegment> = new Map([
  ['*', { kind: 'any' }],
  ['#', { kind: 'element' }],
]);

/**
 * Parses a field path: `payee`, `payee.account_number`, `actions.#.source`, `meta.*`, `$`. A backslash makes the next
 * character literal, so `a\.b` is one member and `\#` a member named `#`.
 *
 * Throws an `Error` whose message says what is wrong; total on every string.
 */
export function parseFieldPath(text: string): FieldPath {
  if (text === '$') return [];
  return splitSegments(text).map(({ raw, name }) => {
    if (name === '') throw new Error('a segment is empty');
    if (raw === '$') throw new Error('`$` stands for the whole body and must stand alone');
    return WILDCARDS.get(raw) ?? { kind: 'member', name };
  });
}

/** Splits at dots that are not escaped. `raw` is a segment as written, `name` with its escapes resolved. */
function splitSegments(text: string): { raw: string; name: string }[] {
  const segments = [{ raw: '', name: '' }];
  for (let i = 0; i < text.length; i += 1) {
    const current = segments.at(-1) as { raw: string; name: string }; // there is always one
    const character = text[i] as string;
    if (character === '.') {
      segments.push({ raw: '', name: '' });
      continue;
    }
    if (character === '\\') i += 1;
    const literal = text[i];
    if (literal === undefined) throw new Error('it ends in the middle of an escape');
    current.raw += character === '\\' ? `\\${literal}` : literal;
    current.name += literal;
  }
  return segments;
}
