import { type Answer, CANARY, type OddValue } from '../answers.js';
import {
  type Base,
  get,
  MASK,
  type Outcome,
  once,
  opensAs,
  protectedOrWithheld,
  type ServerCase,
  WITHHELD,
} from '../case.js';
import { STANDARD, wayPath } from './standard.js';

const PLAIN = { id: 1, payee: CANARY };
const TEXT = JSON.stringify(PLAIN);
const MASKED = { id: 1, payee: MASK };
const JSON_TYPE = { 'content-type': 'application/json' };

const PROTECTED: Outcome = { status: 200, json: MASKED };
const EITHER = protectedOrWithheld(MASKED);
/** Many chunks, each with something to hide. */
const CHUNKS = Array.from({ length: 100 }, (_, i) => `${i}:${CANARY}`.repeat(20));

/** Ways out, and what the client gets where the policy redacts `payee`. */
const WAYS: Readonly<Record<string, readonly [answer: Answer, outcome: Outcome | readonly Outcome[]]>> = {
  'an object': [{ way: 'json', body: PLAIN }, PROTECTED],
  'an object after a while': [{ way: 'json', body: PLAIN, later: 5 }, PROTECTED],
  'an object under another type of JSON': [
    { way: 'json', body: PLAIN, headers: { 'content-type': 'application/vnd.api+json' } },
    PROTECTED,
  ],
  'an object under the length of its plain form': [
    { way: 'json', body: PLAIN, headers: { 'x-own': 'kept' } },
    { ...PROTECTED, headers: { 'x-own': 'kept', 'content-length': String(JSON.stringify(MASKED).length) } },
  ],
  'an object with an ETag of its own': [
    { way: 'json', body: PLAIN, headers: { etag: '"of the plain form"' } },
    { ...PROTECTED, headers: { etag: /^(?!"of the plain form")/ } },
  ],
  'a bare text': [{ way: 'json', body: CANARY }, WITHHELD],
  'a bare number': [{ way: 'json', body: 42 }, WITHHELD],
  'a list': [{ way: 'json', body: [PLAIN] }, WITHHELD],
  'JSON as text': [{ way: 'text', text: TEXT, headers: JSON_TYPE }, EITHER],
  'JSON as text under no type': [{ way: 'text', text: TEXT }, EITHER],
  'two JSON texts': [{ way: 'text', text: TEXT + TEXT, headers: JSON_TYPE }, WITHHELD],
  'plain text': [{ way: 'text', text: CANARY, headers: { 'content-type': 'text/plain' } }, WITHHELD],
  HTML: [{ way: 'text', text: `<p>${CANARY}</p>`, headers: { 'content-type': 'text/html' } }, WITHHELD],
  'JSON as bytes': [{ way: 'bytes', text: TEXT, headers: JSON_TYPE }, EITHER],
  bytes: [{ way: 'bytes', text: CANARY }, WITHHELD],
  'a stream of JSON': [
    { way: 'stream', chunks: [TEXT.slice(0, 9), TEXT.slice(9)], headers: JSON_TYPE },
    EITHER,
  ],
  'a stream of one chunk of JSON': [{ way: 'stream', chunks: [TEXT], headers: JSON_TYPE }, EITHER],
  'a stream of many chunks': [
    { way: 'stream', chunks: CHUNKS, headers: { 'content-type': 'text/plain' } },
    WITHHELD,
  ],
  'a file of JSON': [{ way: 'file', text: TEXT }, EITHER],
  'JSON by end': [{ way: 'end', text: TEXT, headers: JSON_TYPE }, EITHER],
  'text by end': [{ way: 'end', text: CANARY }, WITHHELD],
  'JSON by one write and end': [{ way: 'write', chunks: [TEXT], headers: JSON_TYPE }, EITHER],
  'JSON by several writes and end': [
    { way: 'write', chunks: [TEXT.slice(0, 9), TEXT.slice(9)], headers: JSON_TYPE },
    EITHER,
  ],
  'text by several writes and end': [{ way: 'write', chunks: CHUNKS }, WITHHELD],
  'no content': [
    { way: 'empty', status: 204 },
    { status: 204, text: '' },
  ],
  'not modified': [
    { way: 'empty', status: 304 },
    { status: 304, text: '' },
  ],
  'an empty answer': [
    { way: 'empty', status: 200 },
    { status: 200, text: '' },
  ],
  'a redirection': [
    { way: 'redirect', status: 303, location: '/v2/elsewhere' },
    { status: 303, headers: { location: '/v2/elsewhere' } },
  ],
};

const ODD: Readonly<Record<OddValue, Outcome>> = {
  'an object with toJSON': { status: 200, json: { payee: MASK } },
  'a member with toJSON': { status: 200, json: { payee: MASK } },
  'a date': { status: 200, json: { payee: MASK, at: '1970-01-01T00:00:00.000Z' } },
  'a map': { status: 200, json: { payee: {}, other: CANARY.length } },
  'an undefined member': { status: 200, json: { payee: { name: MASK } } },
  'a class instance': { status: 200, json: { payee: MASK } },
  'a cycle': { status: 500 },
  'a BigInt': { status: 500 },
  'a getter that throws': { status: 500 },
  'a toJSON that throws': { status: 500 },
  'a value too deep': { status: 500 },
};

function caseOf(name: string, answer: Answer, expected: Outcome | readonly Outcome[]): ServerCase {
  const path = wayPath(name);
  return {
    name: `no plaintext leaves as ${name}`,
    row: answer.way === 'odd' ? 'odd values' : 'ways out',
    base: STANDARD,
    routes: [{ method: 'GET', path, answer }],
    ...once(get(path), expected),
  };
}

const ways = Object.entries(WAYS).map(([name, [answer, expected]]) => caseOf(name, answer, expected));
const odd = Object.entries(ODD).map(
  ([name, expected]) => caseOf(name, { way: 'odd', value: name as OddValue }, expected), // Object.entries() does not keep it
);

/** The same ways for a partner who is sent tokens. */
const encrypted: ServerCase[] = [
  'an object',
  'JSON as text',
  'JSON as bytes',
  'JSON by end',
  'a stream of JSON',
  'a file of JSON',
].map((name) => {
  const [answer] = WAYS[name] ?? [];
  if (!answer) throw new Error(`There is no way called ${name}`);
  const json = { id: 1, encrypted_payee: opensAs(CANARY) };
  return {
    name: `no plaintext leaves to a partner with a key as ${name}`,
    row: 'ways out',
    base: STANDARD,
    routes: [{ method: 'GET', path: wayPath(name), answer }],
    ...once(
      get(wayPath(name), { recipient: 'encrypt' }),
      answer.way === 'json' ? { status: 200, json } : protectedOrWithheld(json),
    ),
  };
});

/** Where the policy says nothing of the response, everything passes: byte by byte. */
const FREE: Base = { ...STANDARD, withoutRecipients: true };

const untouched: ServerCase[] = [
  ['an object', { way: 'json', body: { a: 1 } }, '{"a":1}'],
  ['a text', { way: 'text', text: 'hello', headers: { 'content-type': 'text/plain' } }, 'hello'],
  ['bytes', { way: 'bytes', text: 'hello' }, 'hello'],
  ['a stream', { way: 'stream', chunks: ['hel', 'lo'] }, 'hello'],
  ['a file', { way: 'file', text: '{"a":2}' }, '{"a":2}'],
  ['end', { way: 'end', text: 'hello' }, 'hello'],
  ['write and end', { way: 'write', chunks: ['hel', 'lo'] }, 'hello'],
].map(([name, answer, text]) => {
  const path = `/v2/free/${String(name).replaceAll(' ', '-')}`;
  return {
    name: `${name} passes as it is on an operation outside the policy`,
    base: FREE,
    routes: [{ method: 'GET', path, answer: answer as Answer }], // of a row of the list above
    ...once(get(path), { status: 200, handler: 'called', text: String(text) }),
  };
});

export const waysOut: readonly ServerCase[] = [...ways, ...odd, ...encrypted, ...untouched];
