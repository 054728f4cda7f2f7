import { decodeUtf8 } from '#platform';
import { refuseToken } from './refusal.js';

/** Members of a protected header that mean the same in a JWE and a JWS (RFC 7516 §4.1, RFC 7515 §4.1). */
export interface HeaderMembers {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly cty?: string;
  readonly [member: string]: unknown;
}

/** Members of a JWE protected header (RFC 7516 §4.1) that this library reads. Others are authenticated and ignored. */
export interface ProtectedHeader extends HeaderMembers {
  readonly enc: string;
}

/**
 * Members that make a receiver fetch, trust or run what the sender names: compression bombs, foreign keys, extensions
 * that must be understood.
 */
const REFUSED_MEMBERS = ['zip', 'crit', 'jku', 'jwk', 'x5u', 'x5c'] as const;
const TEXT_MEMBERS = ['kid', 'typ', 'cty'] as const;

/** Parses the bytes of a protected header. Throws `token_invalid` for anything that is not plainly well-formed. */
export function parseProtectedHeader(bytes: Uint8Array): ProtectedHeader {
  const header = parseHeader(bytes);
  if (typeof header.enc !== 'string') refuseToken();
  return header as ProtectedHeader; // `enc` was checked just above
}

/** The same without `enc`, which a JWS does not have. */
export function parseHeader(bytes: Uint8Array): HeaderMembers {
  const header = parseObject(bytes);
  if (typeof header.alg !== 'string') refuseToken();
  for (const member of REFUSED_MEMBERS) if (Object.hasOwn(header, member)) refuseToken();
  for (const member of TEXT_MEMBERS) {
    if (Object.hasOwn(header, member) && typeof header[member] !== 'string') refuseToken();
  }
  return header as HeaderMembers; // alg and the text members were checked just above
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = decodeUtf8(bytes);
    value = JSON.parse(text);
  } catch {
    refuseToken();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuseToken();
  if (!isPlainlyUnique(text, value) && hasDuplicateMembers(text)) refuseToken();
  // A null prototype, so that no member is ever inherited.
  return Object.assign(Object.create(null), value);
}

/**
 * Whether a header is of the usual kind, without white space before colons: then every member, wherever it is, has a `":` of
 * its own, and there are no more of those than names only where no name comes twice.
 */
function isPlainlyUnique(text: string, value: object): boolean {
  return !/"\s+:/.test(text) && text.split('":').length - 1 === Object.keys(value).length;
}

/** RFC 7516 §4: member names must be unique. `JSON.parse` keeps the last one silently. `text` is valid JSON. */
function hasDuplicateMembers(text: string): boolean {
  const objects: Set<string>[] = [];
  for (const [token, follower] of jsonTokens(text)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (follower === ':') {
      const name: string = JSON.parse(token);
      const names = objects.at(-1);
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}

/** The braces and strings of a JSON text, each string with the colon that follows it, if one does. */
function* jsonTokens(text: string): Generator<[token: string, follower: string | undefined]> {
  for (const match of text.matchAll(/[{}]|("(?:[^"\\]|\\.)*")\s*(:)?/g)) {
    yield [match[1] ?? match[0], match[2]];
  }
}
