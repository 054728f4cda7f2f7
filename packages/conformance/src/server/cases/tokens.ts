import { randomBytes } from 'node:crypto';
import type { EncryptionKey } from '@e2ee/core';
import { CANARY } from '../answers.js';
import {
  MASK,
  Made,
  type Outcome,
  once,
  post,
  refused,
  type ServerCase,
  type Step,
  TOO_LARGE,
} from '../case.js';
import { type Flaws, forge, type Keys, seal } from '../keys.js';
import type { Row } from '../rows.js';
import { PAYMENTS, STANDARD } from './standard.js';

/** Makes a value that stands where a token is due. */
type Bad = (bank: EncryptionKey, partner: EncryptionKey) => unknown;

const good = (bank: EncryptionKey): string => forge(bank, { plaintext: JSON.stringify(CANARY) });
const flawed =
  (flaws: Flaws): Bad =>
  (bank) =>
    forge(bank, { plaintext: JSON.stringify(CANARY), ...flaws });
const headed = (header: Flaws['header']): Bad => flawed(header === undefined ? {} : { header });

/** A good token with one of its five parts changed. */
function part(index: number, change: (text: string) => string): Bad {
  return (bank) =>
    good(bank)
      .split('.')
      .map((text, i) => (i === index ? change(text) : text))
      .join('.');
}

const flip = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

/** One answer to them all. */
const BAD_TOKENS: Partial<Record<Row, Readonly<Record<string, Bad>>>> = {
  'malformed token': {
    'a number': () => 7,
    null: () => null,
    'a boolean': () => true,
    'an object': () => ({ ciphertext: CANARY }),
    'a list of tokens': (bank) => [good(bank)],
    'an empty text': () => '',
    'a plain text': () => CANARY,
    'four segments': (bank) => good(bank).split('.').slice(0, 4).join('.'),
    'six segments': (bank) => `${good(bank)}.AAAA`,
    'an empty header': part(0, () => ''),
    'an empty IV': part(2, () => ''),
    'an empty tag': part(4, () => ''),
    'a token in its JSON form': (bank) => {
      const [protectedHeader, encrypted_key, iv, ciphertext, tag] = good(bank).split('.');
      return JSON.stringify({ protected: protectedHeader, encrypted_key, iv, ciphertext, tag });
    },
    'a signed token': () => 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA',
    'an unsigned token': () => 'eyJhbGciOiJub25lIn0.e30.',
    'white space behind': (bank) => `${good(bank)}\n`,
    'white space inside': (bank) => good(bank).replace('.', '. '),
    padding: (bank) => `${good(bank)}==`,
    'the other alphabet': part(3, (text) => `+/${text.slice(2)}`),
    'last bits that are not canonical': part(
      4,
      (text) => `${text.slice(0, -1)}${text.endsWith('B') ? 'C' : 'B'}`,
    ),
  },
  'long token': {
    '50,000 dots': () => '.'.repeat(50_000),
    'a token over the limit of a field': part(3, () => 'A'.repeat(17_000)),
  },
  'bad header': {
    'a header that is a list': headed('[]'),
    'a header that is a text': headed('"eyJ"'),
    'a header that is no JSON': headed('{"alg":'),
    'a header in bad UTF-8': headed(Buffer.from('7b22616c67223a22ff227d', 'hex')),
    'a header with a byte order mark': headed('\ufeff{"alg":"RSA-OAEP-256","enc":"A256GCM"}'),
    'a header with a member twice': headed('{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}'),
    'a header with a member twice, once escaped': headed(
      '{"alg":"RSA-OAEP-256","\\u0061lg":"RSA-OAEP-256","enc":"A256GCM"}',
    ),
    'a header over 2 kB': headed({ filler: 'x'.repeat(3_000) }),
    'a header nested deep': headed(
      `{"alg":"RSA-OAEP-256","enc":"A256GCM","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    ),
    'a header without algorithms': headed('{}'),
  },
  algorithm: {
    RSA1_5: headed({ alg: 'RSA1_5' }),
    'RSA-OAEP with SHA-1': headed({ alg: 'RSA-OAEP' }),
    'a direct key': headed({ alg: 'dir' }),
    'a key wrap': headed({ alg: 'A256KW' }),
    'a password': headed({ alg: 'PBES2-HS512+A256KW', p2s: 'AAAA', p2c: 1_000_000 }),
    'an algorithm in another letter case': headed({ alg: 'rsa-oaep-256' }),
    'content encryption with CBC': headed({ enc: 'A128CBC-HS256' }),
    'content encryption in another letter case': headed({ enc: 'a256gcm' }),
  },
  'forbidden header': {
    'a compressed content': headed({ zip: 'DEF' }),
    'a critical extension': headed({ crit: ['exp'], exp: 1 }),
    'no critical extension': headed({ crit: [] }),
    'a key set to fetch': headed({ jku: 'http://127.0.0.1:9/keys' }),
    'a certificate to fetch': headed({ x5u: 'http://127.0.0.1:9/cert' }),
    'a key in the header': (bank) => forge(bank, { header: { jwk: bank.publicJwk } }),
    'a certificate in the header': headed({ x5c: ['AAAA'] }),
  },
  'wrong key': {
    'the name of our key on a token for another': (bank, partner) => forge({ ...partner, kid: bank.kid }),
  },
  tampered: {
    'another protected header': (bank) => {
      const [, ...rest] = good(bank).split('.');
      const header = JSON.stringify({ alg: bank.alg, enc: 'A256GCM', kid: bank.kid, typ: 'x' });
      return [Buffer.from(header).toString('base64url'), ...rest].join('.');
    },
    'a flipped encrypted key': part(1, flip),
    'a flipped IV': part(2, flip),
    'a flipped ciphertext': part(3, flip),
    'a flipped tag': part(4, flip),
    'a tag of 12 bytes': flawed({ tagBytes: 12 }),
    'a tag that is too long': part(4, (text) => `${text.slice(0, -2)}AAAA`),
    'an IV of 16 bytes': flawed({ iv: randomBytes(16) }),
    'an encrypted key of no bytes': part(1, () => 'AA'),
    'an encrypted key of zeros': part(1, (text) => 'A'.repeat(text.length)),
    'an encrypted key over the modulus': part(1, (text) => '_'.repeat(text.length - 1).concat('w')),
    'a CEK of 16 bytes': flawed({ cek: randomBytes(16) }),
    'a CEK of 33 bytes': flawed({ cek: randomBytes(33) }),
  },
  'bad content': {
    'content that is no JSON': (bank) => seal(CANARY, bank),
    'content in bad UTF-8': flawed({ plaintext: Buffer.from('22ff22', 'hex') }),
    'content with a byte order mark': flawed({ plaintext: '\ufeff"x"' }),
    'content of nothing': flawed({ plaintext: '' }),
    'content nested over the limit': flawed({ plaintext: '['.repeat(5_000) + ']'.repeat(5_000) }),
  },
};

const REFERENCE = post(PAYMENTS, { encrypted_payee: 'a.b.c.d.e' });
const BEFORE_ANY_KEY: readonly Row[] = [
  'malformed token',
  'long token',
  'bad header',
  'algorithm',
  'forbidden header',
];

const badTokens: ServerCase[] = Object.entries(BAD_TOKENS).flatMap(([row, tokens]) =>
  Object.entries(tokens).map(([name, make]) => ({
    name: `bad token, ${row}: ${name}`,
    row: row as Row, // Object.entries() does not keep it
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: new Made(({ bank, partner }) => make(bank, partner)) }), {
      ...refused('token_invalid'),
      sameAs: REFERENCE,
      ...(BEFORE_ANY_KEY.includes(row as Row) && { keyOperations: 0 }),
    }),
  })),
);

const KEY_REJECTED: Outcome = {
  status: 422,
  handler: 'not called',
  json: { errors: [{ code: 'invalid', source: 'encryption key', title: 'invalid encryption key' }] },
  headers: { 'set-cookie': null },
  keyOperations: 0,
};

const UNKNOWN_KEYS: Readonly<Record<string, string>> = {
  'that is unknown': 'unknown',
  'that every object has': '__proto__',
  'that is a method of every object': 'constructor',
  'that is a path': '../../etc/passwd',
  'that is SQL': "' OR 1=1 --",
  'with a line break': 'a\r\nset-cookie: b=1',
  'of no letters': '',
};

const keyRejections: ServerCase[] = [
  ...Object.entries(UNKNOWN_KEYS).map(
    ([name, kid]): ServerCase => ({
      name: `a key ${name} is rejected in the form of the profile`,
      row: 'unknown key',
      base: STANDARD,
      ...once(post(PAYMENTS, { encrypted_payee: new Made(({ bank }) => forge(bank, { header: { kid } })) }), [
        KEY_REJECTED,
        // An id of no letters may just as well be a bad header.
        ...(kid === '' ? [refused('token_invalid')] : []),
      ]),
    }),
  ),
  {
    name: 'a key that is revoked is rejected in the form of the profile',
    row: 'unknown key',
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: new Made(({ revoked }) => forge(revoked)) }), KEY_REJECTED),
  },
];

/** Tokens that are made once, however often they are sent. */
const made = new WeakMap<Keys, Promise<string>>();

const AGAIN: Step = {
  send: post(PAYMENTS, {
    encrypted_payee: new Made((keys) => {
      const token = made.get(keys) ?? seal(JSON.stringify(CANARY), keys.bank);
      made.set(keys, token);
      return token;
    }),
  }),
  expect: { status: 200, handler: { body: { payee: CANARY } }, json: { payee: MASK } },
};

const accepted: ServerCase[] = [
  {
    name: 'a token made by another implementation is opened, with one private-key operation',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { encrypted_payee: new Made(({ bank }) => forge(bank, { plaintext: `"${CANARY}"` })) }),
      { status: 200, handler: { body: { payee: CANARY } }, keyOperations: 1 },
    ),
  },
  {
    name: 'a token without the name of its key is opened',
    base: STANDARD,
    ...once(
      post(PAYMENTS, {
        encrypted_payee: new Made(({ bank }) => forge(bank, { header: { kid: undefined }, plaintext: '1' })),
      }),
      { status: 200, handler: { body: { payee: 1 } } },
    ),
  },
  {
    name: '5 MB of dots are refused before any key is used',
    row: 'long token',
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: '.'.repeat(5_000_000) }), TOO_LARGE),
  },
  {
    name: 'the same token sent twice is opened twice',
    base: STANDARD,
    steps: [AGAIN, AGAIN],
  },
];

export const tokens: readonly ServerCase[] = [...badTokens, ...keyRejections, ...accepted];
