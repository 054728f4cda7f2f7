import { Readable } from 'node:stream';
import { CANARY } from '../../server/answers.js';
import { opensAs } from '../../server/case.js';
import { type ClientCase, Fresh, once, post, type Result, type Sending, unsent } from '../case.js';
import type { ClientFeature } from '../subject.js';
import { JSON_TYPE, MESSAGES, OPEN, PAYEE, PAYMENTS, SECRET, STANDARD, typed } from './standard.js';

const TEXT = JSON.stringify({ payee: CANARY });
const JSON_HEADERS = { headers: JSON_TYPE } as const;

function form(): FormData {
  const made = new FormData();
  made.append('payee', CANARY);
  return made;
}

/** Bodies that the policy covers and nobody can read as JSON. */
const UNREADABLE: Readonly<
  Record<string, { make: () => unknown; more?: Partial<Sending>; needs?: ClientFeature }>
> = {
  'a Buffer': { make: () => Buffer.from(TEXT) },
  'a Buffer called JSON': { make: () => Buffer.from(TEXT), more: JSON_HEADERS },
  'an array of bytes called JSON': { make: () => new TextEncoder().encode(TEXT), more: JSON_HEADERS },
  'a buffer of an array called JSON': {
    make: () => new TextEncoder().encode(TEXT).buffer,
    more: JSON_HEADERS,
  },
  'a Blob': { make: () => new Blob([TEXT]) },
  'a Blob called JSON': { make: () => new Blob([TEXT], { type: 'application/json' }), more: JSON_HEADERS },
  'a stream of Node': { make: () => Readable.from([TEXT]), needs: 'Node streams' },
  'a stream of Node called JSON': {
    make: () => Readable.from([TEXT]),
    more: JSON_HEADERS,
    needs: 'Node streams',
  },
  'a stream of the web called JSON': { make: () => new Blob([TEXT]).stream(), more: JSON_HEADERS },
  'a form': { make: form },
  'the parameters of a form': { make: () => new URLSearchParams({ payee: CANARY }) },
  'the parameters of a form called JSON': {
    make: () => new URLSearchParams({ payee: CANARY }),
    more: JSON_HEADERS,
  },
  'a text': { make: () => CANARY, more: typed('text/plain') },
  'a text of no type': { make: () => CANARY },
  'a text of JSON under another type': { make: () => TEXT, more: typed('text/plain') },
  'a text of JSON under the type of forms': {
    make: () => TEXT,
    more: typed('application/x-www-form-urlencoded'),
  },
  'a value under the type of forms': {
    make: () => ({ payee: CANARY }),
    more: typed('application/x-www-form-urlencoded'),
  },
  'a value under the type of forms with parts': {
    make: () => ({ payee: CANARY }),
    more: typed('multipart/form-data'),
  },
  'a value under the type of XML': { make: () => ({ payee: CANARY }), more: typed('application/xml') },
  'JSON in another charset': {
    make: () => ({ payee: CANARY }),
    more: typed('application/json; charset=utf-16'),
  },
  'a value nested too deep': {
    make: () => JSON.parse(`${'{"payee":'.repeat(200)}"${CANARY}"${'}'.repeat(200)}`),
  },
  'a value with a cycle': {
    make: () => {
      const value: Record<string, unknown> = { payee: CANARY };
      value.self = value;
      return value;
    },
    needs: 'JSON values',
  },
  'a value with a number that JSON does not have': {
    make: () => ({ payee: CANARY, amount: 1n }),
    needs: 'JSON values',
  },
  'a value whose toJSON throws': {
    make: () => ({
      payee: {
        toJSON() {
          throw new Error(`toJSON at ${CANARY}`);
        },
      },
    }),
    needs: 'JSON values',
  },
};

/** What a client itself throws while it serialises is not ours to clean. */
const OF_THE_APPLICATION = ['a value whose toJSON throws'];

const UNREAD: readonly Result[] = (
  ['body_unreadable', 'media_type_unsupported', 'limit_exceeded'] as const
).map((error) => ({ error }));

const unreadable: ClientCase[] = Object.entries(UNREADABLE).flatMap(([name, { make, more, needs }]) =>
  [PAYMENTS, MESSAGES].map(
    (path): ClientCase => ({
      name: `${name} is not sent to ${path}`,
      base: STANDARD,
      ...(needs && { needs: [needs] }),
      steps: [
        {
          send: post(path, new Fresh(make), more),
          expect: needs === 'JSON values' ? { error: 'any' } : UNREAD,
        },
      ],
      afterwards: {
        arrived: 0,
        ...(OF_THE_APPLICATION.includes(name) && {
          shows: { inLogs: 'the client hands on what the application itself has thrown' },
        }),
      },
    }),
  ),
);

const READABLE: Readonly<Record<string, Sending>> = {
  'a text of JSON called JSON': post(PAYMENTS, JSON.stringify(SECRET), JSON_HEADERS),
  'a text of JSON in UTF-8': post(PAYMENTS, JSON.stringify(SECRET), typed('application/json; charset=utf-8')),
  'a value under a type of JSON with a suffix': post(PAYMENTS, SECRET, typed('application/vnd.api+json')),
  'a value under the type of JSON in capitals': post(PAYMENTS, SECRET, typed('Application/JSON')),
  'a value with a length of its own': post(PAYMENTS, SECRET, {
    headers: { ...JSON_TYPE, 'content-length': '7' },
  }),
  'a value without a prototype': post(PAYMENTS, new Fresh(() => Object.assign(Object.create(null), SECRET))),
  'a value of a class': post(
    PAYMENTS,
    new Fresh(
      () =>
        new (class {
          payee = PAYEE;
        })(),
    ),
  ),
};

const readable: ClientCase[] = Object.entries(READABLE).map(([name, send]) => ({
  name: `${name} is encrypted`,
  base: STANDARD,
  ...once(send, { status: 200, body: SECRET }, { arrived: 1, handled: [SECRET] }),
}));

const open: ClientCase[] = [
  ...Object.entries<{ send: Sending; text: string | RegExp }>({
    'a value': { send: post(OPEN, { payee: 'x', n: [1.5, null] }), text: '{"payee":"x","n":[1.5,null]}' },
    'a text': { send: post(OPEN, 'just text', typed('text/plain')), text: 'just text' },
    'a text of JSON': { send: post(OPEN, ' {"a": 1.0} ', typed('text/plain')), text: ' {"a": 1.0} ' },
    'a Buffer': {
      send: post(OPEN, new Fresh(() => Buffer.from('bytes')), typed('application/octet-stream')),
      text: 'bytes',
    },
    'the parameters of a form': {
      send: post(OPEN, new Fresh(() => new URLSearchParams({ a: '1 2', b: '&' }))),
      text: 'a=1+2&b=%26',
    },
    'a token': {
      send: post(OPEN, { encrypted_payee: 'a.b.c.d.e' }),
      text: '{"encrypted_payee":"a.b.c.d.e"}',
    },
  }).map(
    ([name, { send, text }]): ClientCase => ({
      name: `${name} outside the policy is sent as it is`,
      base: STANDARD,
      ...once(send, { status: 200 }, { arrived: [{ text: String(text) }], keyFetches: 0 }),
    }),
  ),
  {
    name: 'another method on a path of the policy is outside it',
    base: STANDARD,
    ...once(
      { method: 'PUT', path: PAYMENTS, body: { payee: 'open' } },
      { status: 200, body: { payee: 'open' } },
      { arrived: [{ json: { payee: 'open' } }] },
    ),
  },
  ...Object.entries<Sending>({
    'with a body': post(OPEN, { payee: CANARY }),
    'without a body': { method: 'GET', path: OPEN },
    'by another method': { method: 'PUT', path: PAYMENTS, body: { payee: CANARY } },
    'that only begins like one of the policy': post('/v2/paymentsx', { payee: CANARY }),
  }).map(
    ([name, send]): ClientCase => ({
      name: `an operation outside the policy ${name} is not sent where the application says so`,
      base: { ...STANDARD, unmatched: 'refuse' },
      ...unsent(send, { error: 'operation_refused' }),
    }),
  ),
  {
    name: 'an operation of the policy is sent where others are refused',
    base: { ...STANDARD, unmatched: 'refuse' },
    ...once(
      post(PAYMENTS, SECRET),
      { status: 200, body: SECRET },
      { arrived: [{ json: { encrypted_payee: opensAs(PAYEE) } }] },
    ),
  },
  {
    name: 'a request of the policy without a body goes without one',
    base: STANDARD,
    steps: [post(PAYMENTS), { method: 'DELETE', path: '/v2/payments/1' }].map((send) => ({
      send,
      expect: { status: 200 },
    })),
    afterwards: { arrived: [{ text: '' }, { text: '' }], keyFetches: 0 },
  },
];

export const bodies: readonly ClientCase[] = [...unreadable, ...readable, ...open];
