/** Shorter texts occur in tokens by chance. */
const SHORTEST = 6;

interface Spelling {
  readonly name: string;
  /** The text in which it is looked for. */
  readonly read: (text: string) => string;
  readonly spell: (canary: string) => readonly string[];
}

const SPELLINGS: readonly Spelling[] = [
  { name: 'as it is', read: (text) => text, spell: (canary) => [canary] },
  { name: 'as JSON text', read: unescaped, spell: (canary) => [canary.replaceAll('\\', '')] },
  { name: 'percent-encoded', read: percentDecoded, spell: (canary) => [canary] },
  { name: 'as HTML', read: (text) => text, spell: (canary) => [htmlOf(canary)] },
  { name: 'as hex', read: (text) => text.toLowerCase(), spell: (canary) => [hexOf(utf8(canary))] },
  {
    name: 'as base64',
    read: (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
    spell: base64Cores,
  },
];

/**
 * Looks for texts that must not be there: in all strings, numbers, bytes, names of members and headers of a value, also
 * JSON-escaped, percent-encoded, in HTML, hex and base64, wherever in them. Says where the first one is, and how it is
 * written; nothing when there is none. The sentence holds no canary.
 *
 * Throws a `TypeError` for a value that is absent and without canaries, which proves nothing, and for canaries of less
 * than six characters, which occur by chance.
 *
 * @example
 * assert.equal(plaintextIn(provider.lastCall.wire, 'John Doe', '12345678'), undefined)
 */
export function plaintextIn(value: unknown, ...canaries: readonly (string | number)[]): string | undefined {
  if (value === undefined || value === null) throw new TypeError('There is nothing to look for plaintext in');
  if (canaries.length === 0) throw new TypeError('Which plaintext must not be there?');
  const texts = canaries.map(String);
  if (texts.some(({ length }) => length < SHORTEST))
    throw new TypeError(`A canary needs ${SHORTEST} characters or more: shorter ones occur by chance`);
  for (const [place, text] of textsOf(value)) {
    for (const { name, read, spell } of SPELLINGS) {
      const found = texts.findIndex((canary) => spell(canary).some((spelt) => read(text).includes(spelt)));
      if (found >= 0) return `canary ${found + 1} stands ${name} at ${place}`;
    }
  }
  return undefined;
}

/** Every text of a value and where it is; names of members count too. Goes round cycles. */
function* textsOf(value: unknown, place = '$', seen = new Set<object>()): Generator<[string, string]> {
  if (value instanceof Uint8Array) yield [place, new TextDecoder().decode(value)];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    yield [place, String(value)];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || seen.has(value)) return;
  seen.add(value);
  for (const [name, item] of membersOf(value)) {
    yield [`a name in ${place}`, String(name)];
    yield* textsOf(item, `${place}.${String(name)}`, seen);
  }
}

/** Of plain objects and arrays, `Headers`, `URLSearchParams` and maps, and errors, whose members are not enumerable. */
function membersOf(value: object): Iterable<readonly [name: unknown, item: unknown]> {
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams)
    return value.entries();
  if (value instanceof Set) return [...value].entries();
  const { message, stack, cause } = value instanceof Error ? value : {};
  return Object.entries(value instanceof Error ? { ...value, message, stack, cause } : value);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** However often it was made JSON text of. */
function unescaped(text: string): string {
  return text
    .replace(/\\+u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll('\\', '');
}

function percentDecoded(text: string): string {
  return text.replaceAll('+', ' ').replace(/(?:%[\da-f]{2})+/gi, (bytes) => {
    const codes = bytes.slice(1).split('%');
    return new TextDecoder().decode(Uint8Array.from(codes, (code) => Number.parseInt(code, 16)));
  });
}

function htmlOf(text: string): string {
  return text.replace(/["&'<>]/g, (letter) => `&${HTML[letter]};`);
}

const HTML: Readonly<Record<string, string>> = { '"': 'quot', '&': 'amp', "'": '#39', '<': 'lt', '>': 'gt' };

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What bytes look like in base64 whatever stands before and behind them: 6 bits a letter, so three alignments. */
function base64Cores(canary: string): readonly string[] {
  const bytes = String.fromCharCode(...utf8(canary));
  return [0, 1, 2].map((before) => {
    const text = btoa('\0'.repeat(before) + bytes);
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}
