import { type Answer, CANARY } from '../answers.js';
import {
  type Base,
  get,
  MASK,
  type Outcome,
  once,
  opensAs,
  post,
  type ServerCase,
  sealed,
  TOO_LARGE,
} from '../case.js';
import type { Row } from '../rows.js';
import { PAYMENTS, STANDARD, wayPath } from './standard.js';

const MESSAGE = `There is no account for ${CANARY}`;

/** What handlers throw, and the status of the answer. */
const THROWS: Readonly<Record<string, readonly [answer: Extract<Answer, { way: 'throw' }>, status: number]>> =
  {
    'an error': [{ way: 'throw', message: MESSAGE }, 500],
    'an error after a while': [{ way: 'throw', message: MESSAGE, later: true }, 500],
    'an error with details': [{ way: 'throw', message: MESSAGE, details: { payee: CANARY } }, 500],
    'an error of status 400': [{ way: 'throw', message: MESSAGE, status: 400 }, 400],
    'an error of status 404': [{ way: 'throw', message: MESSAGE, status: 404 }, 404],
    'an error of status 409 after a while': [
      { way: 'throw', message: MESSAGE, status: 409, later: true },
      409,
    ],
    'an error of status 422 with details': [
      { way: 'throw', message: MESSAGE, status: 422, details: { payee: CANARY } },
      422,
    ],
    'an error of status 503': [{ way: 'throw', message: MESSAGE, status: 503 }, 503],
  };

const thrown: ServerCase[] = Object.entries(THROWS).map(([name, [answer, status]]) => ({
  name: `${name} shows nothing in the framework's own answer`,
  row: 'ways out',
  base: STANDARD,
  routes: [{ method: 'POST', path: wayPath(`thrown ${name}`), answer }],
  ...once(post(wayPath(`thrown ${name}`), { encrypted_payee: sealed(CANARY) }), {
    status,
    handler: { body: { payee: CANARY } },
  }),
}));

const HANDLED: Base = { ...STANDARD, errorHandler: true };

const handled: ServerCase[] = Object.entries(THROWS).flatMap(
  ([name, [thrownAnswer, status]]): ServerCase[] => {
    const answer = { ...thrownAnswer, details: { payee: { name: CANARY }, code: 7 } };
    const path = wayPath(`handled ${name}`);
    const route = { method: 'POST', path, answer } as const;
    const body = { encrypted_payee: sealed(CANARY) };
    return [
      {
        name: `${name} is redacted in the JSON of the application's error handler`,
        row: 'ways out',
        base: HANDLED,
        routes: [route],
        ...once(post(path, body), { status, json: { failed: true, payee: { name: MASK }, code: 7 } }),
      },
      {
        name: `${name} is encrypted in the JSON of the application's error handler`,
        row: 'ways out',
        base: HANDLED,
        routes: [route],
        ...once(post(path, body, { recipient: 'encrypt' }), {
          status,
          json: { failed: true, encrypted_payee: opensAs({ name: CANARY }), code: 7 },
        }),
      },
    ];
  },
);

const statuses: ServerCase[] = [
  ...[201, 202, 400, 401, 403, 404, 409, 422, 500, 502, 503].map(
    (status): ServerCase => ({
      name: `JSON of status ${status} is redacted`,
      row: 'ways out',
      base: STANDARD,
      routes: [
        {
          method: 'GET',
          path: `/v2/ways/status-${status}`,
          answer: { way: 'json', status, body: { error: 'x', payee: { name: CANARY } } },
        },
      ],
      ...once(get(`/v2/ways/status-${status}`), { status, json: { error: 'x', payee: { name: MASK } } }),
    }),
  ),
  ...[400, 500].map(
    (status): ServerCase => ({
      name: `text of status ${status} keeps the status and loses the text`,
      row: 'ways out',
      base: STANDARD,
      routes: [
        {
          method: 'GET',
          path: `/v2/ways/text-${status}`,
          answer: { way: 'text', status, text: MESSAGE, headers: { 'content-type': 'text/plain' } },
        },
      ],
      ...once(get(`/v2/ways/text-${status}`), { status }),
    }),
  ),
  {
    name: "the framework's own 404 keeps its status where the policy covers the path",
    row: 'ways out',
    base: STANDARD,
    ...once(get('/v2/ways/nowhere'), { status: 404, handler: 'not called' }),
  },
  {
    name: "the framework's own 404 shows nothing of a body that was decrypted",
    row: 'ways out',
    base: STANDARD,
    routes: [{ method: 'POST', path: '/v2/ways/not-found', answer: { way: 'not found' } }],
    ...once(post('/v2/ways/not-found', { encrypted_payee: sealed(CANARY) }), { status: 404 }),
  },
  {
    name: 'a method that the path does not have is answered without plaintext',
    row: 'ways out',
    base: STANDARD,
    ...once(
      { method: 'PUT', target: PAYMENTS, body: { payee: CANARY } },
      { status: [404, 405], handler: 'not called' },
    ),
  },
  {
    name: 'a body of an unsupported type is answered without plaintext',
    row: 'canary',
    base: STANDARD,
    ...once(post(PAYMENTS, CANARY, { headers: { 'content-type': 'application/xml' } }), {
      status: [400, 415],
      handler: 'not called',
    }),
  },
  {
    name: 'a body that is too large is answered without plaintext',
    row: 'canary',
    base: STANDARD,
    ...once(post(PAYMENTS, { payee: CANARY.repeat(250_000) }), TOO_LARGE),
  },
];

/** What stops a response from being encrypted, and the status that the client gets. */
const FAILURES: Readonly<Record<string, Outcome['status']>> = {
  'out of reach': [500, 503],
  'message out of reach': [500, 503],
  'with a broken key': 500,
  'with a key for another algorithm': 500,
  'lookup throws': 500,
  'lookup rejects': 500,
};

const failedEncryption: ServerCase[] = [
  ...Object.entries(FAILURES).map(
    ([recipient, status]): ServerCase => ({
      name: `a recipient ${recipient} gets an error, and neither plaintext nor masks`,
      row: 'failed encryption',
      base: STANDARD,
      ...once(post(PAYMENTS, { encrypted_payee: sealed(CANARY) }, { recipient }), {
        status,
        handler: { body: { payee: CANARY } },
        text: /^(?!.*REDACTED)/s,
      }),
    }),
  ),
  ...['without a key', 'none'].map(
    (recipient): ServerCase => ({
      name: `a recipient ${recipient} gets masks`,
      row: 'failed encryption',
      base: STANDARD,
      ...once(post(PAYMENTS, { encrypted_mandate_id: sealed(CANARY, 'text') }, { recipient }), {
        status: 200,
        json: { mandate_id: MASK },
      }),
    }),
  ),
  {
    name: 'masks are sent where the adapter was given no recipient',
    row: 'failed encryption',
    base: { ...STANDARD, withoutRecipients: true },
    ...once(post(PAYMENTS, { encrypted_mandate_id: sealed(CANARY, 'text') }, { recipient: 'encrypt' }), {
      status: 200,
      json: { mandate_id: MASK },
    }),
  },
];

/** What a peer may send on purpose: each is refused, and none is shown, printed or reported. */
const HOSTILE: Readonly<Record<string, object | string>> = {
  'in a protected field': { payee: CANARY },
  'in both forms of a field': { payee: CANARY, encrypted_payee: sealed(CANARY) },
  'in place of a token': { encrypted_payee: CANARY },
  'in a token of no JSON': { encrypted_payee: sealed(CANARY, 'text') },
  'in a list in place of the body': [CANARY],
};

const canaries: ServerCase[] = Object.entries(HOSTILE).map(([name, body]) => ({
  name: `a secret ${name} is neither shown nor printed nor reported`,
  row: 'canary' as Row,
  base: { ...STANDARD, logger: true },
  ...once(post(PAYMENTS, body), { status: 400, handler: 'not called' }),
}));

export const errors: readonly ServerCase[] = [
  ...thrown,
  ...handled,
  ...statuses,
  ...failedEncryption,
  ...canaries,
];
