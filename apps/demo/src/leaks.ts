import type { CoveredField } from './covered-fields.js';
import type { ReceivedMessage } from './http-message.js';
import { tokensIn } from './tokens.js';

/** Shorter ones occur in anything. */
const LEAST_LENGTH = 4;
/** What looks random (an encrypted key, a ciphertext) holds shorter ones by chance. */
const LEAST_LENGTH_INSIDE_TOKENS = 8;

/** Headers of the protocol itself, which hold dates, lengths, ports, hashes and the like. All others are searched. */
const PROTOCOL_HEADERS = new Set(
  `accept accept-encoding accept-language authorization cache-control connection content-length content-type date etag
  host keep-alive origin sec-fetch-mode transfer-encoding user-agent vary`.split(/\s+/),
);
/** Members of a token's header that are not secret: two names of algorithms, the hash of a public key, types. */
const HEADER_MEMBERS = ['alg', 'enc', 'kid', 'cty', 'typ'];

export interface Search {
  readonly message: ReceivedMessage;
  readonly secrets: readonly Pick<CoveredField, 'path' | 'value'>[];
  /** What the first line should say: `POST /v2/mandates HTTP/1.1`. */
  readonly startLine: string;
  /** The body without its secrets. What it holds may be seen, as often as it is there. */
  readonly visible: unknown;
}

/** The paths of the covered fields of which a text or a number can be read in the bytes of a message. */
export function leakedPaths({ message, secrets, startLine, visible }: Search): string[] {
  const text = message.body.toString('utf8');
  const tokens = tokensIn(text);
  const outside = [message.startLine, ...unusualHeaders(message), withoutAll(text, tokens)].join('\n');
  const expected = `${startLine}\n${JSON.stringify(visible)}`;
  const inside = tokens
    .map((token) => [token.text, ...token.parts, otherMembers(token.header)].join('\n'))
    .join('\n');
  const isLeaked = (scalar: string): boolean =>
    spellings(scalar).some((spelling) => {
      if (occurrences(outside, spelling) > occurrences(expected, spelling)) return true;
      return scalar.length >= LEAST_LENGTH_INSIDE_TOKENS && inside.includes(spelling);
    });
  return [...new Set(secrets.filter(({ value }) => scalarsOf(value).some(isLeaked)).map(({ path }) => path))];
}

/** The texts, and the numbers as text, in a value. */
function scalarsOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(scalarsOf);
  if (typeof value !== 'string' && typeof value !== 'number') return [];
  const text = String(value);
  return text.length >= LEAST_LENGTH ? [text] : [];
}

/** How a text may be written on the wire: as it is, in JSON, in ASCII-only JSON, in a URL. */
function spellings(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const url = encodeURIComponent(text.toWellFormed());
  return [...new Set([text, json, ascii, url])];
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

function withoutAll(text: string, tokens: readonly { readonly text: string }[]): string {
  return tokens.reduce((rest, token) => rest.replace(token.text, ''), text);
}

function unusualHeaders({ headers }: ReceivedMessage): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    PROTOCOL_HEADERS.has(name) ? [] : `${name}: ${value}`,
  );
}

function otherMembers(header: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(header).filter(([name]) => !HEADER_MEMBERS.includes(name)));
}
