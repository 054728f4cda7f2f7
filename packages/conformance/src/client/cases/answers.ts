import { CANARY } from '../../server/answers.js';
import { MASK } from '../../server/case.js';
import { forge, seal } from '../../server/keys.js';
import { type ClientBase, type ClientCase, get, Left, NOTHING, once, post } from '../case.js';
import { type Answer, Tokens } from '../provider.js';
import { JSON_TYPE, MESSAGES, ONE_PAYMENT, OPEN, PAYEE, PAYMENTS, SECRET, STANDARD } from './standard.js';

function answering(...answers: readonly Answer[]): ClientBase {
  return { ...STANDARD, provider: { answers } };
}

function sealed(value: unknown): Tokens {
  return new Tokens(({ client }) => seal(JSON.stringify(value), client));
}

const statuses: ClientCase[] = [200, 201, 202, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503].map(
  (status) => ({
    name: `an answer of status ${status} is decrypted`,
    base: answering({ way: 'handle', status, body: { title: 'told', ...SECRET } }),
    ...once(post(PAYMENTS, SECRET), { status, body: { title: 'told', ...SECRET } }, { arrived: 1 }),
  }),
);

const empty: ClientCase[] = [
  ...[204, 304, 200, 201, 404, 500].map(
    (status): ClientCase => ({
      name: `an answer of status ${status} without content is handed on`,
      base: answering({ way: 'raw', status }),
      ...once(get(ONE_PAYMENT), { status, body: NOTHING }),
    }),
  ),
  {
    name: 'an answer to HEAD is handed on',
    base: answering({ way: 'raw', body: { encrypted_payee: 'a.b.c.d.e' } }),
    ...once({ method: 'HEAD', path: ONE_PAYMENT }, { status: 200, body: NOTHING }),
  },
  ...Object.entries({
    'text/html': '<h1>Bad gateway</h1>',
    'text/plain': 'no',
    'application/json': '{"a":',
  }).flatMap(([type, text]) =>
    [200, 502].map(
      (status): ClientCase => ({
        name: `an answer of status ${status} that is no JSON is handed on under ${type}`,
        base: answering({ way: 'raw', status, headers: { 'content-type': type }, body: text }),
        ...once(post(PAYMENTS, SECRET), { status, body: text }),
      }),
    ),
  ),
  ...[null, 0, 'text', [], [1]].map(
    (value): ClientCase => ({
      name: `an answer that is ${JSON.stringify(value)} is handed on`,
      base: answering({ way: 'raw', headers: JSON_TYPE, body: JSON.stringify(value) }),
      ...once(post(PAYMENTS, SECRET), { status: 200, body: value === null ? NOTHING : value }),
    }),
  ),
];

const left: ClientCase[] = [
  {
    name: 'what is redacted is left as it is, and is not reported',
    base: answering({
      way: 'raw',
      body: { payee: MASK, mandate_id: MASK, actions: [{ source: { a: MASK } }] },
    }),
    ...once(post(PAYMENTS, SECRET), {
      body: { payee: MASK, mandate_id: MASK, actions: [{ source: { a: MASK } }] },
    }),
  },
  {
    name: 'a field in plain where it should be protected is handed on and reported',
    base: answering({ way: 'raw', body: { payee: 'open', actions: [{ source: 'open' }], id: 7 } }),
    ...once(
      post(PAYMENTS, SECRET),
      { body: { payee: 'open', actions: [{ source: 'open' }], id: 7 } },
      {
        events: [
          { type: 'plaintext_received', operation: `POST ${PAYMENTS}`, path: 'payee' },
          { type: 'plaintext_received', operation: `POST ${PAYMENTS}`, path: 'actions.#.source' },
        ],
      },
    ),
  },
  {
    name: 'a field in plain is reported in an error too',
    base: answering({ way: 'raw', status: 409, body: { payee: 'open' } }),
    ...once(
      post(PAYMENTS, SECRET),
      { status: 409, body: { payee: 'open' } },
      { events: [{ type: 'plaintext_received', operation: `POST ${PAYMENTS}`, path: 'payee' }] },
    ),
  },
  {
    name: 'fields in plain, redacted and encrypted in one answer are each taken for what they are',
    base: answering({
      way: 'raw',
      body: { encrypted_payee: sealed(PAYEE), mandate_id: MASK, meta: { a: 1, public: 2 } },
    }),
    ...once(
      post(PAYMENTS, SECRET),
      { body: { payee: PAYEE, mandate_id: MASK, meta: { a: 1, public: 2 } } },
      { events: [{ type: 'plaintext_received', operation: `POST ${PAYMENTS}`, path: 'meta.*' }] },
    ),
  },
  {
    name: 'ciphertext is left as it is by a client without keys, and reported',
    base: { ...answering({ way: 'handle' }), withoutKeyRing: true },
    ...once(
      post(PAYMENTS, SECRET),
      { status: 200, body: { encrypted_payee: new Left(PAYEE) } },
      { events: [{ type: 'ciphertext_left', operation: `POST ${PAYMENTS}`, path: 'payee' }] },
    ),
  },
  {
    name: 'ciphertext outside the policy is left as it is',
    base: answering({
      way: 'raw',
      body: { encrypted_other: sealed(1), other: { encrypted_payee: sealed(2) } },
    }),
    ...once(post(PAYMENTS, SECRET), {
      body: { encrypted_other: new Left(1), other: { encrypted_payee: new Left(2) } },
    }),
  },
  {
    name: 'ciphertext of an operation outside the policy is left as it is',
    base: answering({ way: 'raw', body: { encrypted_payee: sealed(1) } }),
    ...once(get(OPEN), { body: { encrypted_payee: new Left(1) } }),
  },
  {
    name: 'what looks like a token inside a decrypted value is a value',
    base: answering({ way: 'raw', body: { encrypted_payee: sealed({ encrypted_payee: 'a.b.c.d.e' }) } }),
    ...once(post(PAYMENTS, SECRET), { body: { payee: { encrypted_payee: 'a.b.c.d.e' } } }),
  },
  {
    name: 'names that every object has are members like others in a decrypted value',
    base: answering({
      way: 'raw',
      body: {
        encrypted_payee: new Tokens(({ client }) =>
          forge(client, { plaintext: '{"__proto__":{"a":1},"constructor":2}' }),
        ),
      },
    }),
    ...once(post(PAYMENTS, SECRET), {
      body: { payee: JSON.parse('{"__proto__":{"a":1},"constructor":2}') },
    }),
  },
  {
    name: 'a token from another implementation is opened, one without the name of its key too',
    base: answering({
      way: 'raw',
      body: {
        encrypted_payee: new Tokens(({ client }) => forge(client, { plaintext: JSON.stringify(PAYEE) })),
        meta: {
          encrypted_a: new Tokens(({ client }) =>
            forge(client, { header: { kid: undefined }, plaintext: '1' }),
          ),
        },
      },
    }),
    ...once(post(PAYMENTS, SECRET), { body: { payee: PAYEE, meta: { a: 1 } } }),
  },
  {
    name: 'an answer to a request without a body is decrypted',
    base: answering({ way: 'handle', body: SECRET }),
    ...once(get(ONE_PAYMENT), { body: SECRET }, { keyFetches: 0 }),
  },
  {
    name: 'an answer under a type of JSON with a suffix is decrypted',
    base: answering({
      way: 'raw',
      status: 422,
      headers: { 'content-type': 'application/problem+json; charset=utf-8' },
      body: { encrypted_payee: sealed(PAYEE) },
    }),
    ...once(post(PAYMENTS, SECRET), { status: 422, body: SECRET }),
  },
  {
    name: 'the headers of an answer stay, but for those of the encrypted bytes',
    base: answering({
      way: 'handle',
      headers: { etag: '"e"', 'x-request-id': 'r' },
    }),
    ...once(post(PAYMENTS, SECRET), {
      body: SECRET,
      headers: { 'x-request-id': 'r', etag: null, 'content-length': null },
    }),
  },
  {
    name: 'several headers of one name stay, each with its value',
    base: answering({ way: 'handle', headers: { 'set-cookie': ['a=1', 'b=2'] } }),
    needs: ['headers of several values'],
    ...once(post(PAYMENTS, SECRET), { body: SECRET, headers: { 'set-cookie': /a=1.*b=2/ } }),
  },
];

const forms: ClientCase[] = (['encrypt', 'message'] as const).flatMap((to): ClientCase[] => {
  const base = answering({ way: 'handle', to });
  const text = JSON.stringify(SECRET);
  return [
    {
      name: `an answer for "${to}" asked for as text is the text of plain JSON`,
      base,
      ...once(post(PAYMENTS, SECRET, { read: 'text' }), [{ body: text }, { body: SECRET }]),
    },
    {
      name: `an answer for "${to}" asked for as bytes is the bytes of plain JSON`,
      base,
      ...once(post(PAYMENTS, SECRET, { read: 'bytes' }), { body: text }),
    },
    {
      name: `an answer for "${to}" asked for as JSON is plain JSON`,
      base,
      ...once(post(PAYMENTS, SECRET, { read: 'json' }), { body: SECRET }),
    },
    {
      name: `an error for "${to}" asked for as bytes is the bytes of plain JSON`,
      base: answering({ way: 'handle', to, status: 500 }),
      ...once(post(PAYMENTS, SECRET, { read: 'bytes' }), { status: 500, body: text }),
    },
  ];
});

const others: ClientCase[] = [
  {
    name: 'an answer asked for as a stream comes as it is, to be read by the caller',
    base: answering({ way: 'handle', to: 'message', body: { a: 1 } }),
    ...once(post(MESSAGES, SECRET, { read: 'stream' }), { status: 200, body: new Left({ a: 1 }) }),
  },
  {
    name: 'an answer outside the policy is the same as text and as bytes',
    base: answering({ way: 'raw', headers: JSON_TYPE, body: ' {"a": 1.0} ' }),
    steps: (['text', 'bytes'] as const).map((read) => ({
      send: get(OPEN, { read }),
      expect: [{ body: ' {"a": 1.0} ' }, { body: { a: 1 } }],
    })),
  },
  ...([200, 500] as const).flatMap((status) =>
    (['all', 'none'] as const).map(
      (rejects): ClientCase => ({
        name: `an answer of status ${status} is decrypted by a client that rejects ${rejects}`,
        base: answering({ way: 'handle', status, body: SECRET }),
        ...once(post(PAYMENTS, SECRET, { rejects }), { status, body: SECRET }, { arrived: 1 }),
      }),
    ),
  ),
  {
    name: 'an interceptor of responses hears plain values, whether registered before',
    base: { ...answering({ way: 'handle' }), hears: true, around: { position: 'before' } },
    ...once(post(PAYMENTS, SECRET), { body: SECRET }, { heard: [SECRET] }),
  },
  {
    name: 'an interceptor of responses hears plain values, or registered after',
    base: { ...answering({ way: 'handle', status: 409 }), hears: true, around: { position: 'after' } },
    ...once(post(PAYMENTS, SECRET), { status: 409, body: SECRET }, { heard: [SECRET] }),
  },
  {
    name: 'an interceptor of errors hears plain values, registered before',
    base: { ...answering({ way: 'handle', status: 409 }), hears: true, around: { position: 'before' } },
    ...once(
      post(PAYMENTS, { mandate_id: CANARY }),
      { status: 409, body: { mandate_id: CANARY } },
      { heard: [{ mandate_id: CANARY }] },
    ),
  },
];

export const answers: readonly ClientCase[] = [...statuses, ...empty, ...left, ...forms, ...others];
