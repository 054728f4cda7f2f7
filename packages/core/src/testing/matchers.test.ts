import { describe, expect, test } from 'vitest';
import { toBase64url, utf8 } from '../../test/bytes.js';
import { E2eeError } from '../errors.js';
import { type E2eeMatchers, e2eeMatchers, isEncrypted, isRedacted, refusalOf } from './matchers.js';

declare module 'vitest' {
  interface Matchers extends E2eeMatchers {}
}

expect.extend(e2eeMatchers);

const TOKEN = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA';
const MASK = '[REDACTED]';
const refuse = (): never => {
  throw new E2eeError('token_invalid', 'No');
};

test('the matchers pass in expect, behind not and behind rejects', async () => {
  expect(TOKEN).toBeEncrypted();
  expect('John Doe').not.toBeEncrypted();
  expect({ name: MASK }).toBeRedacted();
  expect({ name: '***' }).toBeRedacted('***');
  expect({ name: 'John Doe' }).not.toBeRedacted();
  expect({ payee: TOKEN }).toHaveNoPlaintext('John Doe', 12345678);
  expect({ payee: 'John Doe' }).not.toHaveNoPlaintext('John Doe');
  expect(refuse).toBeRefused();
  expect(refuse).toBeRefused('token_invalid');
  expect(refuse).not.toBeRefused('key_rejected');
  await expect(Promise.reject(new E2eeError('key_rejected', 'No'))).rejects.toBeRefused('key_rejected');
});

describe('a failure says what is wrong and shows no value', () => {
  const FAILURES: readonly (readonly [assertion: () => void, message: string])[] = [
    [
      () => expect('John Doe').toBeEncrypted(),
      'This should be a compact JWE, and it is a text of 8 characters',
    ],
    [() => expect(TOKEN).not.toBeEncrypted(), 'This should not be a compact JWE'],
    [() => expect(undefined).toBeRedacted(), 'This should be redacted, and it is undefined'],
    [
      () => expect({ payee: 'John Doe' }).toHaveNoPlaintext('John Doe'),
      'This should be without plaintext, and canary 1 stands as it is at $.payee',
    ],
    [
      () => expect(refuse).toBeRefused('key_rejected'),
      'This should be refused with `key_rejected`, and it was with `token_invalid`',
    ],
    [() => expect({}).toBeRefused(), 'This should be refused, and it is [object Object]'],
    [() => expect(refuse).not.toBeRefused(), 'This should not be refused'],
  ];

  test.each(FAILURES)('%#', (assertion, message) => {
    expect(assertion).toThrow(expect.objectContaining({ message }));
  });
});

test('only a token of known algorithms counts as encrypted', () => {
  expect(isEncrypted(TOKEN)).toBe(true);
  for (const { alg, enc } of [
    { alg: 'none', enc: 'none' },
    { alg: 'dir', enc: 'A512GCM' },
    { alg: 'RSA1_5', enc: 'A256GCM' },
  ]) {
    const head = toBase64url(utf8(JSON.stringify({ alg, enc })));
    expect(isEncrypted(`${head}..AAAA.Sm9obiBEb2Ug.AAAA`)).toBe(false);
  }
  for (const value of ['', 'a.b.c.d.e', 'e30..AAAA.AAAA.AAAA', `${TOKEN}.AAAA`, `${TOKEN}=`, [TOKEN], null])
    expect(isEncrypted(value)).toBe(false);
});

test('redacted is what shows a mask and nothing else', () => {
  for (const value of [MASK, [MASK], { a: { b: MASK, c: null } }]) expect(isRedacted(value)).toBe(true);
  for (const value of [undefined, null, {}, [], 0, '', { a: MASK, b: 0 }])
    expect(isRedacted(value)).toBe(false);
});

test('what shows less than it holds does not count as redacted, not even beside a mask', () => {
  const held = [new Map([['name', 'John']]), new Set(['John']), new Date(0), utf8('John'), new Error('John')];
  for (const b of held) expect(isRedacted({ a: MASK, b })).toBe(false);
  expect(isRedacted(Object.assign(Object.create(null), { a: MASK }))).toBe(true);
});

test('a promise is no refusal, and a test that forgot to await one is told', async () => {
  const failed = async (): Promise<never> => refuse();
  for (const value of [failed, failed(), async () => 1, Promise.resolve(1)]) {
    expect(() => refusalOf(value)).toThrow(TypeError);
    expect(() => expect(value).not.toBeRefused()).toThrow('await it');
  }
  await expect(failed).rejects.toBeRefused('token_invalid');
  await expect(failed()).rejects.not.toBeRefused('key_rejected');
});

test('a refusal is an E2eeError, or a function that throws one', () => {
  expect(refusalOf(new E2eeError('token_invalid', 'No'))).toBe('token_invalid');
  expect(refusalOf(refuse)).toBe('token_invalid');
  const throws = (): never => {
    throw new Error('token_invalid');
  };
  for (const value of [new Error('token_invalid'), throws, () => {}, { code: 'token_invalid' }, undefined])
    expect(refusalOf(value)).toBeUndefined();
});
