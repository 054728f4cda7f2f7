import { randomBytes } from 'node:crypto';
import type { EncryptionKey } from '@e2ee/core';
import { CANARY } from '../../server/answers.js';
import { type Flaws, forge, seal } from '../../server/keys.js';
import { type ClientBase, type ClientCase, once, post } from '../case.js';
import type { ClientKeys } from '../keys.js';
import { type Answer, Tokens } from '../provider.js';
import { PAYEE, PAYMENTS, SECRET, STANDARD } from './standard.js';

/** Makes a value that stands where a token is due. */
type Bad = (client: EncryptionKey, keys: ClientKeys) => unknown;

const good = (client: EncryptionKey): string => forge(client, { plaintext: JSON.stringify(CANARY) });
const flawed =
  (flaws: Flaws): Bad =>
  (client) =>
    forge(client, { plaintext: JSON.stringify(CANARY), ...flaws });
const headed = (header: NonNullable<Flaws['header']>): Bad => flawed({ header });

/** A good token with one of its five parts changed. */
function part(index: number, change: (text: string) => string): Bad {
  return (client) =>
    good(client)
      .split('.')
      .map((text, i) => (i === index ? change(text) : text))
      .join('.');
}

const flip = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

/** One error for them all. */
const BAD_TOKENS: Readonly<Record<string, Bad>> = {
  'a number': () => 7,
  null: () => null,
  'an object': () => ({ ciphertext: CANARY }),
  'a list of tokens': (client) => [good(client)],
  'an empty text': () => '',
  'a plain text': () => CANARY,
  'four segments': (client) => good(client).split('.').slice(0, 4).join('.'),
  'six segments': (client) => `${good(client)}.AAAA`,
  'an empty tag': part(4, () => ''),
  'a signed token': () => 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA',
  'an unsigned token': () => 'eyJhbGciOiJub25lIn0.e30.',
  'white space behind': (client) => `${good(client)}\n`,
  padding: (client) => `${good(client)}==`,
  'last bits that are not canonical': part(
    4,
    (text) => `${text.slice(0, -1)}${text.endsWith('B') ? 'C' : 'B'}`,
  ),
  '50,000 dots': () => '.'.repeat(50_000),
  'a header that is no JSON': headed('{"alg":'),
  'a header with a member twice': headed('{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}'),
  'a header over 2 kB': headed({ filler: 'x'.repeat(3_000) }),
  RSA1_5: headed({ alg: 'RSA1_5' }),
  'RSA-OAEP with SHA-1': headed({ alg: 'RSA-OAEP' }),
  'a direct key': headed({ alg: 'dir' }),
  'content encryption with CBC': headed({ enc: 'A128CBC-HS256' }),
  'a compressed content': headed({ zip: 'DEF' }),
  'a critical extension': headed({ crit: ['exp'], exp: 1 }),
  'a key set to fetch': headed({ jku: 'http://127.0.0.1:9/keys' }),
  'a key in the header': (client) => forge(client, { header: { jwk: client.publicJwk } }),
  'the name of our key on a token for another': (client, { published }) =>
    forge({ ...published.first, kid: client.kid }),
  'a flipped header': part(0, (text) => `${text.slice(0, -3)}${flip(text.slice(-3))}`),
  'a flipped encrypted key': part(1, flip),
  'a flipped IV': part(2, flip),
  'a flipped ciphertext': part(3, flip),
  'a flipped tag': part(4, flip),
  'a tag of 12 bytes': flawed({ tagBytes: 12 }),
  'an IV of 16 bytes': flawed({ iv: randomBytes(16) }),
  'an encrypted key of zeros': part(1, (text) => 'A'.repeat(text.length)),
  'a CEK of 16 bytes': flawed({ cek: randomBytes(16) }),
  'content that is no JSON': (client) => seal(CANARY, client),
  'content in bad UTF-8': flawed({ plaintext: Buffer.from('22ff22', 'hex') }),
  'content nested over the limit': flawed({ plaintext: '['.repeat(5_000) + ']'.repeat(5_000) }),
};

/** An answer with a good token beside a bad one. */
function answer(bad: Bad, status = 200): Answer {
  return {
    way: 'raw',
    status,
    body: {
      id: 7,
      encrypted_payee: new Tokens((keys) => bad(keys.client, keys)),
      encrypted_mandate_id: new Tokens(({ client }) => forge(client, { plaintext: CANARY })),
    },
  };
}

function answering(...answers: readonly Answer[]): ClientBase {
  return { ...STANDARD, provider: { answers } };
}

const MALFORMED = answer(() => 'a.b.c.d.e');

const badTokens: ClientCase[] = Object.entries(BAD_TOKENS).map(([name, make]) => ({
  name: `bad token: ${name}`,
  base: answering(answer(make)),
  ...once(post(PAYMENTS, SECRET), { error: 'token_invalid', sameAs: MALFORMED }, { arrived: 1 }),
}));

const inErrors: ClientCase[] = [400, 409, 500, 503].map((status) => ({
  name: `a bad token in an answer of status ${status} fails with that status in the message`,
  base: answering(answer(BAD_TOKENS['a flipped tag'] as Bad, status)),
  ...once(
    post(PAYMENTS, SECRET),
    {
      error: 'token_invalid',
      message: new RegExp(`\\b${status}\\b`),
      sameAs: answer(() => 'a.b.c.d.e', status),
    },
    { arrived: 1 },
  ),
}));

/** Ids of keys that the client does not have. */
const UNKNOWN_KEYS: Readonly<Record<string, string>> = {
  'that is unknown': 'unknown',
  'that every object has': '__proto__',
  'that is a path': '../../etc/passwd',
  'with a line break': 'a\r\nset-cookie: b=1',
};

const unknownKeys: ClientCase[] = Object.entries(UNKNOWN_KEYS).map(([name, kid]) => ({
  name: `a token for a key ${name} fails like one for any unknown key, without another attempt`,
  base: answering(answer(headed({ kid }))),
  ...once(
    post(PAYMENTS, SECRET),
    { error: 'key_rejected', sameAs: answer(headed({ kid: 'other' })) },
    { arrived: 1, keyFetches: 0 },
  ),
}));

const limits: ClientCase[] = [
  {
    name: 'a long list of tokens is opened',
    base: answering({
      way: 'raw',
      body: Array.from({ length: 100 }, (_, n) => ({
        encrypted_payee: new Tokens(({ client }) => forge(client, { plaintext: String(n) })),
      })),
    }),
    ...once(post('/v2/lists', [{ payee: PAYEE }]), {
      body: Array.from({ length: 100 }, (_, payee) => ({ payee })),
    }),
  },
  {
    name: 'more tokens than the application allows fail',
    base: {
      ...answering({
        way: 'raw',
        body: [1, 2, 3].map(() => ({ encrypted_payee: new Tokens(({ client }) => good(client)) })),
      }),
      limits: { tokens: 2 },
    },
    ...once(post('/v2/lists', [{ payee: PAYEE }]), { error: 'limit_exceeded' }),
  },
  {
    name: 'a token longer than the application allows fails',
    base: {
      ...answering(answer((client) => forge(client, { plaintext: JSON.stringify('x'.repeat(5_000)) }))),
      limits: { tokenLength: 4_000 },
    },
    ...once(post(PAYMENTS, SECRET), { error: 'token_invalid' }),
  },
  {
    name: 'a token of 100,000 characters is opened',
    base: answering({
      way: 'raw',
      body: {
        encrypted_payee: new Tokens(({ client }) => forge(client, { plaintext: `"${'x'.repeat(75_000)}"` })),
      },
    }),
    ...once(post(PAYMENTS, SECRET), { body: { payee: 'x'.repeat(75_000) } }),
  },
  {
    name: 'a field in plain and encrypted at once is not taken for either',
    base: answering({
      way: 'raw',
      body: { payee: 'open', encrypted_payee: new Tokens(({ client }) => good(client)) },
    }),
    steps: [{ send: post(PAYMENTS, SECRET) }],
    afterwards: { events: [{ type: 'plaintext_received', operation: `POST ${PAYMENTS}`, path: 'payee' }] },
  },
];

export const tokens: readonly ClientCase[] = [...badTokens, ...inErrors, ...unknownKeys, ...limits];
