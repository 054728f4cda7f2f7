import type { EncryptionKey } from '@e2ee/core';
import { CANARY } from '../../server/answers.js';
import { forge, seal } from '../../server/keys.js';
import { expectNoCall, trapUrl } from '../../trap.js';
import { type ClientBase, type ClientCase, once, post } from '../case.js';
import { type Answer, Tokens } from '../provider.js';
import { PAYMENTS, SECRET, STANDARD } from './standard.js';

/* Edges of the table of threats that the other groups leave open. */

type Make = (client: EncryptionKey) => unknown;

const answer = (make: Make): Answer => ({
  way: 'raw',
  body: { encrypted_payee: new Tokens(({ client }) => make(client)) },
});
const answering = (...makes: readonly Make[]): ClientBase => ({
  ...STANDARD,
  provider: { answers: makes.map(answer) },
});
const MALFORMED = answer(() => 'a.b.c.d.e');

/** What a header names to be fetched, at an address where somebody does listen. */
const fetched: ClientCase[] = ['jku', 'x5u'].map((member) => ({
  name: `a token whose ${member} names an address fails like every bad token, and nobody calls there`,
  base: answering(
    async (client) => forge(client, { header: { [member]: await trapUrl(`/${member}`) } }),
    async (client) => {
      await expectNoCall();
      return seal('1', client);
    },
  ),
  steps: [
    { send: post(PAYMENTS, SECRET), expect: { error: 'token_invalid' } },
    { send: post(PAYMENTS, SECRET), expect: { status: 200, body: { payee: 1 } } },
  ],
}));

/** A good token with the border between two neighbouring parts moved by a byte. */
function shifted(client: EncryptionKey, left: number): string {
  const parts = forge(client, { plaintext: JSON.stringify(CANARY) })
    .split('.')
    .map((part) => Buffer.from(part, 'base64url'));
  const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = parts.slice(left, left + 2);
  const both = Buffer.concat([one, other]);
  const border = one.length - 1;
  const moved = parts.with(left, both.subarray(0, border)).with(left + 1, both.subarray(border));
  return moved.map((part) => part.toString('base64url')).join('.');
}

const headed =
  (header: string): Make =>
  (client) =>
    forge(client, { header });

const BAD_TOKENS: Readonly<Record<string, Make>> = {
  'a token in its JSON form': (client) => {
    const [protectedHeader, encrypted_key, iv, ciphertext, tag] = forge(client).split('.');
    return JSON.stringify({ protected: protectedHeader, encrypted_key, iv, ciphertext, tag });
  },
  'a header in bad UTF-8': (client) =>
    forge(client, { header: Buffer.from('7b22616c67223a22ff227d', 'hex') }),
  'a header with a byte order mark': headed('\ufeff{"alg":"RSA-OAEP-256","enc":"A256GCM"}'),
  'a header with a member twice, once escaped': headed(
    '{"alg":"RSA-OAEP-256","\\u0061lg":"RSA-OAEP-256","enc":"A256GCM"}',
  ),
  'a header nested deep': headed(
    `{"alg":"RSA-OAEP-256","enc":"A256GCM","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  ),
  'an algorithm in another letter case': (client) => forge(client, { header: { alg: 'rsa-oaep-256' } }),
  'a password': (client) =>
    forge(client, { header: { alg: 'PBES2-HS512+A256KW', p2s: 'AAAA', p2c: 1_000_000 } }),
  'a moved border of the encrypted key': (client) => shifted(client, 1),
  'a moved border of the IV': (client) => shifted(client, 2),
  'a moved border of the ciphertext': (client) => shifted(client, 3),
  'an encrypted key that is the modulus': (client) =>
    forge(client, { encryptedKey: Buffer.from(String(client.publicJwk.n), 'base64url') }),
  'an encrypted key that is a byte short': (client) => forge(client, { encryptedKey: Buffer.alloc(255, 1) }),
};

const badTokens: ClientCase[] = Object.entries(BAD_TOKENS).map(([name, make]) => ({
  name: `bad token, at the edge: ${name}`,
  base: answering(make),
  ...once(post(PAYMENTS, SECRET), { error: 'token_invalid', sameAs: MALFORMED }, { arrived: 1 }),
}));

const unknownKeys: ClientCase[] = Object.entries({
  'a line break': `x\r\nset-cookie: ${CANARY}`,
  'an escape of terminals': `\u001b[2J${CANARY}`,
}).map(([what, kid]) => ({
  name: `the name of an unknown key with ${what} in it shows in no error and no log`,
  base: answering((client) => forge(client, { header: { kid } })),
  ...once(post(PAYMENTS, SECRET), { error: 'key_rejected' }, { arrived: 1, keyFetches: 0 }),
}));

export const refusals: readonly ClientCase[] = [...fetched, ...badTokens, ...unknownKeys];
