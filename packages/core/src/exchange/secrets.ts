/*
 * Looking for protected values where they do not belong. What is searched is text, so that it does not matter how
 * a value came there.
 */

/** Shorter texts, such as a currency, occur by chance. */
const SHORTEST = 6;
/** So many comparisons of a character are made at most: with more to look for, the text counts as one that holds them. */
const MAX_WORK = 20_000_000;
/** What validation errors speak of. */
const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object'] as const;
const HTML: Readonly<Record<string, string>> = {
  '"': '&quot;',
  '&': '&amp;',
  "'": '&#39;',
  '<': '&lt;',
  '>': '&gt;',
};

/** Every text of these values that is worth looking for, in each spelling. What is called like a member says nothing. */
export function secretsOf(values: readonly unknown[], body: unknown): readonly string[] {
  const names = new Set([...JSON_TYPES, ...textsIn(body, { names: true, values: false })]);
  const texts = values.flatMap((value) => textsIn(value, { names: false }));
  const secrets = texts.filter((text) => text.length >= SHORTEST && !names.has(text));
  return [...new Set(secrets.flatMap(spellings))];
}

/** Whether a text holds one of them, or more is to be looked for than can be. */
export function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.length * text.length > MAX_WORK || secrets.some((secret) => text.includes(secret));
}

/** A text as it is, as in JSON text, in a URL, and as Express' own error page writes it. */
function spellings(text: string): readonly string[] {
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text.toWellFormed()),
    text.replace(/["&'<>]/g, (char) => HTML[char] as string),
  ];
}

/** Every text and number of a JSON value, and the names of members. Needs no recursion. */
export function textsIn(
  value: unknown,
  { names, values = true }: { readonly names: boolean; readonly values?: boolean },
): string[] {
  const texts: string[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (values && (typeof item === 'string' || typeof item === 'number')) texts.push(String(item));
    if (typeof item !== 'object' || item === null) continue;
    for (const [name, inner] of Object.entries(item)) {
      if (names) texts.push(name);
      pending.push(inner);
    }
  }
  return texts;
}
