import { describe, expect, it } from 'vitest';
import { definePolicy } from '../policy/define-policy.js';
import type { Operation } from '../policy/policy.js';
import { refuseEcho } from './echo.js';

const policy = definePolicy({
  'POST /fields': {
    payee: { request: 'encrypt' },
    'actions.#.source': { request: 'encrypt' },
    open: { request: 'none' },
  },
  'POST /whole': { $: { request: 'encrypt' } },
});
const operation = (path: string): Operation => policy.match('POST', path) as Operation; // both are there
const REQUEST = {
  payee: {
    name: `O'Neil & "Söhne"`,
    account_number: '12345678',
    currency: 'GBP',
    limit: 987654,
    pin: '1234',
    last_name: 'Smith',
    type: 'iban',
  },
  actions: [{ source: 'first source' }, { source: 'second source' }],
  open: 'not protected',
};
const refused = expect.objectContaining({ code: 'response_refused', status: 400 });
const check = (body: unknown, path = '/fields', request: unknown = REQUEST): void =>
  refuseEcho(body, request, operation(path));

describe('an error that repeats a protected value', () => {
  it.each<[string, unknown]>([
    ['as a text', { message: '12345678' }],
    ['within a text', { errors: [{ title: 'no account 12345678 here' }] }],
    ['as the name of a member', { errors: { '12345678': 'unknown' } }],
    ['of an array', { detail: 'second source' }],
    ['as a number', { at: 987654 }],
    ['in an object', REQUEST],
    ['with quotes', { message: `O'Neil & "Söhne" is unknown` }],
    ['in JSON text', JSON.stringify({ message: `O'Neil & "Söhne"` })],
    ['in JSON text within a text', { body: JSON.stringify(REQUEST.payee) }],
    ['in plain text', `unknown: O'Neil & "Söhne"`],
    ['with other quotes in JSON text within a text', { body: '{"name":"O\\u0027Neil & \\"S\\u00f6hne\\""}' }],
    ["in Unicode's other form", { message: `no O'Neil & "So\u0308hne"` }],
    ['in a URL', { message: 'Cannot POST /O%27Neil+%26+%22S%c3%b6hne%22' }],
    ['in HTML with other references', '<pre>O&#x27;Neil &#38; &quot;S&#xf6;hne&quot;</pre>'],
    ['at the end of a sentence', 'There is no 12345678.'],
    ['of four digits, as a whole', { errors: [{ path: 'pin', value: '1234' }] }],
    ['of four digits, as the name of a member', { errors: { 1234: 'unknown' } }],
    ['of five letters, as a whole', { errors: [{ path: 'last_name', value: 'Smith' }] }],
    ['of five letters, as the text that it all is', 'Smith'],
    ['in HTML', '<pre>O&#39;Neil &amp; &quot;Söhne&quot;</pre>'],
    ['deep inside', JSON.parse(`${'['.repeat(50_000)}"12345678"${']'.repeat(50_000)}`)],
  ])('%s is refused, naming no value', (_, body) => {
    expect(() => check(body)).toThrow(refused);
    expect(() => check(body)).toThrow('The error repeats a protected value of the request');
  });

  it('that a member of the request is called by as well is refused, unless it is a plain word', () => {
    const request = { payee: { email: 'john@example.com' }, prefs: { 'john@example.com': true } };
    expect(() => check({ message: 'no john@example.com' }, '/fields', request)).toThrow(refused);
  });

  it('of a whole message is refused', () => {
    expect(() => check({ message: 'secret 4711' }, '/whole', { a: [{ b: 'secret 4711' }] })).toThrow(refused);
  });

  it('cannot be told of bytes: they are refused', () => {
    for (const body of [new ArrayBuffer(0), new Uint8Array(3)])
      expect(() => check(body)).toThrow(expect.objectContaining({ code: 'body_unreadable' }));
  });
});

describe('an error passes', () => {
  it.each<[string, unknown]>([
    ['that names a field', { errors: [{ source: 'payee.account_number', title: 'has 8 digits' }] }],
    ['that has a short value, as any text may', { message: 'GBP is not supported' }],
    ['that has a short value within a text', { message: 'Smith has no card 1234', at: 12345 }],
    ['that has a short word of an enumeration', { errors: [{ type: 'iban' }] }],
    ['that has a number within a longer one', { at: 1_712_345_678, trace: '0012345678' }],
    ['with a place in an array', { list: Array.from({ length: 1_300 }, () => null) }],
    ['that repeats what is not protected', { message: 'not protected' }],
    ['of plain text', 'Cannot POST /fields'],
    ['that is empty', {}],
    ['of null', null],
  ])('%s', (_, body) => {
    expect(() => check(body)).not.toThrow();
  });

  it('that speaks of types and of fields, though a value is called the same', () => {
    const request = { payee: { name: 'string', password: 'password' } };
    const body = { message: ['payee.name must be a string', 'password is required'] };
    expect(() => check(body, '/fields', request)).not.toThrow();
  });

  it('that has a longer word than a value is', () => {
    const request = { payee: { type: 'account' } };
    expect(() => check({ message: 'accounts are closed' }, '/fields', request)).not.toThrow();
    expect(() => check({ message: 'the account is closed' }, '/fields', request)).toThrow(refused);
  });

  it('whose request has no body, or none that is known', () => {
    for (const path of ['/fields', '/whole']) {
      for (const request of [undefined, null, 'text', 5, [], {}])
        expect(() => refuseEcho({ message: '12345678' }, request, operation(path))).not.toThrow();
    }
  });
});
