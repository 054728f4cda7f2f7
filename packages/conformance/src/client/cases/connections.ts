import { CANARY } from '../../server/answers.js';
import { opensAs } from '../../server/case.js';
import { type ClientBase, type ClientCase, type ClientStep, get, once, post, type Sending } from '../case.js';
import type { Answer } from '../provider.js';
import { MESSAGES, ONE_PAYMENT, OPEN, PAYEE, PAYMENTS, REMOTE, SECRET, STANDARD } from './standard.js';

function answering(...answers: readonly Answer[]): ClientBase {
  return { ...STANDARD, provider: { answers } };
}

/** The path of the policy, and what its body is on the wire. */
const WAYS = [
  [PAYMENTS, { json: { encrypted_payee: opensAs(PAYEE) } }],
  [MESSAGES, { message: SECRET }],
] as const;

const redirections: ClientCase[] = [
  ...([307, 308] as const).flatMap((status) =>
    WAYS.flatMap(([path, wire]): ClientCase[] => [
      {
        name: `a redirection ${status} of ${path} takes the ciphertext along`,
        base: answering({ way: 'redirect', status, location: path }, { way: 'handle' }),
        ...once(
          post(path, SECRET),
          { status: 200, body: SECRET },
          { arrived: [wire, wire], resent: true, handled: [SECRET] },
        ),
      },
      {
        name: `a redirection ${status} of ${path} to a path outside the policy takes the ciphertext along`,
        base: answering({ way: 'redirect', status, location: OPEN }, { way: 'raw', body: { id: 7 } }),
        ...once(
          post(path, SECRET),
          { status: 200, body: { id: 7 } },
          {
            arrived: [{ url: path }, { url: OPEN, ...wire }],
            resent: true,
            ...(path === MESSAGES && {
              events: [{ type: 'plaintext_received', operation: `POST ${MESSAGES}`, path: '$' }],
            }),
          },
        ),
      },
    ]),
  ),
  ...([301, 302, 303] as const).map(
    (status): ClientCase => ({
      name: `a redirection ${status} shows nothing`,
      base: answering({ way: 'redirect', status, location: ONE_PAYMENT }, { way: 'handle', body: SECRET }),
      ...once(
        post(PAYMENTS, SECRET),
        { status: 200, body: SECRET },
        { arrived: [{}, { url: ONE_PAYMENT, text: '' }] },
      ),
    }),
  ),
  {
    name: 'a redirection from outside the policy into it sends nothing in plain',
    base: answering({ way: 'redirect', status: 307, location: PAYMENTS }, { way: 'handle' }),
    ...once(post(OPEN, { id: 7 }), {}, { arrived: [{ url: OPEN }, { url: PAYMENTS, text: '{"id":7}' }] }),
  },
  {
    name: 'redirections without an end are an error',
    base: answering({ way: 'redirect', status: 307, location: PAYMENTS }),
    ...once(post(PAYMENTS, SECRET), { error: 'any' }, { resent: true }),
  },
];

const aborts: ClientCase[] = [
  {
    name: 'a call that is broken off before it begins sends nothing',
    base: STANDARD,
    ...once(post(PAYMENTS, SECRET, { abort: 'before' }), { error: 'aborted' }, { arrived: 0 }),
  },
  {
    name: 'a call that is broken off while keys are fetched sends nothing',
    base: REMOTE,
    ...once(
      post(PAYMENTS, SECRET, { abort: 'key fetch' }),
      { error: 'aborted' },
      { arrived: 0, keyFetches: 1 },
    ),
  },
  {
    name: 'a call that is broken off while the provider works fails',
    base: answering({ way: 'hang' }),
    ...once(post(PAYMENTS, SECRET, { abort: 'arrival' }), { error: 'aborted' }, { arrived: 1 }),
  },
  {
    name: 'a call that is broken off in the middle of its answer fails',
    base: answering({ way: 'stall' }),
    ...once(post(PAYMENTS, SECRET, { abort: 'answer' }), { error: 'aborted' }, { arrived: 1 }),
  },
  {
    name: 'a call that is broken off after a rejection, while keys are fetched, is not sent again',
    base: REMOTE,
    steps: [
      { send: post(PAYMENTS, SECRET), expect: { body: SECRET } },
      {
        provider: { generation: 'second' },
        send: post(PAYMENTS, SECRET, { abort: 'key fetch' }),
        expect: { error: 'aborted' },
      },
    ],
    afterwards: { arrived: 2, keyFetches: 2 },
  },
  {
    name: 'a call after one that was broken off works',
    base: answering({ way: 'hang' }, { way: 'handle' }),
    steps: [
      { send: post(PAYMENTS, SECRET, { abort: 'arrival' }), expect: { error: 'aborted' } },
      { send: post(PAYMENTS, SECRET), expect: { status: 200, body: SECRET } },
    ],
    afterwards: { arrived: 2 },
  },
  {
    name: 'a call whose time is up fails',
    base: answering({ way: 'hang' }),
    ...once(post(PAYMENTS, SECRET, { timeout: 50 }), { error: 'timed out' }, { arrived: 1 }),
  },
  {
    name: 'a call whose time is up in the middle of its answer fails',
    base: answering({ way: 'stall' }),
    ...once(
      post(PAYMENTS, SECRET, { timeout: 80 }),
      { error: 'any' },
      {
        arrived: 1,
      },
    ),
  },
];

const many: ClientCase[] = [
  {
    name: 'calls one after the other share connections',
    base: STANDARD,
    steps: Array.from({ length: 6 }, () => [post(PAYMENTS, SECRET), post(MESSAGES, SECRET), get(ONE_PAYMENT)])
      .flat()
      .map((send) => ({ send, expect: { status: 200 } })),
    // Where one kind of call kept its connection, there would be six. Node's `fetch` gives one back a turn too late.
    afterwards: { arrived: 18, connections: 4 },
  },
  {
    name: 'fifty calls at once are not mixed up',
    base: answering(
      ...Array.from(
        { length: 50 },
        (_, n): Answer => ({
          way: 'handle',
          later: (n * 7) % 20,
          status: n % 3 === 0 ? 409 : 200,
        }),
      ),
    ),
    how: 'at once',
    steps: Array.from({ length: 50 }, (_, n): ClientStep => {
      const body = { n, payee: `${CANARY}-${n}`, mandate_id: `${CANARY}-mandate-${n}` };
      return { send: post(PAYMENTS, body), expect: { body } };
    }),
    afterwards: { arrived: 50 },
  },
  {
    name: 'fields, messages and others at once are not mixed up',
    base: STANDARD,
    how: 'at once',
    steps: Array.from({ length: 24 }, (_, n): ClientStep => {
      const secret = { n, payee: `${CANARY}-${n}` };
      const sends: readonly Sending[] = [post(PAYMENTS, secret), post(MESSAGES, secret), post(OPEN, { n })];
      return { send: sends[n % 3] as Sending, expect: { status: 200, body: n % 3 === 2 ? { n } : secret } }; // there are three
    }),
    afterwards: { arrived: 24 },
  },
];

const LARGE = 'x'.repeat(1_000_000);

const large: ClientCase[] = [
  {
    name: 'a body of 1 MB beside an encrypted field goes both ways',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { filler: LARGE, ...SECRET }),
      { status: 200, body: { filler: LARGE, ...SECRET } },
      { arrived: [{ json: { filler: LARGE, encrypted_payee: opensAs(PAYEE) } }] },
    ),
  },
  {
    name: 'a field of 1 MB goes both ways where the application allows it',
    base: { ...STANDARD, limits: { tokenLength: 4_000_000 } },
    ...once(
      post(PAYMENTS, { payee: { filler: LARGE, name: CANARY } }),
      { status: 200, body: { payee: { filler: LARGE, name: CANARY } } },
      { arrived: 1 },
    ),
  },
  {
    name: 'a whole message of 1 MB goes both ways where the application allows it',
    base: { ...STANDARD, limits: { messageLength: 4_000_000 } },
    ...once(
      post(MESSAGES, { filler: LARGE, ...SECRET }),
      { status: 200, body: { filler: LARGE, ...SECRET } },
      { arrived: [{ message: { filler: LARGE, ...SECRET } }] },
    ),
  },
];

export const connections: readonly ClientCase[] = [...aborts, ...many, ...large];
export { redirections };
