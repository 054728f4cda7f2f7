import type { EncryptionKey } from '@e2ee/core';
import { expectNoCall, trapUrl } from '../../trap.js';
import { CANARY, type OddValue } from '../answers.js';
import {
  type Base,
  get,
  Made,
  type Outcome,
  once,
  opensAs,
  post,
  refused,
  type ServerCase,
  UNREADABLE,
} from '../case.js';
import { forge, seal } from '../keys.js';
import { ACCOUNTS, PAYMENTS, STANDARD, wayPath } from './standard.js';

/* Edges of the table of threats that the other groups leave open. */

const REFERENCE = post(PAYMENTS, { encrypted_payee: 'a.b.c.d.e' });
const REFUSED: Outcome = { ...refused('token_invalid'), sameAs: REFERENCE };
const UNTOUCHED: Outcome = { ...REFUSED, keyOperations: 0 };

const payee = (make: Made['make']): object => ({ encrypted_payee: new Made(make) });
const secret = (bank: EncryptionKey): string => forge(bank, { plaintext: JSON.stringify(CANARY) });

/** What a header names to be fetched, at an address where somebody does listen. */
const fetched: ServerCase[] = ['jku', 'x5u'].map((member) => ({
  name: `a token whose ${member} names an address is refused, and nobody calls there`,
  row: 'forbidden header',
  base: STANDARD,
  steps: [
    {
      send: post(
        PAYMENTS,
        payee(async ({ bank }) => forge(bank, { header: { [member]: await trapUrl(`/${member}`) } })),
      ),
      expect: UNTOUCHED,
    },
    {
      send: post(
        PAYMENTS,
        payee(async ({ bank }) => {
          await expectNoCall();
          return seal('1', bank);
        }),
      ),
      expect: { status: 200, handler: { body: { payee: 1 } } },
    },
  ],
}));

const LOGGED: Base = { ...STANDARD, logger: true };

/** Each holds what no event, log or answer may show. */
const KIDS: Readonly<Record<string, string>> = {
  'a line break': `x\r\nset-cookie: ${CANARY}`,
  'a path': `../../${CANARY}`,
  SQL: `' OR '${CANARY}'='${CANARY}`,
  'an escape of terminals': `\u001b[2J${CANARY}`,
  'a lookup': `$\u007bjndi:ldap://${CANARY}}`,
};

const unknownKeys: ServerCase[] = Object.entries(KIDS).map(([what, kid]) => ({
  name: `the name of an unknown key with ${what} in it is neither shown nor printed nor reported`,
  row: 'unknown key',
  base: LOGGED,
  ...once(
    post(
      PAYMENTS,
      payee(({ bank }) => forge(bank, { header: { kid } })),
    ),
    { status: 422, handler: 'not called', headers: { 'set-cookie': null }, keyOperations: 0 },
  ),
}));

/** A good token with the border between two neighbouring parts moved by so many bytes. */
function shifted(bank: EncryptionKey, left: number, by: number): string {
  const parts = secret(bank)
    .split('.')
    .map((part) => Buffer.from(part, 'base64url'));
  const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = parts.slice(left, left + 2);
  const both = Buffer.concat([one, other]);
  const border = one.length + by;
  const moved = parts.with(left, both.subarray(0, border)).with(left + 1, both.subarray(border));
  return moved.map((part) => part.toString('base64url')).join('.');
}

const borders: ServerCase[] = [
  ['the encrypted key and the IV', 1],
  ['the IV and the ciphertext', 2],
  ['the ciphertext and the tag', 3],
].flatMap(([where, left]) =>
  [-1, 1].map(
    (by): ServerCase => ({
      name: `bad token, tampered: the border between ${where} is moved by ${by}`,
      row: 'tampered',
      base: STANDARD,
      ...once(
        post(
          PAYMENTS,
          payee(({ bank }) => shifted(bank, Number(left), by)),
        ),
        UNTOUCHED,
      ),
    }),
  ),
);

const encryptedKeys: ServerCase[] = Object.entries<(bank: EncryptionKey) => Uint8Array>({
  'is the modulus': ({ publicJwk }) => Buffer.from(String(publicJwk.n), 'base64url'),
  'is one': () => Buffer.concat([Buffer.alloc(255), Buffer.of(1)]),
  'is a byte short': () => Buffer.alloc(255, 1),
  'is a byte long': () => Buffer.alloc(257, 1),
}).map(([what, encryptedKey]) => ({
  name: `bad token, tampered: the encrypted key ${what}`,
  row: 'tampered',
  base: STANDARD,
  ...once(
    post(
      PAYMENTS,
      payee(({ bank }) => forge(bank, { encryptedKey: encryptedKey(bank) })),
    ),
    REFUSED,
  ),
}));

const TOKEN_LENGTH = 16_384;

/** A good token of exactly so many characters. */
function tokenOf(length: number, bank: EncryptionKey): string {
  for (const filler of ['', 'x', 'xx', 'xxx']) {
    const header = { filler };
    const missing = length - forge(bank, { header, plaintext: '' }).length;
    if (missing % 4 === 1) continue; // no bytes are written in so many characters
    return forge(bank, { header, plaintext: JSON.stringify('x'.repeat(Math.floor((missing * 3) / 4) - 2)) });
  }
  throw new Error(`There is no token of ${length} characters`);
}

/** A good token with a protected header of exactly so many bytes. */
function headedBy(bytes: number, bank: EncryptionKey): string {
  const least = JSON.stringify({ alg: bank.alg, enc: 'A256GCM', kid: bank.kid, filler: '' }).length;
  return forge(bank, { header: { filler: 'x'.repeat(bytes - least) } });
}

const OPENED: Outcome = { status: 200, handler: 'called', keyOperations: 1 };

const edges: ServerCase[] = [
  {
    name: 'a token of 16,384 characters is opened',
    row: 'long token',
    base: STANDARD,
    ...once(
      post(
        PAYMENTS,
        payee(({ bank }) => tokenOf(TOKEN_LENGTH, bank)),
      ),
      OPENED,
    ),
  },
  {
    name: 'a token of one character more is refused before any key is used',
    row: 'long token',
    base: STANDARD,
    ...once(
      post(
        PAYMENTS,
        payee(({ bank }) => tokenOf(TOKEN_LENGTH + 1, bank)),
      ),
      UNTOUCHED,
    ),
  },
  {
    name: 'a header of 2,048 bytes is read',
    row: 'bad header',
    base: STANDARD,
    ...once(
      post(
        PAYMENTS,
        payee(({ bank }) => headedBy(2_048, bank)),
      ),
      OPENED,
    ),
  },
  {
    name: 'a header of one byte more is refused before any key is used',
    row: 'bad header',
    base: STANDARD,
    ...once(
      post(
        PAYMENTS,
        payee(({ bank }) => headedBy(2_049, bank)),
      ),
      UNTOUCHED,
    ),
  },
];

const NESTED = `{"account_number":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;

const unparsed: ServerCase[] = (['after', 'none'] as const).map((parser) => ({
  name: `a body 50,000 deep that no parser has read is refused, and the process goes on, parsers ${parser}`,
  row: 'deep body',
  base: { ...STANDARD, parser },
  steps: [
    { send: post(ACCOUNTS, NESTED), expect: UNREADABLE },
    { send: post('/v2/open', { id: 1 }), expect: { status: 200, handler: 'called' } },
  ],
}));

/** Types of content that say something odd of its characters. */
const CHARSETS = [
  'application/json; charset=utf-7',
  'application/json; charset=utf-16le',
  'application/json; charset=utf-8; charset=utf-16le',
  'application/json; charset=utf-16le; charset=utf-8',
  'application/json; charset="utf-16le"',
  'application/json; charset=nothing',
];

const charsets: ServerCase[] = (['before', 'after', 'none'] as const).flatMap((parser) =>
  CHARSETS.map(
    (type): ServerCase => ({
      name: `a body under ${type} is no way around the policy, parsers ${parser}`,
      row: 'unread body',
      base: { ...STANDARD, parser },
      ...once(post(ACCOUNTS, { account_number: CANARY }, { headers: { 'content-type': type } }), UNREADABLE),
    }),
  ),
);

/** What JSON makes of odd values; nothing where JSON refuses them. */
const ODD: Readonly<Record<OddValue, { readonly payee: unknown; readonly at?: string } | undefined>> = {
  'an object with toJSON': { payee: CANARY },
  'a member with toJSON': { payee: CANARY },
  'a date': { payee: CANARY, at: '1970-01-01T00:00:00.000Z' },
  'a map': { payee: {} },
  'an undefined member': { payee: { name: CANARY } },
  'a class instance': { payee: CANARY },
  'a cycle': undefined,
  'a BigInt': undefined,
  'a getter that throws': undefined,
  'a toJSON that throws': undefined,
  'a value too deep': undefined,
};

const odd: ServerCase[] = Object.entries(ODD).flatMap(([name, value]) => {
  const path = wayPath(name);
  const { payee: inside, ...rest } = value ?? {};
  const others = { ...rest, ...(name === 'a map' && { other: CANARY.length }) };
  const expected: Readonly<Record<'encrypt' | 'message', Outcome>> = {
    encrypt: { status: 200, json: { encrypted_payee: opensAs(inside), ...others } },
    message: { status: 200, message: { payee: inside, ...others } },
  };
  return (['encrypt', 'message'] as const).map(
    (recipient): ServerCase => ({
      name: `no plaintext leaves to a recipient of ${recipient} as ${name}`,
      row: 'odd values',
      base: STANDARD,
      // Object.entries() does not keep what kind of a name it is.
      routes: [{ method: 'GET', path, answer: { way: 'odd', value: name as OddValue } }],
      ...once(get(path, { recipient }), value ? expected[recipient] : { status: 500 }),
    }),
  );
});

export const refusals: readonly ServerCase[] = [
  ...fetched,
  ...unknownKeys,
  ...borders,
  ...encryptedKeys,
  ...edges,
  ...unparsed,
  ...charsets,
  ...odd,
];
