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
  payee: { name: `O'Neil & "Söhne"`, account_number: '12345678', currency: 'GBP', limit: 987654 },
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
    ['in HTML', '<pre>O&#39;Neil &amp; &quot;Söhne&quot;</pre>'],
    ['deep inside', JSON.parse(`${'['.repeat(50_000)}"12345678"${']'.repeat(50_000)}`)],
  ])('%s is refused, naming no value', (_, body) => {
    expect(() => check(body)).toThrow(refused);
    expect(() => check(body)).toThrow('The error repeats a protected value of the request');
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

  it('whose request has no body, or none that is known', () => {
    for (const path of ['/fields', '/whole']) {
      for (const request of [undefined, null, 'text', 5, [], {}])
        expect(() => refuseEcho({ message: '12345678' }, request, operation(path))).not.toThrow();
    }
  });
});
