import { E2eeError } from '../errors.js';
import type { FieldSlot } from '../fields/select.js';
import type { E2eeRequest, E2eeResponse } from './message.js';
import { isLong, isShort, isWord, LONG, readings, standsAlone, textsIn } from './secrets.js';

/**
 * Throws `leak_refused`. `sent` is a message as it goes out, its body empty where that is one token; `slots` are its
 * protected fields, or `$`; `body` is its body in plain.
 */
export type LeakGuard = (
  sent: Partial<Pick<E2eeRequest, 'path'>> & Pick<E2eeResponse, 'headers' | 'body'>,
  slots: readonly Omit<FieldSlot, 'setPlain' | 'setWire'>[],
  body: unknown,
) => void;

/**
 * For the option `leakGuard` of either end: refuses, with `leak_refused`, a message in which a protected value also stands in
 * the clear: in another member, the name of one, the URL, a header. Names the field and the place. Encodings of URLs, JSON and
 * HTML make no difference, nor does it in which of its forms Unicode writes a character.
 *
 * - Texts and numbers of six characters or more are looked for within any text, but not as a part of a longer number or word.
 * - Texts of four or five (`"1234"`, `Smith`) only as a whole: a value or a name of the body, a header, the value of a query
 *   parameter. Words in small or capital letters alone (`iban`, `SEPA`) are not, and neither is what is shorter.
 * - A plain word (letters, `_` and `-`) says nothing as the name of a member or of a parameter.
 * - JSON's types (`string`, …) say nothing at all. Headers for credentials, and those that platforms write (`Host`, `Origin`,
 *   `User-Agent`, `Accept`, …), are not looked into.
 * - A body that is protected as a whole (`$`) may hold its own address: the path of the URL, and `Location`, are left out.
 *
 * What would take too long to search is refused as well, and said to be that.
 *
 * @example
 * const client = createE2eeClient({ profile, encryptionKeys, leakGuard })
 */
export const leakGuard: LeakGuard = (sent, slots) => {
  const sought = new Sought(slots);
  const isWhole = slots.some(({ place }) => place === '$');
  for (const place of placesIn(sent, isWhole)) {
    const path = sought.findIn(place);
    if (path === undefined) continue;
    const message = `The value of field \`${path}\` also stands in the clear in ${place.name}`;
    throw new E2eeError('leak_refused', message, { path });
  }
};

/** So many characters of what begins like a value are compared at most. */
const MAX_WORK = 20_000_000;

/** Where a value may stand in the clear. */
interface Place {
  readonly name: string;
  readonly values: readonly string[];
  readonly names: readonly string[];
}

/** Credentials, and what the platform says of itself and of the connection. */
const LEFT_OUT =
  /^(?:authorization|cookie|host|origin|user-agent|connection|content-(?:type|length)|accept(?:-.*)?)$/i;
/** Where something is, which it may well say itself. */
const ADDRESSES = /^(?:content-)?location$/i;

function placesIn(
  { path = '', headers, body }: Parameters<LeakGuard>[0],
  isWhole: boolean,
): readonly Place[] {
  const ofHeaders = Object.entries(headers).filter(
    ([name]) => !LEFT_OUT.test(name) && !(isWhole && ADDRESSES.test(name)),
  );
  return [
    {
      name: 'the body',
      values: textsIn(body, { names: false }),
      names: textsIn(body, { names: true, values: false }),
    },
    { name: 'the URL', ...textsInUrl(isWhole ? path.replace(/^[^?#]*/, '') : path) },
    ...ofHeaders.map(([name, text]) => ({
      name: `the header \`${name.toLowerCase()}\``,
      values: readings(String(text)),
      names: [],
    })),
  ];
}

/** All of it stands among the names once more: what is no plain word need not stand where a value should. */
function textsInUrl(url: string): Omit<Place, 'name'> {
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)\??([^#]*)(.*)$/s.exec(url) ?? [];
  const parameters = [...new URLSearchParams(query).values()];
  return { values: [path, fragment, ...textsIn(parameters, { names: false })], names: [url] };
}

/** The values of fields, arranged so that a message is searched in one pass for all of them. */
class Sought {
  /** The path of the field that each is the value of. */
  readonly #paths = new Map<string, string>();
  readonly #short: ReadonlySet<string>;
  readonly #inValues: TextIndex;
  readonly #inNames: TextIndex;

  constructor(slots: Parameters<LeakGuard>[1]) {
    for (const { rule, plain } of slots)
      for (const text of textsIn(plain?.value, { names: false }))
        if (!this.#paths.has(text)) this.#paths.set(text, rule.path);
    const long = [...this.#paths.keys()].filter(isLong);
    const texts = slots.flatMap(({ plain }) => textsIn(plain?.value, { names: false, values: 'texts' }));
    this.#short = new Set(texts.filter(isShort));
    this.#inValues = new TextIndex(long);
    this.#inNames = new TextIndex(long.filter((text) => !isWord(text)));
  }

  /** The path of a field whose value stands there. */
  findIn({ values, names }: Place): string | undefined {
    const others = names.filter((name) => !isWord(name));
    const found =
      [...values, ...others].find((text) => this.#short.has(text)) ??
      this.#inValues.findIn(values) ??
      this.#inNames.findIn(others);
    return found === undefined ? undefined : this.#paths.get(found);
  }
}

/** Finds any of many texts in others, of which each is read once. */
class TextIndex {
  /** By how they begin, and then by how long they are. */
  readonly #texts = new Map<string, Map<number, Set<string>>>();
  /** Where a text may begin: a glance at three of its characters rules out most places. */
  readonly #begins = new Uint8Array(0x10000);

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const start = text.slice(0, LONG);
      const lengths = this.#texts.get(start) ?? new Map<number, Set<string>>();
      this.#texts.set(start, lengths.set(text.length, (lengths.get(text.length) ?? new Set()).add(text)));
      this.#begins[glance(text, 0)] = 1;
    }
  }

  findIn(texts: readonly string[]): string | undefined {
    if (this.#texts.size === 0) return undefined;
    for (const text of readings(texts.join('\n'))) {
      const found = this.#find(text);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #find(text: string): string | undefined {
    let work = 0;
    for (let at = 0; at + LONG <= text.length; at += 1) {
      if (this.#begins[glance(text, at)] === 0) continue;
      for (const [length, known] of this.#texts.get(text.slice(at, at + LONG)) ?? []) {
        work += length;
        if (work > MAX_WORK)
          throw new E2eeError('leak_refused', 'The message is too large to be searched for protected values');
        const found = text.slice(at, at + length);
        if (known.has(found) && standsAlone(text, found, at)) return found;
      }
    }
    return undefined;
  }
}

function glance(text: string, at: number): number {
  const later = (text.charCodeAt(at + 2) << 5) ^ (text.charCodeAt(at + LONG - 1) << 10);
  return (text.charCodeAt(at) ^ later) & 0xffff;
}
