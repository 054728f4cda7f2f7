/*
 * Looking for protected values where they do not belong. What is searched is text, so that it does not matter how
 * a value came there.
 */

/** So long is what is looked for within other texts: shorter ones occur by chance. */
export const LONG = 6;
/** So long is what is looked for as a whole text at least: the code of a currency has less. */
const SHORT = 4;
/** What validation errors speak of. */
const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object'];
/** What members are called by those who design an API, most of the time. */
const WORD = /^[A-Za-z_-]+$/;
/** What the values of an enumeration are called: `iban`, `SEPA`, `true`. */
const ENUMERATED = /^(?:[a-z_-]+|[A-Z_-]+)$/;
/** Of a text of such characters, one more beside it makes another number, or another word. */
const CONTINUED: readonly (readonly [text: RegExp, continues: (character: number) => boolean])[] = [
  [/^\d+(?:\.\d+)?$/, (character) => character >= 48 && character <= 57],
  [/^[A-Za-z]+$/, (character) => (character | 32) >= 97 && (character | 32) <= 122],
];
const utf8 = new TextDecoder();
const HTML: Readonly<Record<string, string>> = { quot: '"', amp: '&', apos: "'", lt: '<', gt: '>' };
/** How a text is read in HTML, in a URL or a form, and within JSON text: each leaves alone what it cannot read. */
const READERS: readonly ((text: string) => string)[] = [
  (text) => text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(quot|amp|apos|lt|gt));/g, htmlCharacter),
  (text) => text.replaceAll('+', ' ').replace(/(?:%[\da-fA-F]{2})+/g, percentDecoded),
  (text) =>
    text.replace(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/g, (sequence) => String(JSON.parse(`"${sequence}"`))),
];

/** Whether a text is looked for within others. */
export function isLong(text: string): boolean {
  return text.length >= LONG && !JSON_TYPES.includes(text);
}

/** Whether a text is looked for where nothing else stands beside it. */
export function isShort(text: string): boolean {
  return text.length >= SHORT && text.length < LONG && !ENUMERATED.test(text);
}

/** Whether a text could be the name of a member as well: then it says nothing there. */
export function isWord(text: string): boolean {
  return WORD.test(text);
}

/** Whether a text has another in it, not as a part of a longer number or word. */
export function holds(text: string, secret: string): boolean {
  const { length } = secret; // where it is a part of something longer, it does not begin once more before that ends
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + length))
    if (standsAlone(text, secret, at)) return true;
  return false;
}

/** Whether a text that stands in another at `at` is no part of a longer number or word there. */
export function standsAlone(text: string, secret: string, at: number): boolean {
  const continues = CONTINUED.find(([form]) => form.test(secret))?.[1];
  return !continues?.(text.charCodeAt(at - 1)) && !continues?.(text.charCodeAt(at + secret.length));
}

/** A text as it is, and as whoever takes it for HTML, for a URL, or for JSON text reads it. Usually one. */
export function readings(text: string): readonly string[] {
  const read = (texts: readonly string[], reader: (text: string) => string): readonly string[] => [
    ...new Set([...texts, ...texts.map(reader)]),
  ];
  return [...new Set(READERS.reduce(read, [text]).map(composed))];
}

/** Every text and number of a JSON value, or its texts, and the names of members, composed. Needs no recursion. */
export function textsIn(
  value: unknown,
  { names, values = true }: { readonly names: boolean; readonly values?: boolean | 'texts' },
): string[] {
  const texts: string[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    const isNumber = typeof item === 'number' && values !== 'texts';
    if (values && (typeof item === 'string' || isNumber)) texts.push(composed(String(item)));
    if (typeof item !== 'object' || item === null) continue;
    const isNamed = names && !Array.isArray(item); // the places in an array are no names
    for (const [name, inner] of Object.entries(item)) {
      if (isNamed) texts.push(composed(name));
      pending.push(inner);
    }
  }
  return texts;
}

/** One spelling of what Unicode can write in two ways, and of what no UTF-8 can hold. */
function composed(text: string): string {
  return text.toWellFormed().normalize('NFC');
}

function htmlCharacter(reference: string, decimal?: string, hex?: string, name = ''): string {
  const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16);
  return HTML[name] ?? (code <= 0x10ffff ? String.fromCodePoint(code) : reference);
}

function percentDecoded(escapes: string): string {
  const bytes = escapes.split('%').slice(1);
  return utf8.decode(Uint8Array.from(bytes, (hex) => Number.parseInt(hex, 16)));
}
