import { banked } from '@e2ee/core';
import { CANARY } from '../../server/answers.js';
import { opensAs } from '../../server/case.js';
import { type ClientCase, type ClientStep, get, once, post, unsent } from '../case.js';
import type { KeySourceName } from '../keys.js';
import type { Answer, ProviderSetup } from '../provider.js';
import { JSON_TYPE, MESSAGES, ONE_PAYMENT, OPEN, PAYEE, PAYMENTS, REMOTE, SECRET } from './standard.js';

const { keyRejection } = banked;

/** A call after which the client has the first key. */
const FIRST: ClientStep = { send: post(PAYMENTS, SECRET), expect: { status: 200, body: SECRET } };
/** The provider has new keys, and publishes them. */
const ROTATED: Partial<ProviderSetup> = { generation: 'second' };
const REJECTION: Answer = { way: 'reject the key' };

const HEADERS = { 'idempotency-key': 'key-1', authorization: 'Bearer t', 'x-trace': 't' };

const recoveries: ClientCase[] = [
  ...Object.entries({ fields: PAYMENTS, 'a whole message': MESSAGES }).map(
    ([what, path]): ClientCase => ({
      name: `a rejected key is replaced, and ${what} sent once more with the same headers`,
      base: REMOTE,
      steps: [
        FIRST,
        {
          provider: ROTATED,
          send: post(path, SECRET, { headers: HEADERS }),
          expect: { status: 200, body: SECRET },
        },
      ],
      afterwards: {
        keyFetches: 2,
        arrived: [
          {},
          { headers: HEADERS },
          {
            headers: HEADERS,
            url: path,
            ...(path === PAYMENTS ? { json: { encrypted_payee: opensAs(PAYEE) } } : { message: SECRET }),
          },
        ],
        handled: [SECRET, SECRET],
      },
    }),
  ),
  {
    name: 'a rejected key stays replaced',
    base: REMOTE,
    steps: [
      FIRST,
      { provider: ROTATED, send: post(PAYMENTS, SECRET), expect: { body: SECRET } },
      { send: post(PAYMENTS, SECRET), expect: { body: SECRET } },
      { send: post(MESSAGES, SECRET), expect: { body: SECRET } },
    ],
    afterwards: { keyFetches: 2, arrived: 5 },
  },
  ...(['all', 'none'] as const).map(
    (rejects): ClientCase => ({
      name: `a rejected key is replaced for a client that rejects ${rejects}`,
      base: REMOTE,
      steps: [
        FIRST,
        {
          provider: ROTATED,
          send: post(PAYMENTS, SECRET, { rejects }),
          expect: { status: 200, body: SECRET },
        },
      ],
      afterwards: { keyFetches: 2, arrived: 3 },
    }),
  ),
  ...(['text', 'bytes', 'json'] as const).map(
    (read): ClientCase => ({
      name: `a rejected key is replaced where the answer is asked for as ${read}`,
      base: REMOTE,
      steps: [FIRST, { provider: ROTATED, send: post(PAYMENTS, SECRET, { read }), expect: { status: 200 } }],
      afterwards: { keyFetches: 2, arrived: 3 },
    }),
  ),
  {
    name: 'a rejected key is replaced where the last step signs, and what is sent again is signed anew',
    base: { ...REMOTE, signs: true },
    steps: [FIRST, { provider: ROTATED, send: post(PAYMENTS, SECRET), expect: { body: SECRET } }],
    afterwards: { arrived: 3, signed: true },
  },
  {
    name: 'many calls that are rejected at once fetch the keys once, and all succeed',
    base: REMOTE,
    how: 'at once after the first',
    steps: [
      FIRST,
      ...Array.from(
        { length: 20 },
        (_, n): ClientStep => ({
          ...(n === 0 && { provider: { ...ROTATED, together: 20 } }),
          send: post(PAYMENTS, { payee: `${CANARY}-${n}` }),
          expect: { status: 200, body: { payee: `${CANARY}-${n}` } },
        }),
      ),
    ],
    afterwards: { arrived: 41, keyFetches: 2 },
  },
  {
    name: 'the answer to the second attempt counts, whatever it is',
    base: REMOTE,
    steps: [
      FIRST,
      {
        provider: { ...ROTATED, answers: [{ way: 'handle' }, { way: 'handle', status: 409, body: SECRET }] },
        send: post(PAYMENTS, SECRET),
        expect: { status: 409, body: SECRET },
      },
    ],
    afterwards: { arrived: 3 },
  },
  {
    name: 'a connection that drops at the second attempt fails the call',
    base: REMOTE,
    steps: [
      FIRST,
      {
        provider: { ...ROTATED, answers: [{ way: 'handle' }, { way: 'drop' }] },
        send: post(PAYMENTS, SECRET),
        expect: { error: 'any' },
      },
    ],
    afterwards: { arrived: 3 },
  },
];

const endings: ClientCase[] = [
  {
    name: 'a key that is rejected twice is the answer: there is no third attempt',
    base: REMOTE,
    steps: [
      FIRST,
      {
        provider: { ...ROTATED, answers: [REJECTION] },
        send: post(PAYMENTS, SECRET),
        expect: { status: keyRejection.status, body: keyRejection.body },
      },
    ],
    afterwards: { arrived: 3, keyFetches: 2 },
  },
  {
    name: 'a rejection is the answer where the key is the same afterwards',
    base: { ...REMOTE, provider: { answers: [REJECTION] } },
    ...once(
      post(PAYMENTS, SECRET),
      { status: keyRejection.status, body: keyRejection.body },
      { arrived: 1, keyFetches: 2 },
    ),
  },
  {
    name: 'a rejection is the answer where keys are known beforehand',
    base: { ...REMOTE, keys: 'static', provider: ROTATED },
    ...once(post(PAYMENTS, SECRET), { status: keyRejection.status }, { arrived: 1, keyFetches: 0 }),
  },
  ...Object.entries<Answer>({
    'are out of reach': { way: 'drop' },
    'are not there': { way: 'raw', status: 404 },
    'are no keys': { way: 'raw', body: '<html>' },
    'are none': { way: 'raw', body: { keys: [] } },
  }).map(
    ([what, publishes]): ClientCase => ({
      name: `a rejection is the answer where the keys ${what} then`,
      base: REMOTE,
      steps: [
        FIRST,
        {
          provider: { ...ROTATED, publishes },
          send: post(PAYMENTS, SECRET),
          expect: { status: keyRejection.status },
        },
      ],
      afterwards: { arrived: 2, keyFetches: 2 },
    }),
  ),
  {
    name: 'a second rejection soon after fetches nothing',
    base: { ...REMOTE, provider: { answers: [REJECTION] } },
    steps: [1, 2, 3].map(() => ({ send: post(PAYMENTS, SECRET), expect: { status: keyRejection.status } })),
    afterwards: { arrived: 3, keyFetches: 2 },
  },
  {
    name: 'a new key that does not encrypt ends the call, and nothing more is sent',
    base: { ...REMOTE, keys: 'broken after a refresh', provider: ROTATED },
    ...once(post(PAYMENTS, SECRET), { error: 'encryption_failed' }, { arrived: 1 }),
  },
  ...Object.entries<Answer>({
    'another error': {
      way: 'raw',
      status: 422,
      body: { errors: [{ code: 'invalid', source: 'payee', title: 'no' }] },
    },
    'no list of errors': { way: 'raw', status: 422, body: { errors: {} } },
    text: { way: 'raw', status: 422, body: 'invalid encryption key' },
    nothing: { way: 'raw', status: 422 },
    ...Object.fromEntries(
      [400, 401, 500].map((status) => [
        `the words of a rejection under status ${status}`,
        { way: 'raw', status, body: keyRejection.body } satisfies Answer,
      ]),
    ),
  }).map(
    ([what, answer]): ClientCase => ({
      name: `${what} is no rejection of the key`,
      base: { ...REMOTE, provider: { answers: [answer] } },
      ...once(post(PAYMENTS, SECRET), {}, { arrived: 1, keyFetches: 1 }),
    }),
  ),
  ...Object.entries({
    'outside the policy': post(OPEN, { a: 1 }),
    'without a body': get(ONE_PAYMENT),
    'with nothing to encrypt': post(PAYMENTS, { amount: 1 }),
  }).map(
    ([what, send]): ClientCase => ({
      name: `a request ${what} is not sent again: nothing of it was encrypted`,
      base: { ...REMOTE, provider: { answers: [REJECTION] } },
      ...once(send, { status: keyRejection.status }, { arrived: 1, keyFetches: 0 }),
    }),
  ),
];

const NO_KEYS: Readonly<Record<string, { keys?: KeySourceName; publishes?: Answer }>> = {
  'are out of reach': { keys: 'out of reach' },
  'are not there': { publishes: { way: 'raw', status: 404 } },
  'are no keys but a page': {
    publishes: { way: 'raw', headers: { 'content-type': 'text/html' }, body: '<html>' },
  },
  'are cut short': { publishes: { way: 'raw', headers: JSON_TYPE, body: '{"keys":[{"kty":' } },
  'are an object without keys': { publishes: { way: 'raw', body: {} } },
  'are none': { publishes: { way: 'raw', body: { keys: [] } } },
  'come with an error': { publishes: { way: 'raw', status: 500, body: { keys: [] } } },
  'are somewhere else': { publishes: { way: 'redirect', status: 302, location: '/elsewhere' } },
  'do not come in time': { publishes: { way: 'hang' } },
  'break off': { publishes: { way: 'break off' } },
  'have expired': { keys: 'expired' },
  'cannot be had': { keys: 'failing with an error of ours' },
};

const unavailable: ClientCase[] = Object.entries(NO_KEYS).flatMap(([what, { keys, publishes }]) =>
  (what === 'do not come in time' ? [PAYMENTS] : [PAYMENTS, MESSAGES]).map((path) => ({
    name: `nothing is sent to ${path} where the keys ${what}`,
    base: { ...REMOTE, ...(keys && { keys }), ...(publishes && { provider: { publishes } }) },
    ...unsent(post(path, SECRET), { error: 'keys_unavailable' }),
  })),
);

const failures: ClientCase[] = [
  ...(['broken', 'for another algorithm'] as const).flatMap((keys) =>
    [PAYMENTS, MESSAGES].map(
      (path): ClientCase => ({
        name: `nothing is sent to ${path} where encryption fails: the key is ${keys}`,
        base: { ...REMOTE, keys },
        ...unsent(post(path, SECRET), { error: 'encryption_failed' }),
      }),
    ),
  ),
  {
    name: 'nothing is sent where a source of keys fails in its own way',
    base: { ...REMOTE, keys: 'failing with any error' },
    ...unsent(post(PAYMENTS, SECRET), { error: 'any' }),
  },
  {
    name: 'keys that cannot be had do not stop what needs none',
    base: { ...REMOTE, keys: 'out of reach' },
    steps: [post(OPEN, { a: 1 }), get(ONE_PAYMENT), post(PAYMENTS, { amount: 1 })].map((send) => ({
      send,
      expect: { status: 200 },
    })),
    afterwards: { arrived: 3 },
  },
  {
    name: 'many first calls at once fetch the keys once',
    base: REMOTE,
    how: 'at once',
    steps: Array.from({ length: 20 }, (_, n) => ({
      send: post(PAYMENTS, { payee: `${CANARY}-${n}` }),
      expect: { body: { payee: `${CANARY}-${n}` } },
    })),
    afterwards: { arrived: 20, keyFetches: 1 },
  },
];

export const keys: readonly ClientCase[] = [...recoveries, ...endings, ...unavailable, ...failures];
