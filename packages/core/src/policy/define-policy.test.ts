import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import schema from '../../schema/policy.json' with { type: 'json' };
import { E2eeError } from '../errors.js';
import { banked } from '../profiles/banked.js';
import { definePolicy } from './define-policy.js';
import { Policy, type PolicyDocument } from './policy.js';

/** What only a caller without types can pass. */
function define(document: unknown): Policy {
  return definePolicy(document as PolicyDocument);
}

function refusalOf(document: unknown): E2eeError {
  try {
    define(document);
  } catch (error) {
    if (error instanceof E2eeError) return error;
    throw error;
  }
  throw new Error('The policy was accepted');
}

const ENCRYPT = { request: 'encrypt' };
const VALID: readonly (readonly [name: string, document: unknown])[] = [
  ['nothing', {}],
  ['an operation without fields', { 'POST /a': {} }],
  ['a row that says nothing', { 'POST /a': { b: {} } }],
  ['the root', { 'GET /': { b: ENCRYPT } }],
  [
    'every method',
    Object.fromEntries(
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'].map((m) => [`${m} /a`, { b: ENCRYPT }]),
    ),
  ],
  ['parameters and a trailing slash', { 'GET /v2/:id/parts/:part_2/': { b: ENCRYPT } }],
  ['every plain character of a segment', { "POST /Az09_.~@!$&',=-/.well-known/..a": { b: ENCRYPT } }],
  [
    'every member of a row',
    {
      'POST /a': {
        b: {
          sensitivity: 'medium',
          request: 'encrypt',
          response: 'redact-or-encrypt',
          as: 'text',
          required: true,
        },
      },
    },
  ],
  [
    'every treatment',
    {
      'POST /a': {
        b: { request: 'none', response: 'none' },
        c: { response: 'redact' },
        d: { response: 'encrypt' },
      },
    },
  ],
  [
    'every kind of path',
    {
      'POST /a': {
        b: ENCRYPT,
        'c.d': ENCRYPT,
        'e.#.f': ENCRYPT,
        'g.*': ENCRYPT,
        'h\\.i': ENCRYPT,
        '\\$': ENCRYPT,
      },
    },
  ],
  ['the whole body', { 'POST /a': { $: { request: 'encrypt', response: 'encrypt', as: 'json' } } }],
  ['an exception to a wildcard', { 'POST /a': { '*': ENCRYPT, id: { request: 'none' } } }],
  ['one path in two directions', { 'POST /a': { b: ENCRYPT, 'b.c': { response: 'redact' } } }],
  ['the policy of the banked profile', banked.policy],
];

/** Mistakes that a JSON Schema can state as well. */
const INVALID: readonly (readonly [name: string, document: unknown, place: string, why: RegExp])[] = [
  ['null', null, '', /an object of operations/],
  ['a list', [], '', /an object of operations/],
  ['a text', 'POST /a', '', /an object of operations/],
  ['a number', 7, '', /an object of operations/],
  ['rows that are a list', { 'POST /a': [] }, 'POST /a', /an object of field paths/],
  ['rows that are null', { 'POST /a': null }, 'POST /a', /an object of field paths/],
  ['rows that are a text', { 'POST /a': 'encrypt' }, 'POST /a', /an object of field paths/],
  ['a row that is a text', { 'POST /a': { b: 'encrypt' } }, 'POST /a → b', /such as/],
  ['a row that is null', { 'POST /a': { b: null } }, 'POST /a → b', /such as/],
  ['a row that is a list', { 'POST /a': { b: ['encrypt'] } }, 'POST /a → b', /such as/],
  [
    'an unknown treatment of requests',
    { 'POST /a': { b: { request: 'redact' } } },
    'POST /a → b',
    /bad `request`.*"encrypt", "none"/,
  ],
  [
    'an unknown treatment of responses',
    { 'POST /a': { b: { response: 'hide' } } },
    'POST /a → b',
    /bad `response`.*"redact-or-encrypt"/,
  ],
  [
    'a treatment in another letter case',
    { 'POST /a': { b: { request: 'Encrypt' } } },
    'POST /a → b',
    /bad `request`/,
  ],
  ['a treatment that is true', { 'POST /a': { b: { request: true } } }, 'POST /a → b', /bad `request`/],
  ['a treatment that is null', { 'POST /a': { b: { request: null } } }, 'POST /a → b', /bad `request`/],
  ['an unknown encoding', { 'POST /a': { b: { request: 'encrypt', as: 'xml' } } }, 'POST /a → b', /bad `as`/],
  [
    'an unknown sensitivity',
    { 'POST /a': { b: { sensitivity: 'extreme' } } },
    'POST /a → b',
    /bad `sensitivity`/,
  ],
  [
    'required that is no boolean',
    { 'POST /a': { b: { request: 'encrypt', required: 'yes' } } },
    'POST /a → b',
    /bad `required`.*true, false/,
  ],
  [
    'an unknown member',
    { 'POST /a': { b: { requests: 'encrypt' } } },
    'POST /a → b',
    /unknown member `requests`; known are .*request/,
  ],
  [
    'a member named like one of Object.prototype',
    { 'POST /a': { b: { constructor: 'encrypt' } } },
    'POST /a → b',
    /unknown member `constructor`/,
  ],
  [
    'a member called __proto__',
    { 'POST /a': { b: JSON.parse('{"__proto__":{"request":"encrypt"}}') } },
    'POST /a → b',
    /unknown member `__proto__`/,
  ],
  [
    'required without encryption',
    { 'POST /a': { b: { required: true } } },
    'POST /a → b',
    /`required` but not encrypted/,
  ],
  [
    'required with request none',
    { 'POST /a': { b: { request: 'none', required: true } } },
    'POST /a → b',
    /`required` but not encrypted/,
  ],
  [
    'a whole body as text',
    { 'POST /a': { $: { request: 'encrypt', as: 'text' } } },
    'POST /a → $',
    /whole body is JSON/,
  ],
  ['an empty path', { 'POST /a': { '': ENCRYPT } }, 'POST /a → ', /segment is empty/],
  ['an empty segment', { 'POST /a': { 'b..c': ENCRYPT } }, 'POST /a → b..c', /segment is empty/],
  ['a path that ends in a dot', { 'POST /a': { 'b.': ENCRYPT } }, 'POST /a → b.', /segment is empty/],
  ['$ inside a path', { 'POST /a': { 'b.$': ENCRYPT } }, 'POST /a → b.$', /stand alone/],
  ['$ before a path', { 'POST /a': { '$.b': ENCRYPT } }, 'POST /a → $.b', /stand alone/],
  ['half an escape', { 'POST /a': { 'b\\': ENCRYPT } }, 'POST /a → b\\', /middle of an escape/],
  [
    'a bad path in a row that says nothing',
    { 'POST /a': { 'b..c': {} } },
    'POST /a → b..c',
    /segment is empty/,
  ],
  ['HEAD', { 'HEAD /a': { b: ENCRYPT } }, 'HEAD /a', /GET covers/],
  ['an unknown method', { 'FETCH /a': { b: ENCRYPT } }, 'FETCH /a', /unknown method; known are GET, POST/],
  ['a method in lower case', { 'post /a': { b: ENCRYPT } }, 'post /a', /unknown method/],
  ['no method', { '/a': { b: ENCRYPT } }, '/a', /not an operation/],
  ['no path', { POST: { b: ENCRYPT } }, 'POST', /not an operation/],
  ['a path without a slash', { 'POST a': { b: ENCRYPT } }, 'POST a', /not an operation/],
  ['two spaces', { 'POST  /a': { b: ENCRYPT } }, 'POST  /a', /not an operation/],
  ['a space at the end', { 'POST /a ': { b: ENCRYPT } }, 'POST /a ', /not an operation/],
  ['a tab', { 'POST\t/a': { b: ENCRYPT } }, 'POST\t/a', /not an operation/],
  ['a line break at the end', { 'POST /a\n': { b: ENCRYPT } }, 'POST /a\n', /bad path segment/],
  ['a full URL', { 'POST https://x/a': { b: ENCRYPT } }, 'POST https://x/a', /not an operation/],
  ['a query', { 'POST /a?b=c': { b: ENCRYPT } }, 'POST /a?b=c', /bad path segment `a\?b=c`/],
  ['a fragment', { 'POST /a#b': { b: ENCRYPT } }, 'POST /a#b', /bad path segment/],
  ['a wildcard segment', { 'POST /a/*': { b: ENCRYPT } }, 'POST /a/*', /bad path segment `\*`/],
  ['a regular expression', { 'POST /a(b)?': { b: ENCRYPT } }, 'POST /a(b)?', /bad path segment/],
  ['an optional parameter', { 'POST /a/:id?': { b: ENCRYPT } }, 'POST /a/:id?', /bad path segment/],
  ['a parameter without a name', { 'POST /a/:': { b: ENCRYPT } }, 'POST /a/:', /bad path segment/],
  ['a parameter that begins with a digit', { 'POST /:1': { b: ENCRYPT } }, 'POST /:1', /bad path segment/],
  ['an encoded segment', { 'POST /a%20b': { b: ENCRYPT } }, 'POST /a%20b', /bad path segment/],
  ['a path parameter', { 'POST /a;b': { b: ENCRYPT } }, 'POST /a;b', /bad path segment/],
  ['a dot segment', { 'POST /a/./b': { b: ENCRYPT } }, 'POST /a/./b', /bad path segment `\.`/],
  ['two dots', { 'POST /a/..': { b: ENCRYPT } }, 'POST /a/..', /bad path segment `\.\.`/],
  ['a double slash', { 'POST /a//b': { b: ENCRYPT } }, 'POST /a//b', /bad path segment ``/],
  ['two slashes alone', { 'POST //': { b: ENCRYPT } }, 'POST //', /bad path segment ``/],
  [
    'an operation called __proto__',
    JSON.parse('{"__proto__":{"b":{"request":"encrypt"}}}'),
    '__proto__',
    /not an operation/,
  ],
];

/** Mistakes that are beyond a JSON Schema, as its own description says. */
const CONTRADICTORY: readonly (readonly [name: string, document: unknown, place: string, why: RegExp])[] = [
  [
    'a field and a part of it',
    { 'POST /a': { b: ENCRYPT, 'b.c': ENCRYPT } },
    'POST /a',
    /for the request: `b` and `b.c` overlap/,
  ],
  [
    'two responses of one value',
    { 'POST /a': { 'b.*': { response: 'redact' }, 'b.c': { response: 'encrypt' } } },
    'POST /a',
    /for the response: `b/,
  ],
  [
    'the whole body and a field',
    { 'POST /a': { $: ENCRYPT, b: ENCRYPT } },
    'POST /a',
    /for the request: `\$` and `b` overlap/,
  ],
  [
    'one path in two spellings',
    { 'POST /a': { b: ENCRYPT, '\\b': ENCRYPT } },
    'POST /a',
    /`b` and `\\b` overlap/,
  ],
  [
    'an exception in one direction only',
    {
      'POST /a': {
        '*': { request: 'encrypt', response: 'redact' },
        b: { request: 'none', response: 'encrypt' },
      },
    },
    'POST /a',
    /for the response/,
  ],
  [
    'an exception to a whole field',
    { 'POST /a': { b: ENCRYPT, 'b.c': { request: 'none' } } },
    'POST /a',
    /overlap/,
  ],
  [
    'two spellings of one operation',
    { 'POST /a/b': { c: ENCRYPT }, 'POST /A/B/': { d: ENCRYPT } },
    'POST /A/B/',
    /same requests as `POST \/a\/b`/,
  ],
  [
    'two names of one parameter',
    { 'GET /a/:id': { c: ENCRYPT }, 'GET /a/:name': { d: ENCRYPT } },
    'GET /a/:name',
    /same requests as `GET \/a\/:id`/,
  ],
];

describe('definePolicy', () => {
  it.each(VALID)('accepts %s', (_, document) => {
    expect(define(document)).toBeInstanceOf(Policy);
  });

  it.each([...INVALID, ...CONTRADICTORY])(
    'refuses %s, naming the place and the mistake',
    (_, document, place, why) => {
      const error = refusalOf(document);
      expect(error).toMatchObject({ code: 'policy_invalid', status: 500 });
      if (place !== '') expect(error.message.startsWith(`Policy: \`${place}\` `)).toBe(true);
      expect(error.message).toMatch(why);
    },
  );

  it('takes an undefined member for an absent one', () => {
    const policy = define({ 'POST /a': { b: { request: 'encrypt', response: undefined, as: undefined } } });
    expect(policy.match('POST', '/a')?.response.treats).toBe(false);
    expect(policy.match('POST', '/a')?.request.treats).toBe(true);
  });

  it('returns a compiled policy as it is', () => {
    const policy = define({ 'POST /a': { b: ENCRYPT } });
    expect(definePolicy(policy)).toBe(policy);
  });

  it('compiles the directions apart', () => {
    const rows = { a: ENCRYPT, b: { response: 'redact' }, c: { request: 'none', response: 'none' } };
    const { request, response } = define({ 'POST /x': rows }).match('POST', '/x') ?? {};
    expect([...(request?.fields.members.keys() ?? [])]).toEqual(['a', 'c']);
    expect([...(response?.fields.members.keys() ?? [])]).toEqual(['b', 'c']);
    expect(define({ 'POST /x': { c: rows.c } }).match('POST', '/x')).toMatchObject({
      request: { treats: false },
      response: { treats: false },
    });
  });

  it('lists required fields for requests only', () => {
    const rows = { a: { request: 'encrypt', response: 'encrypt', required: true }, b: ENCRYPT };
    const operation = define({ 'POST /x': rows }).match('POST', '/x');
    expect(operation?.request.required.map(({ path }) => path)).toEqual(['a']);
    expect(operation?.response.required).toEqual([]);
  });

  it('serialises to the document that it was made from, and back', () => {
    for (const [, document] of VALID) {
      const text = JSON.stringify(define(document));
      expect(text).toBe(JSON.stringify(document));
      expect(JSON.stringify(define(JSON.parse(text)))).toBe(text);
    }
  });

  it('changes nothing when its input is changed later', () => {
    const row = { request: 'encrypt' };
    const rows: Record<string, object> = { a: row };
    const document: Record<string, object> = { 'POST /x': rows };
    const policy = define(document);
    const before = JSON.stringify(policy);
    row.request = 'none';
    rows.b = { request: 'encrypt' };
    document['POST /y'] = { c: { request: 'encrypt' } };
    delete document['POST /x'];
    expect(JSON.stringify(policy)).toBe(before);
    expect(policy.match('POST', '/x')?.request.fields.members.get('a')?.rule?.treatment).toBe('encrypt');
    expect(policy.match('POST', '/y')).toBeUndefined();
  });

  it('cannot be changed itself', () => {
    const policy = define({ 'POST /x': { a: { request: 'encrypt' } } });
    const [operation] = policy.operations;
    for (const part of [policy, policy.document, policy.document['POST /x'], operation, operation?.request]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(() => Object.assign(policy.document['POST /x']?.a ?? {}, { request: 'none' })).toThrow(TypeError);
  });
});

describe('schema/policy.json', () => {
  const validate = new Ajv2020({ strict: true }).compile(schema);

  it.each(VALID)('accepts %s, as definePolicy does', (_, document) => {
    validate(document);
    expect(validate.errors).toBeNull();
  });

  it.each(INVALID)('refuses %s, as definePolicy does', (_, document) => {
    expect(validate(document)).toBe(false);
  });

  it.each(CONTRADICTORY)('leaves %s to definePolicy', (_, document) => {
    expect(validate(document)).toBe(true);
  });
});
