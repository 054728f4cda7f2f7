import { CANARY } from '../answers.js';
import {
  get,
  JOSE,
  MASK,
  type Outcome,
  once,
  opensAs,
  post,
  refused,
  type ServerCase,
  type Step,
  sealed,
} from '../case.js';
import { NOTES, PAYMENTS, STANDARD, wayPath } from './standard.js';

const GOOD: Step = {
  send: post(PAYMENTS, { encrypted_payee: sealed(CANARY) }),
  expect: { status: 200, handler: { body: { payee: CANARY } }, json: { payee: MASK } },
};
const BAD: Step = {
  send: post(PAYMENTS, { encrypted_payee: 'a.b.c.d.e' }),
  expect: refused('token_invalid'),
};
const PLAIN: Step = {
  send: post(PAYMENTS, { payee: CANARY }),
  expect: refused('plaintext_refused', 'payee'),
};
const WRONG_TYPE: Step = {
  send: post(PAYMENTS, CANARY, { headers: { 'content-type': 'text/plain' } }),
  expect: { status: [400, 415], handler: 'not called' },
};
const KEYS: Step = { send: get('/.well-known/jwks.json'), expect: { status: 200 } };

/** Fifty calls with a value of their own, to two kinds of recipients. */
const FIFTY: Step[] = Array.from({ length: 50 }, (_, i) => {
  const payee = { name: `${CANARY}-${i}`, n: i };
  const [recipient, json] =
    i % 2 === 0
      ? ['encrypt', { id: i, encrypted_payee: opensAs(payee) }]
      : ['none', { id: i, payee: { name: MASK, n: MASK } }];
  return {
    send: post(PAYMENTS, { id: i, encrypted_payee: sealed(payee) }, { recipient: String(recipient) }),
    expect: { status: 200, handler: { body: { id: i, payee } }, json } as Outcome,
  };
});

const atOnce: ServerCase[] = [
  { name: 'fifty calls at once do not mix', base: STANDARD, steps: FIFTY, how: 'at once' },
  {
    name: 'refused and accepted calls at once do not mix',
    base: STANDARD,
    steps: Array.from({ length: 10 }, () => [GOOD, BAD, PLAIN]).flat(),
    how: 'at once',
  },
];

const keptAlive: ServerCase[] = [
  {
    name: 'one connection serves several calls, refusals among them',
    base: STANDARD,
    steps: [GOOD, BAD, GOOD, PLAIN, GOOD, KEYS, WRONG_TYPE, GOOD],
    how: 'on one connection',
  },
  {
    name: 'one connection serves calls after an answer was withheld',
    base: STANDARD,
    routes: [
      {
        method: 'GET',
        path: '/v2/ways/withheld-in-between',
        answer: { way: 'text', text: CANARY, headers: { 'content-type': 'text/plain' } },
      },
    ],
    steps: [GOOD, { send: get('/v2/ways/withheld-in-between'), expect: { status: 500 } }, GOOD],
    how: 'on one connection',
  },
  {
    name: 'one connection serves calls after an error was thrown',
    base: STANDARD,
    routes: [
      { method: 'GET', path: '/v2/ways/thrown-in-between', answer: { way: 'throw', message: CANARY } },
    ],
    steps: [GOOD, { send: get('/v2/ways/thrown-in-between'), expect: { status: 500 } }, GOOD],
    how: 'on one connection',
  },
  {
    name: 'one connection serves calls after a whole message was refused',
    base: STANDARD,
    steps: [
      GOOD,
      {
        send: post(PAYMENTS, 'x'.repeat(300_000), { headers: JOSE }),
        expect: { status: [400, 413, 415], handler: 'not called' },
      },
      GOOD,
    ],
    how: 'on one connection',
  },
  {
    name: 'a retry of the same call on one connection works',
    base: STANDARD,
    steps: [GOOD, GOOD, GOOD],
    how: 'on one connection',
  },
];

const LARGE = Array.from({ length: 1_000 }, (_, i) => ({ id: i, filler: 'x'.repeat(1_000) }));

const cuts: ServerCase[] = [
  {
    name: 'a client that breaks off in its body does no harm',
    base: STANDARD,
    steps: [
      {
        send: post(
          PAYMENTS,
          { encrypted_payee: sealed(CANARY), filler: 'x'.repeat(50_000) },
          { cut: 'in the body' },
        ),
      },
      GOOD,
    ],
  },
  {
    name: 'a client that breaks off in a whole message does no harm',
    base: {
      ...STANDARD,
      policy: { [`POST ${PAYMENTS}`]: { $: { request: 'encrypt', response: 'redact' } } },
    },
    steps: [
      { send: post(PAYMENTS, sealed({ filler: 'x'.repeat(50_000) }), { headers: JOSE, cut: 'in the body' }) },
      {
        send: post(PAYMENTS, sealed({ payee: CANARY }), { headers: JOSE }),
        expect: { status: 200, handler: { body: { payee: CANARY } }, json: { payee: MASK } },
      },
    ],
  },
  {
    name: 'a client that breaks off before the answer does no harm',
    base: STANDARD,
    routes: [
      { method: 'GET', path: '/v2/ways/slow', answer: { way: 'json', body: { payee: CANARY }, later: 30 } },
    ],
    steps: [
      { send: get('/v2/ways/slow', { cut: 'before the answer', recipient: 'encrypt' }) },
      {
        send: get('/v2/ways/slow', { recipient: 'encrypt' }),
        expect: { status: 200, json: { encrypted_payee: opensAs(CANARY) } },
      },
    ],
  },
  {
    name: 'a client that breaks off in a large answer does no harm',
    base: STANDARD,
    routes: [
      {
        method: 'GET',
        path: '/v2/ways/large',
        answer: { way: 'json', body: { payee: CANARY, items: LARGE } },
      },
    ],
    steps: [{ send: get('/v2/ways/large', { cut: 'in the answer' }) }, GOOD],
  },
  {
    name: 'a client that breaks off in a stream outside the policy does no harm',
    base: { ...STANDARD, withoutRecipients: true },
    routes: [
      {
        method: 'GET',
        path: '/v2/free/long',
        answer: { way: 'stream', chunks: Array.from({ length: 500 }, () => 'x'.repeat(10_000)) },
      },
    ],
    steps: [{ send: get('/v2/free/long', { cut: 'in the answer' }) }, GOOD],
  },
  {
    name: 'a stream that breaks in a covered answer shows nothing, and the next call works',
    row: 'ways out',
    base: STANDARD,
    routes: [
      {
        method: 'GET',
        path: wayPath('broken stream'),
        answer: { way: 'stream', chunks: [CANARY, CANARY], breaks: true },
      },
    ],
    steps: [{ send: get(wayPath('broken stream')), expect: { status: '5xx' } }, GOOD],
  },
];

const large: ServerCase[] = [
  {
    name: 'one token beside a megabyte in plain is opened, and redacted in the answer',
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY), items: LARGE }), {
      status: 200,
      handler: { body: { payee: CANARY, items: LARGE } },
      json: { payee: MASK, items: LARGE },
    }),
  },
  {
    name: 'one token beside a megabyte in plain goes to the partner',
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY), items: LARGE }, { recipient: 'encrypt' }), {
      status: 200,
      json: { encrypted_payee: opensAs(CANARY), items: LARGE },
    }),
  },
  {
    name: 'a megabyte goes to the partner as one message',
    base: STANDARD,
    ...once(post(NOTES, { encrypted_note: sealed(CANARY), items: LARGE }, { recipient: 'message' }), {
      status: 200,
      message: { note: CANARY, items: LARGE },
    }),
  },
];

export const connections: readonly ServerCase[] = [...atOnce, ...keptAlive, ...cuts, ...large];
