import { textsOf } from './texts.js';

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
  { name: 'as JSON text', read: unescaped, spell: jsonCores },
  { name: 'percent-encoded', read: percentDecoded, spell: (canary) => [canary.replaceAll('+', ' ')] },
  { name: 'as HTML', read: htmlDecoded, spell: (canary) => [canary] },
  { name: 'as hex', read: (text) => text.toLowerCase(), spell: (canary) => [hexOf(utf8(canary))] },
  {
    name: 'as base64',
    read: (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
    spell: base64Cores,
  },
];

/**
 * Looks for texts that must not be there: in all strings, numbers, bytes (as UTF-8), names of members and headers of a
 * value, also JSON-escaped, percent-encoded, in HTML, hex and base64, wherever in them. Says where the first one is, and
 * how it is written; nothing when there is none. The sentence holds no canary.
 *
 * Throws a `TypeError` where a search would prove nothing: for a value that is absent, a function, or nested beyond 1000
 * levels; for a promise, `Response`, `Request`, blob, stream or iterator, also within the value: await it, or read it first.
 * And without canaries, and for canaries of less than six characters, which occur by chance.
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

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** However often it was made JSON text of. */
function unescaped(text: string): string {
  return text
    .replace(/\\+u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll('\\', '');
}

/** What is left of a text in JSON without the backslashes: of a line break, an `n`, unless it was written as a number. */
function jsonCores(canary: string): readonly string[] {
  const text = canary.replaceAll('\\', '');
  return [text, text.replace(/[\b\f\n\r\t]/g, (letter) => JSON.stringify(letter).slice(2, -1))];
}

/** A plus sign may stand for a space, or for itself: it becomes a space either way. */
function percentDecoded(text: string): string {
  const decoded = text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => {
    const codes = bytes.slice(1).split('%');
    return new TextDecoder().decode(Uint8Array.from(codes, (code) => Number.parseInt(code, 16)));
  });
  return decoded.replaceAll('+', ' ');
}

const HTML: Readonly<Record<string, string>> = { quot: '"', amp: '&', apos: "'", lt: '<', gt: '>' };

function htmlDecoded(text: string): string {
  return text.replace(/&(?:#(x?)([\da-f]{1,6})|(\w+));/gi, (all, hex: string, code: string, name: string) => {
    if (name) return HTML[name] ?? all;
    const point = Number.parseInt(code, hex ? 16 : 10);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

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
