import { CANARY } from '../../server/answers.js';
import { MASK } from '../../server/case.js';
import { forge, seal } from '../../server/keys.js';
import { type ClientBase, type ClientCase, get, Left, NOTHING, once, post, unsent } from '../case.js';
import { type Answer, Tokens } from '../provider.js';
import { MESSAGES, OPEN, PAYMENTS, SECRET, STANDARD, typed } from './standard.js';

const JOSE = { 'content-type': 'application/jose' } as const;

/** A base whose provider answers so, whatever it is asked. */
function answering(...answers: readonly Answer[]): ClientBase {
  return { ...STANDARD, provider: { answers } };
}

/** A token to the client, made by another implementation. */
function message(value: unknown, header: object = { cty: 'json' }): Tokens {
  return new Tokens(({ client }) => forge(client, { header, plaintext: JSON.stringify(value) }));
}

const bothWays: ClientCase[] = [
  {
    name: 'a body leaves as one token and its answer comes back in plain',
    base: STANDARD,
    ...once(
      post(MESSAGES, SECRET),
      { status: 200, body: SECRET, headers: { 'content-type': 'application/json' } },
      { arrived: [{ method: 'POST', url: MESSAGES, message: SECRET }], handled: [SECRET] },
    ),
  },
  ...[0, false, '007', [], {}, [1, [2, { payee: CANARY }]], { a: null }, 'Zoë 🏦'].map(
    (value): ClientCase => ({
      name: `a whole message may answer with ${JSON.stringify(value)}`,
      base: answering({ way: 'handle', body: value }),
      ...once(post(MESSAGES, SECRET), { status: 200, body: value }, { arrived: [{ message: SECRET }] }),
    }),
  ),
  ...[[], {}, [1, [2, { payee: CANARY }]], { a: null }, [null]].map(
    (value): ClientCase => ({
      name: `a whole message may ask with ${JSON.stringify(value)}`,
      base: answering({ way: 'handle' }),
      ...once(
        post(MESSAGES, value),
        { status: 200, body: value },
        { arrived: [{ message: value }], handled: [value] },
      ),
    }),
  ),
  {
    name: 'a whole message from a client of fields is opened, whatever the policy says of fields',
    base: answering({ way: 'handle', to: 'message' }),
    ...once(post(PAYMENTS, SECRET), { body: SECRET, headers: { 'content-type': 'application/json' } }),
  },
  {
    name: 'a whole message from another implementation is opened',
    base: answering({ way: 'raw', headers: JOSE, body: message(SECRET) }),
    ...once(get(MESSAGES), { status: 200, body: SECRET }),
  },
  ...['application/json', 'JSON', undefined].map(
    (cty): ClientCase => ({
      name: `a whole message is opened whose content is announced as ${cty ?? 'nothing'}`,
      base: answering({ way: 'raw', headers: JOSE, body: message(SECRET, { cty }) }),
      ...once(get(MESSAGES), { status: 200, body: SECRET }),
    }),
  ),
  ...['Application/JOSE', 'application/jose; charset=utf-8', 'application/jose;charset="UTF-8"'].map(
    (type): ClientCase => ({
      name: `a whole message is opened under the type ${type}`,
      base: answering({ way: 'raw', headers: { 'content-type': type }, body: message(SECRET) }),
      ...once(get(MESSAGES), { status: 200, body: SECRET }),
    }),
  ),
  {
    name: 'a whole message on an operation outside the policy is opened',
    base: answering({ way: 'raw', headers: JOSE, body: message(SECRET) }),
    ...once(get(OPEN), { status: 200, body: SECRET }),
  },
  {
    name: 'what looks like a token inside a whole message is a value',
    base: answering({
      way: 'raw',
      headers: JOSE,
      body: new Tokens(async ({ client }) =>
        forge(client, { plaintext: JSON.stringify({ encrypted_payee: 'a.b.c.d.e' }) }),
      ),
    }),
    ...once(post(PAYMENTS, {}), { status: 200, body: { encrypted_payee: 'a.b.c.d.e' } }),
  },
  ...[400, 404, 409, 422, 500, 503].map(
    (status): ClientCase => ({
      name: `a whole message of status ${status} is opened`,
      base: answering({ way: 'handle', status, body: SECRET }),
      ...once(post(MESSAGES, SECRET), { status, body: SECRET }, { arrived: 1 }),
    }),
  ),
];

const exceptions: ClientCase[] = [
  {
    name: 'a whole message is left as it is by a client without keys, and reported',
    base: { ...answering({ way: 'raw', headers: JOSE, body: message({ a: 1 }) }), withoutKeyRing: true },
    ...once(
      get(MESSAGES),
      { status: 200, body: new Left({ a: 1 }), headers: { 'content-type': 'application/jose' } },
      { events: [{ type: 'ciphertext_left', operation: `GET ${MESSAGES}`, path: '$' }] },
    ),
  },
  {
    name: 'a body that is redacted whole stays so',
    base: answering({ way: 'handle', to: 'none', body: { a: 'open' } }),
    ...once(post(MESSAGES, SECRET), { status: 200, body: { a: MASK } }),
  },
  {
    name: 'a body in plain where a whole message is due is handed on and reported',
    base: answering({ way: 'raw', body: { a: 1 } }),
    ...once(
      post(MESSAGES, SECRET),
      { status: 200, body: { a: 1 } },
      { events: [{ type: 'plaintext_received', operation: `POST ${MESSAGES}`, path: '$' }] },
    ),
  },
  {
    name: 'an error in plain where a whole message is due is handed on',
    base: answering({ way: 'raw', status: 400, body: { errors: [] } }),
    ...once(post(MESSAGES, SECRET), { status: 400, body: { errors: [] } }),
  },
  {
    name: 'an answer without content where a whole message is due is handed on',
    base: answering({ way: 'raw', status: 204 }),
    ...once(post(MESSAGES, SECRET), { status: 204, body: NOTHING }),
  },
  {
    name: 'a whole message that is empty is handed on',
    base: answering({ way: 'raw', headers: JOSE, body: '' }),
    ...once(post(MESSAGES, SECRET), { status: 200, body: NOTHING }),
  },
  ...Object.entries({
    'a text': () => CANARY,
    'JSON in plain': () => JSON.stringify(SECRET),
    'a token that is no JSON inside': ({ client }) => seal(CANARY, client),
    'a token for the provider': ({ published }) => seal(JSON.stringify(SECRET), published.first),
    'two tokens': ({ client }) => `${forge(client)}\n${forge(client)}`,
  } satisfies Record<string, ConstructorParameters<typeof Tokens>[0]>).map(
    ([name, make]): ClientCase => ({
      name: `${name} under the type of a whole message fails like every bad token`,
      base: answering({ way: 'raw', headers: JOSE, body: new Tokens(make) }),
      ...once(post(MESSAGES, SECRET), [
        {
          error: name === 'a token for the provider' ? 'key_rejected' : 'token_invalid',
          ...(name !== 'a token for the provider' && {
            sameAs: { way: 'raw', headers: JOSE, body: 'a.b.c.d.e' },
          }),
        },
      ]),
    }),
  ),
  {
    name: 'a whole message over the limit of the application fails',
    base: {
      ...answering({ way: 'raw', headers: JOSE, body: message({ a: 'x'.repeat(3_000) }) }),
      limits: { messageLength: 2_000 },
    },
    ...once(get(MESSAGES), { error: 'token_invalid' }),
  },
  {
    name: 'a whole message that is too long to be taken is not sent',
    base: STANDARD,
    ...unsent(post(MESSAGES, { a: CANARY.repeat(50_000) }), { error: 'limit_exceeded', path: '$' }),
  },
  {
    name: 'a whole message that is no JSON is not sent',
    base: STANDARD,
    ...unsent(post(MESSAGES, CANARY, typed('text/plain')), { error: 'media_type_unsupported' }),
  },
];

export const wholeMessages: readonly ClientCase[] = [...bothWays, ...exceptions];
