import { describe, expect, test } from 'vitest';
import { coveredFields, withoutSecrets } from './covered-fields.js';
import { leakedPaths } from './leaks.js';

const OPERATION = 'POST /v2/payment_sessions';
const START = 'POST /v2/payment_sessions HTTP/1.1';

function search(
  wrote: object,
  body: string,
  over: { headers?: Record<string, string>; startLine?: string } = {},
): string[] {
  const { headers = {}, startLine = START } = over;
  return leakedPaths({
    message: { startLine, headers, body: Buffer.from(body) },
    secrets: coveredFields(OPERATION, wrote),
    startLine: START,
    visible: withoutSecrets(OPERATION, wrote),
  });
}

function token(header: object, ...parts: readonly (string | Buffer)[]): string {
  return [JSON.stringify(header), ...parts].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'k' };
const RANDOM = ['key of many bytes', 'iv of twelve', 'ciphertext', 'tag of sixteen b'];

describe('a value is found', () => {
  const wrote = { payee: { name: 'Zoë "Z" Brontë', number: 12345678 }, payer: 'short but 4: ABCD' };

  test.each([
    ['as it is', 'Zoë "Z" Brontë'],
    ['in JSON', JSON.stringify({ x: 'Zoë "Z" Brontë' })],
    ['in ASCII-only JSON', '"Zo\\u00eb \\"Z\\" Bront\\u00eb"'],
    ['in a URL', 'Zo%C3%AB%20%22Z%22%20Bront%C3%AB'],
    ['as part of a longer text', '{"x":"<Zoë "Z" Brontë>"}'],
    ['as a number', '{"x":12345678}'],
    ['as a number in a text', '{"x":"GB12345678"}'],
    ['in the ciphertext of a token that is none', token(HEADER, 'k', 'iv', '{"number":12345678}', 'tag')],
    ['in a token, not even encoded', `${token(HEADER, 'k', 'iv')}.xx12345678xx.tag`],
    ['in the header of a token', token({ ...HEADER, hint: '12345678' }, ...RANDOM)],
  ])('%s', (_, body) => {
    expect(search(wrote, body)).toEqual(['payee']);
  });

  test('in a header that is not of the protocol, and in the query', () => {
    expect(search(wrote, '', { headers: { 'x-name': '12345678' } })).toEqual(['payee']);
    expect(search(wrote, '', { startLine: `POST /v2/payment_sessions?n=12345678 HTTP/1.1` })).toEqual([
      'payee',
    ]);
  });

  test('when it stands once more than it may', () => {
    const twice = { payee: 'ACME', reference: 'ACME' };
    expect(search(twice, '{"reference":"ACME"}')).toEqual([]);
    expect(search(twice, '{"reference":"ACME","payee":"ACME"}')).toEqual(['payee']);
  });
});

describe('nothing is found', () => {
  test('in a token', () => {
    expect(search({ payee: 'ciph' }, token(HEADER, ...RANDOM))).toEqual([]);
  });

  test('of words that the protocol and the names of members use anyway', () => {
    const wrote = {
      payee: ['POST', 'HTTP/1.1', 'payee', 'encrypted_payee', 'reference', 'RSA-OAEP-256'],
      reference: 'x',
    };
    const body = JSON.stringify({ encrypted_payee: token(HEADER, ...RANDOM), reference: 'x' });
    expect(search(wrote, body)).toEqual([]);
  });
});
