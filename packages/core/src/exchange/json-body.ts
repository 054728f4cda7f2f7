import { E2eeError } from '../errors.js';
import { headerOf, mediaType } from './message.js';

/** Readable only once, or not JSON at all: reading these as objects would show members that mean nothing. */
const UNREADABLE: readonly (readonly [description: string, test: (body: object) => boolean])[] = [
  ['bytes', (body) => body instanceof ArrayBuffer || ArrayBuffer.isView(body)],
  [
    'a stream that no parser has read',
    (body) => hasMethod(body, 'pipe') || hasMethod(body, 'getReader') || Symbol.asyncIterator in body,
  ],
  // By their tags: in Node, naming these classes would load all of `fetch`.
  ['a form', (body) => /^\[object (?:FormData|URLSearchParams)\]$/.test(tagOf(body))],
  ['a blob', (body) => /^\[object (?:Blob|File)\]$/.test(tagOf(body))],
];

/** Whether there is no body: `undefined`, or a text of no length. */
export function isAbsent(body: unknown): body is undefined {
  return body === undefined || body === '';
}

/** The JSON value of a body that was parsed already, or is still a text. Throws `body_unreadable`. */
export function parsedJson(body: unknown): unknown {
  if (typeof body === 'string') return parseText(body);
  if (typeof body === 'object' && body !== null) {
    const found = UNREADABLE.find(([, test]) => probe(body, test));
    if (found) unreadable(`it is ${found[0]}`);
  }
  return body;
}

/** The JSON value that a body becomes when it is serialised: `toJSON` applied, nothing shared. Throws `body_unreadable`. */
export function serialisedJson(body: unknown): unknown {
  return JSON.parse(jsonText(body));
}

/** The JSON text of a body. One that is a text already stays as it is. Throws `body_unreadable`. */
export function jsonText(body: unknown): string {
  const value = parsedJson(body);
  if (typeof body === 'string') return body;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    unreadable('it has no JSON form'); // without the cause: what a getter or toJSON throws may hold anything
  }
  return text ?? unreadable('it has no JSON form');
}

/** Throws `media_type_unsupported` unless the headers announce JSON in UTF-8, or nothing. */
export function requireJsonType(headers: Readonly<Record<string, string>>): void {
  const type = mediaType(headers);
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headerOf(headers, 'content-type') ?? '')?.[1];
  const isJson =
    type === undefined || type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
  if (isJson && (charset === undefined || /^(?:utf-8|us-ascii)$/i.test(charset))) return;
  throw new E2eeError('media_type_unsupported', 'The body of this operation must be JSON in UTF-8');
}

/** The JSON value of a body, where it has one. */
export function readableJson(body: unknown): { value: unknown } | undefined {
  try {
    return { value: parsedJson(body) };
  } catch {
    return undefined;
  }
}

/** A body whose members throw when they are looked at has no JSON form either; what they throw may hold anything. */
function probe(body: object, test: (body: object) => boolean): boolean {
  try {
    return test(body);
  } catch {
    return unreadable('it has no JSON form');
  }
}

function tagOf(body: object): string {
  return Object.prototype.toString.call(body);
}

/** A member of that name alone may just as well come from a JSON document. */
function hasMethod(body: object, name: string): boolean {
  return typeof Reflect.get(body, name) === 'function';
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return unreadable('it is not JSON'); // without the cause, which quotes the body
  }
}

function unreadable(why: string): never {
  throw new E2eeError('body_unreadable', `The body cannot be read as JSON: ${why}`);
}
