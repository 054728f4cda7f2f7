import { CANARY } from '../../server/answers.js';
import { opensAs } from '../../server/case.js';
import { type ClientBase, type ClientCase, once, post } from '../case.js';
import type { ClientSurroundings, Outgoing } from '../subject.js';
import { JSON_TYPE, OPEN, PAYEE, PAYMENTS, SECRET, STANDARD } from './standard.js';

const POSITIONS = ['before', 'after'] as const;

function around(surroundings: ClientSurroundings, position?: 'before' | 'after'): ClientBase {
  const { response: _, sign: __, ...rest } = surroundings;
  return { ...STANDARD, around: { ...rest, ...(position && { position }) } };
}

const ENCRYPTED = { arrived: [{ json: { encrypted_payee: opensAs(PAYEE) } }], handled: [SECRET] } as const;

const changes: Readonly<
  Record<
    string,
    { change: (outgoing: Outgoing) => Outgoing | Promise<Outgoing>; send?: ReturnType<typeof post> }
  >
> = {
  'changes nothing': { change: (outgoing) => outgoing },
  'takes its time': {
    change: async (outgoing) => {
      await new Promise((done) => setTimeout(done, 5));
      return outgoing;
    },
  },
  'turns a path outside the policy into one of it': {
    change: (outgoing) => ({ ...outgoing, path: PAYMENTS }),
    send: post(OPEN, SECRET),
  },
  'changes the method': {
    change: (outgoing) => ({ ...outgoing, method: 'POST' }),
    send: { method: 'PUT', path: PAYMENTS, body: SECRET },
  },
  'adds a field to the body': {
    change: (outgoing) => ({ ...outgoing, body: { ...(outgoing.body as object), payee: PAYEE } }),
    send: post(PAYMENTS, {}),
  },
  'replaces the body by the text of JSON': {
    change: (outgoing) => ({ ...outgoing, body: JSON.stringify(SECRET) }),
    send: post(PAYMENTS, {}, { headers: JSON_TYPE }),
  },
  'adds a header': {
    change: (outgoing) => ({ ...outgoing, headers: { ...outgoing.headers, 'x-own': 'a' } }),
  },
};

const interceptors: ClientCase[] = POSITIONS.flatMap((position): ClientCase[] => [
  ...Object.entries(changes).map(
    ([name, { change, send = post(PAYMENTS, SECRET) }]): ClientCase => ({
      name: `an interceptor registered ${position} that ${name} leaves nothing in plain`,
      base: around({ request: change }, position),
      ...once(send, { status: 200, body: SECRET }, ENCRYPTED),
    }),
  ),
  {
    name: `an interceptor registered ${position} that turns a path of the policy into another has the say`,
    base: around({ request: (outgoing) => ({ ...outgoing, path: OPEN }) }, position),
    ...once(
      post(PAYMENTS, { payee: 'open' }),
      { status: 200, body: { payee: 'open' } },
      { arrived: [{ url: OPEN, json: { payee: 'open' } }] },
    ),
  },
  {
    name: `an interceptor registered ${position} that puts bytes in the place of the body keeps it from leaving`,
    base: around({ request: (outgoing) => ({ ...outgoing, body: Buffer.from(CANARY) }) }, position),
    ...once(post(PAYMENTS, {}), { error: 'any' }, { arrived: 0 }),
  },
  {
    name: `an interceptor registered ${position} that throws keeps the request from leaving`,
    base: around(
      {
        request: () => {
          throw new Error('refused');
        },
      },
      position,
    ),
    ...once(post(PAYMENTS, SECRET), { error: 'any' }, { arrived: 0 }),
  },
]);

const transformations: ClientCase[] = [
  {
    name: 'a transformation decides what leaves: the policy holds for its result',
    base: around({
      transform: (body) => {
        const { mandateId, ...rest } = body as Record<string, unknown>; // of this case
        return { ...rest, mandate_id: mandateId };
      },
    }),
    ...once(
      post(PAYMENTS, { mandateId: CANARY, id: 7 }),
      { status: 200, body: { mandate_id: CANARY, id: 7 } },
      { arrived: [{ json: { id: 7, encrypted_mandate_id: opensAs(CANARY, 'text') } }] },
    ),
  },
  {
    name: 'a transformation of the text decides what leaves: the policy holds for its result',
    base: around({ transformText: (text) => JSON.stringify({ ...JSON.parse(text), meta: { a: CANARY } }) }),
    ...once(
      post(PAYMENTS, { id: 7 }),
      { status: 200, body: { id: 7, meta: { a: CANARY } } },
      { arrived: [{ json: { id: 7, meta: { encrypted_a: opensAs(CANARY) } } }] },
    ),
  },
  {
    name: 'a transformation that makes a text of no JSON keeps it from leaving',
    base: around({ transformText: (text) => `${text}${CANARY}` }),
    ...once(post(PAYMENTS, SECRET), { error: 'body_unreadable' }, { arrived: 0 }),
  },
  {
    name: 'a transformation that makes bytes keeps them from leaving',
    base: around({ transform: () => Buffer.from(CANARY) }),
    ...once(post(PAYMENTS, SECRET), { error: 'any' }, { arrived: 0 }),
  },
];

const others: ClientCase[] = [
  {
    name: 'the last step sees what is sent, so that it can sign it',
    base: { ...STANDARD, signs: true },
    ...once(post(PAYMENTS, SECRET), { body: SECRET }, { ...ENCRYPTED, signed: true }),
  },
  {
    name: 'headers of the caller arrive as they are',
    base: STANDARD,
    ...once(
      post(PAYMENTS, SECRET, {
        headers: { 'idempotency-key': 'k-1', 'x-trace': 't', authorization: 'Bearer b' },
      }),
      { body: SECRET },
      {
        arrived: [
          {
            headers: {
              'idempotency-key': 'k-1',
              'x-trace': 't',
              authorization: 'Bearer b',
              'content-type': /^application\/json/,
            },
          },
        ],
      },
    ),
  },
  {
    name: 'a client end made beforehand does what options do',
    base: { ...STANDARD, madeBeforehand: true },
    ...once(post(PAYMENTS, SECRET), { status: 200, body: SECRET }, ENCRYPTED),
  },
  {
    name: 'encryption that is taken off is gone',
    base: STANDARD,
    steps: [
      { send: post(PAYMENTS, SECRET), expect: { body: SECRET } },
      { send: 'eject' },
      { send: post(OPEN, { payee: 'open' }), expect: { body: { payee: 'open' } } },
      {
        send: post(PAYMENTS, { payee: 'open' }),
        provider: { answers: [{ way: 'raw', body: { encrypted_payee: 'a.b.c.d.e' } }] },
        expect: { status: 200, body: { encrypted_payee: 'a.b.c.d.e' } },
      },
    ],
    afterwards: {
      arrived: [
        { json: { encrypted_payee: opensAs(PAYEE) } },
        { json: { payee: 'open' } },
        { json: { payee: 'open' } },
      ],
    },
  },
  {
    name: 'encryption that is taken off twice is gone',
    base: STANDARD,
    steps: [
      { send: 'eject' },
      { send: 'eject' },
      { send: post(PAYMENTS, { payee: 'open' }), expect: { status: 400 } },
    ],
    afterwards: { arrived: [{ json: { payee: 'open' } }] },
  },
];

export const surroundings: readonly ClientCase[] = [...interceptors, ...transformations, ...others];
