import { CANARY } from '../answers.js';
import {
  type Base,
  get,
  JOSE,
  MASK,
  type Outcome,
  once,
  opensAs,
  post,
  protectedOrWithheld,
  refused,
  type ServerCase,
  sealed,
  WITHHELD,
} from '../case.js';
import { PAYMENTS, STANDARD } from './standard.js';

const ITEMS = Array.from({ length: 200 }, (_, i) => ({ id: i, text: 'compressible '.repeat(4) }));
const TEXT = JSON.stringify({ payee: CANARY, items: ITEMS });

const casesOf = (where: 'inside' | 'outside', coding: string): ServerCase[] => {
  const base: Base = { ...STANDARD, compression: where };
  const headers = { 'accept-encoding': coding };
  const name = (what: string): string => `${what}, ${coding} ${where} the adapter`;
  return [
    {
      name: name('a redacted answer shows nothing once it is decompressed'),
      base,
      ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY), items: ITEMS }, { headers }), {
        status: 200,
        json: { payee: MASK, items: ITEMS },
        // What is compressed inside may be sent as it was before: the adapter has to read it.
        headers: where === 'outside' ? { 'content-encoding': coding } : {},
      }),
    },
    {
      name: name('an encrypted answer can be opened once it is decompressed'),
      base,
      ...once(
        post(PAYMENTS, { encrypted_payee: sealed(CANARY), items: ITEMS }, { headers, recipient: 'encrypt' }),
        { status: 200, json: { encrypted_payee: opensAs(CANARY), items: ITEMS } },
      ),
    },
    {
      name: name('a message can be opened once it is decompressed'),
      base,
      ...once(
        post(PAYMENTS, { encrypted_payee: sealed(CANARY), items: ITEMS }, { headers, recipient: 'message' }),
        { status: 200, message: { payee: CANARY, items: ITEMS } },
      ),
    },
    {
      name: name('text shows nothing'),
      base,
      routes: [
        {
          method: 'GET',
          path: '/v2/ways/zipped-text',
          answer: { way: 'text', text: TEXT + TEXT, headers: { 'content-type': 'text/plain' } },
        },
      ],
      ...once(get('/v2/ways/zipped-text', { headers }), { status: 500 }),
    },
    {
      name: name('a stream shows nothing'),
      base,
      routes: [
        {
          method: 'GET',
          path: '/v2/ways/zipped-stream',
          answer: {
            way: 'stream',
            chunks: [TEXT.slice(0, 99), TEXT.slice(99)],
            headers: { 'content-type': 'application/json' },
          },
        },
      ],
      ...once(get('/v2/ways/zipped-stream', { headers }), protectedOrWithheld({ payee: MASK, items: ITEMS })),
    },
    {
      name: name('JSON by several writes shows nothing'),
      base,
      routes: [
        {
          method: 'GET',
          path: '/v2/ways/zipped-writes',
          answer: {
            way: 'write',
            chunks: [TEXT.slice(0, 99), TEXT.slice(99)],
            headers: { 'content-type': 'application/json' },
          },
        },
      ],
      ...once(get('/v2/ways/zipped-writes', { headers }), protectedOrWithheld({ payee: MASK, items: ITEMS })),
    },
    {
      name: name('a thrown error shows nothing'),
      base,
      routes: [
        {
          method: 'GET',
          path: '/v2/ways/zipped-error',
          answer: { way: 'throw', status: 409, message: CANARY },
        },
      ],
      ...once(get('/v2/ways/zipped-error', { headers }), { status: 409 }),
    },
    {
      name: name('a refusal can be read'),
      base,
      ...once(post(PAYMENTS, { payee: CANARY }, { headers }), refused('plaintext_refused', 'payee')),
    },
    {
      name: name('a whole message that does not belong is refused'),
      base,
      ...once(post(PAYMENTS, sealed(1), { headers: { ...headers, ...JOSE } }), {
        status: [400, 415],
        handler: 'not called',
      }),
    },
    {
      name: name('the keys can be read'),
      base,
      ...once(get('/.well-known/jwks.json', { headers }), {
        status: 200,
        includes: { keys: [{ kty: 'RSA' }] },
      }),
    },
    {
      name: name('an answer outside the policy passes'),
      base,
      ...once(post('/v2/open', { items: ITEMS }, { headers }), {
        status: 200,
        json: { items: ITEMS },
        headers: { 'content-encoding': coding },
      }),
    },
  ];
};

/** What is compressed inside cannot be read by every adapter: then it is withheld. Compressed outside, nothing is. */
function orWithheld(one: ServerCase): ServerCase {
  const steps = one.steps.map(({ send, expect = [] }) => ({
    send,
    expect: [...[expect].flat(), WITHHELD] as Outcome[],
  }));
  return { ...one, steps };
}

function andRead(one: ServerCase): ServerCase {
  return { ...one, name: `${one.name}, and is not withheld`, needs: ['compression: inside, and read'] };
}

const CODINGS = ['gzip', 'br'];
const inside = CODINGS.flatMap((coding) => casesOf('inside', coding));

export const compression: readonly ServerCase[] = [
  ...CODINGS.flatMap((coding) => casesOf('outside', coding)),
  ...inside.map(orWithheld),
  ...inside.filter(({ name }) => /answer|message can|keys/.test(name)).map(andRead),
];
