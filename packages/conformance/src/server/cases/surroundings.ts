import { CANARY } from '../answers.js';
import {
  type Base,
  get,
  JOSE,
  MASK,
  once,
  opensAs,
  post,
  refused,
  type ServerCase,
  sealed,
} from '../case.js';
import { PAYMENTS, STANDARD } from './standard.js';

const LOGGED: Base = { ...STANDARD, logger: true };

/** What a logger outside the adapter hears is what the client gets: the canary is looked for there as well. */
const logger: ServerCase[] = [
  {
    name: 'a logger outside hears masks',
    row: 'canary',
    base: LOGGED,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }), { status: 200, json: { payee: MASK } }),
  },
  {
    name: 'a logger outside hears tokens',
    row: 'canary',
    base: LOGGED,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }, { recipient: 'encrypt' }), {
      status: 200,
      json: { encrypted_payee: opensAs(CANARY) },
    }),
  },
  {
    name: 'a logger outside hears messages',
    row: 'canary',
    base: LOGGED,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }, { recipient: 'message' }), {
      status: 200,
      message: { payee: CANARY },
    }),
  },
  {
    name: 'a logger outside hears nothing of text that is withheld',
    row: 'canary',
    base: LOGGED,
    routes: [{ method: 'GET', path: '/v2/ways/logged-text', answer: { way: 'text', text: CANARY } }],
    ...once(get('/v2/ways/logged-text'), { status: 500 }),
  },
  {
    name: 'a logger outside hears nothing of writes that are withheld',
    row: 'canary',
    base: LOGGED,
    routes: [
      { method: 'GET', path: '/v2/ways/logged-writes', answer: { way: 'write', chunks: [CANARY, CANARY] } },
    ],
    ...once(get('/v2/ways/logged-writes'), { status: 500 }),
  },
  {
    name: 'a logger outside hears nothing of a thrown error',
    row: 'canary',
    base: LOGGED,
    routes: [
      {
        method: 'GET',
        path: '/v2/ways/logged-error',
        answer: { way: 'throw', message: CANARY, status: 400 },
      },
    ],
    ...once(get('/v2/ways/logged-error'), { status: 400 }),
  },
];

const SERVER: Base = { ...STANDARD, server: true };

const madeBeforehand: ServerCase[] = [
  {
    name: 'a server end made beforehand opens and redacts',
    base: SERVER,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }), {
      status: 200,
      handler: { body: { payee: CANARY } },
      json: { payee: MASK },
    }),
  },
  {
    name: 'a server end made beforehand finds the recipient by itself',
    base: SERVER,
    ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }, { recipient: 'encrypt' }), {
      status: 200,
      json: { encrypted_payee: opensAs(CANARY) },
    }),
  },
  {
    name: 'a server end made beforehand refuses',
    base: SERVER,
    ...once(post(PAYMENTS, { payee: CANARY }), refused('plaintext_refused', 'payee')),
  },
  {
    name: 'a server end made beforehand publishes the keys',
    base: SERVER,
    ...once(get('/.well-known/jwks.json'), { status: 200, includes: { keys: [{ kty: 'RSA' }] } }),
  },
];

/** Everything at once: what applications really look like. */
const FULL: Base = {
  policy: {
    [`POST /bank${PAYMENTS}`]: { payee: { request: 'encrypt', response: 'redact-or-encrypt' } },
    'POST /bank/v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
  },
  compression: 'outside',
  prefix: { path: '/bank', of: 'routes' },
  logger: true,
  errorHandler: true,
  routes: [
    { method: 'POST', path: PAYMENTS, answer: { way: 'echo' } },
    { method: 'POST', path: '/v2/messages', answer: { way: 'echo' } },
  ],
};
const ZIPPED = { 'accept-encoding': 'gzip' };

const everything: ServerCase[] = [
  {
    name: 'fields are protected with a prefix, a logger, compression and an error handler around',
    base: FULL,
    ...once(
      post(
        `/bank${PAYMENTS}`,
        { encrypted_payee: sealed(CANARY) },
        { headers: ZIPPED, recipient: 'encrypt' },
      ),
      {
        status: 200,
        handler: { body: { payee: CANARY } },
        json: { encrypted_payee: opensAs(CANARY) },
      },
    ),
  },
  {
    name: 'messages are protected with a prefix, a logger, compression and an error handler around',
    base: FULL,
    ...once(
      post('/bank/v2/messages', sealed({ payee: CANARY }), {
        headers: { ...ZIPPED, ...JOSE },
        recipient: 'encrypt',
      }),
      { status: 200, handler: { body: { payee: CANARY } }, message: { payee: CANARY } },
    ),
  },
  {
    name: 'plaintext is refused with a prefix, a logger, compression and an error handler around',
    base: FULL,
    ...once(
      post(`/bank${PAYMENTS}`, { payee: CANARY }, { headers: ZIPPED }),
      refused('plaintext_refused', 'payee'),
    ),
  },
];

export const surroundings: readonly ServerCase[] = [...logger, ...madeBeforehand, ...everything];
