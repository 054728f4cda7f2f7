import { CANARY } from '../../server/answers.js';
import { opensAs } from '../../server/case.js';
import { type ClientBase, type ClientCase, type ClientStep, post } from '../case.js';
import type { Answer, ProviderSetup } from '../provider.js';
import { MESSAGES, OPEN, PAYEE, PAYMENTS, REMOTE, SECRET } from './standard.js';

const FAILS: Answer = { way: 'handle', status: 503 };
const WORKS: Answer = { way: 'handle' };

const WIRE = {
  fields: { json: { encrypted_payee: opensAs(PAYEE) } },
  'a whole message': { message: SECRET },
} as const;
const PATHS = { fields: PAYMENTS, 'a whole message': MESSAGES } as const;
const WHAT = ['fields', 'a whole message'] as const;

function retrying(position: 'before' | 'after', answers: readonly Answer[]): ClientBase {
  return { ...REMOTE, around: { position, retries: true }, provider: { answers } };
}

/** By a library that sends again what has failed. */
const byLibrary: ClientCase[] = (['before', 'after'] as const).flatMap((position): ClientCase[] => [
  ...WHAT.map(
    (what): ClientCase => ({
      name: `a retry library registered ${position} has ${what} encrypted once, anew each time`,
      base: retrying(position, [FAILS, FAILS, WORKS]),
      steps: [{ send: post(PATHS[what], SECRET), expect: { status: 200, body: SECRET } }],
      afterwards: {
        arrived: [WIRE[what], WIRE[what], WIRE[what]],
        handled: [SECRET, SECRET, SECRET],
        keyFetches: 1,
      },
    }),
  ),
  {
    name: `a retry library registered ${position} has a dropped request encrypted once`,
    base: retrying(position, [{ way: 'drop' }, { way: 'break off' }, WORKS]),
    steps: [{ send: post(PAYMENTS, SECRET), expect: { status: 200, body: SECRET } }],
    afterwards: { arrived: [WIRE.fields, WIRE.fields, WIRE.fields] },
  },
  {
    name: `a retry library registered ${position} that gives up hands on the decrypted error`,
    base: retrying(position, [FAILS]),
    steps: [{ send: post(PAYMENTS, SECRET), expect: { status: 503, body: SECRET } }],
    afterwards: { arrived: 3, handled: [SECRET, SECRET, SECRET] },
  },
  {
    name: `a retry library registered ${position} sends what is outside the policy as it was`,
    base: retrying(position, [FAILS, FAILS, WORKS]),
    steps: [{ send: post(OPEN, { payee: 'open' }), expect: { status: 200, body: { payee: 'open' } } }],
    afterwards: { arrived: [1, 2, 3].map(() => ({ text: '{"payee":"open"}' })) },
  },
  {
    name: `a retry library registered ${position} keeps calls at once apart`,
    base: retrying(position, [...Array.from({ length: 10 }, () => FAILS), WORKS]),
    how: 'at once',
    steps: Array.from({ length: 10 }, (_, n) => ({
      send: post(PAYMENTS, { n, payee: `${CANARY}-${n}` }),
      expect: { status: 200, body: { n, payee: `${CANARY}-${n}` } },
    })),
    afterwards: { arrived: 20 },
  },
  {
    name: `a retry library registered ${position} and a rejected key do not get into each other's way`,
    base: retrying(position, [WORKS]),
    steps: [
      { send: post(PAYMENTS, SECRET), expect: { body: SECRET } },
      {
        provider: { generation: 'second', answers: [FAILS, WORKS, WORKS] },
        send: post(PAYMENTS, SECRET),
        expect: { status: 200, body: SECRET },
      },
    ],
    afterwards: { arrived: 3, keyFetches: 2, handled: [SECRET, SECRET] },
  },
  {
    name: `a retry library registered ${position} cannot make a refused body leave`,
    base: retrying(position, [WORKS]),
    steps: [
      { send: post(PAYMENTS, { payee: CANARY, encrypted_payee: 'a.b.c.d.e' }), expect: { error: 'any' } },
    ],
    afterwards: { arrived: 0 },
  },
  {
    name: `a retry library registered ${position} cannot make a body leave without keys`,
    base: { ...retrying(position, [WORKS]), keys: 'out of reach' },
    steps: [{ send: post(PAYMENTS, SECRET), expect: { error: 'keys_unavailable' } }],
    afterwards: { arrived: 0 },
  },
]);

function again(
  provider?: Partial<ProviderSetup>,
  expect: ClientStep['expect'] = { status: 200, body: SECRET },
): ClientStep {
  return { send: 'again', expect, ...(provider && { provider }) };
}

/** From an error, by the application itself. */
const byHand: ClientCase[] = [
  ...WHAT.flatMap((what): ClientCase[] => [
    {
      name: `an error sent again has ${what} encrypted once, anew`,
      base: { ...REMOTE, provider: { answers: [FAILS, WORKS] } },
      steps: [{ send: post(PATHS[what], SECRET), expect: { status: 503, body: SECRET } }, again()],
      afterwards: { arrived: [WIRE[what], WIRE[what]], handled: [SECRET, SECRET] },
    },
    {
      name: `an error sent again and again has ${what} encrypted once`,
      base: { ...REMOTE, provider: { answers: [FAILS, FAILS, FAILS, WORKS] } },
      steps: [
        { send: post(PATHS[what], SECRET), expect: { status: 503 } },
        again(undefined, { status: 503 }),
        again(undefined, { status: 503 }),
        again(),
      ],
      afterwards: { arrived: Array.from({ length: 4 }, () => WIRE[what]) },
    },
    {
      name: `an error of a dropped connection sent again has ${what} encrypted once`,
      base: { ...REMOTE, provider: { answers: [{ way: 'drop' }, WORKS] } },
      steps: [{ send: post(PATHS[what], SECRET), expect: { error: 'any' } }, again()],
      afterwards: { arrived: [WIRE[what], WIRE[what]] },
    },
  ]),
  {
    name: 'an error sent again after a rotation is encrypted to the new key',
    base: { ...REMOTE, provider: { answers: [FAILS, WORKS] } },
    steps: [{ send: post(PAYMENTS, SECRET), expect: { status: 503 } }, again({ generation: 'second' })],
    afterwards: { arrived: [WIRE.fields, WIRE.fields, WIRE.fields], keyFetches: 2 },
  },
  {
    name: 'an error sent again after encryption was taken off leaves encrypted all the same',
    base: { ...REMOTE, provider: { answers: [FAILS, WORKS] } },
    steps: [
      { send: post(PAYMENTS, SECRET), expect: { status: 503 } },
      { send: 'eject' },
      again(undefined, {}),
    ],
    afterwards: { arrived: [WIRE.fields, WIRE.fields], resent: true },
  },
  ...([PAYMENTS, MESSAGES] as const).map(
    (path): ClientCase => ({
      name: `an error of a call to ${path} that was broken off before it left has its body when it is sent again`,
      base: REMOTE,
      steps: [{ send: post(path, SECRET, { abort: 'before' }), expect: { error: 'aborted' } }, again()],
      afterwards: { arrived: 1, handled: [SECRET] },
    }),
  ),
  {
    name: 'an error outside the policy sent again is what it was',
    base: { ...REMOTE, provider: { answers: [FAILS, WORKS] } },
    steps: [
      { send: post(OPEN, { payee: 'open' }), expect: { status: 503 } },
      again(undefined, { status: 200, body: { payee: 'open' } }),
    ],
    afterwards: { arrived: [{ text: '{"payee":"open"}' }, { text: '{"payee":"open"}' }] },
  },
];

export const retries: readonly ClientCase[] = [...byLibrary, ...byHand];
