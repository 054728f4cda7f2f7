import { CANARY } from '../../server/answers.js';
import { MASK, opensAs } from '../../server/case.js';
import { forge } from '../../server/keys.js';
import { type ClientBase, type ClientCase, Fresh, once, post, unsent } from '../case.js';
import { type To, Tokens } from '../provider.js';
import { ONE_PAYMENT, PAYEE, PAYMENTS, SECRET, STANDARD, typed } from './standard.js';

const REQUEST = ['encrypt', 'none'] as const;
const RESPONSE = ['encrypt', 'redact', 'redact-or-encrypt', 'none'] as const;
const ENCODING = ['json', 'text'] as const;

/** What the caller gets, by treatment and by what the client has chosen: a table of its own, so that it does not follow the code's. */
const COMES_BACK = {
  encrypt: { none: 'mask', redact: 'plain', encrypt: 'plain', message: 'plain' },
  redact: { none: 'mask', redact: 'mask', encrypt: 'mask', message: 'mask' },
  'redact-or-encrypt': { none: 'mask', redact: 'mask', encrypt: 'plain', message: 'plain' },
  none: { none: 'plain', redact: 'plain', encrypt: 'plain', message: 'plain' },
} as const;

const TABLE = REQUEST.flatMap((request) =>
  RESPONSE.flatMap((response) =>
    ENCODING.map((as) => ({ request, response, as, path: pathOf(request, response, as) })),
  ),
);

const BASE: ClientBase = {
  policy: Object.fromEntries(
    TABLE.map(({ path, request, response, as }) => [`POST ${path}`, { secret: { request, response, as } }]),
  ),
};

function pathOf(request: string, response: string, as: string): string {
  return `/request-${request}/response-${response}/${as}`;
}

const combinations: ClientCase[] = TABLE.flatMap(({ path, request, response, as }) => {
  // What is not encrypted at all is no secret.
  const word = request === 'none' ? 'open' : CANARY;
  const secret = as === 'text' ? word : { name: word, amounts: [1, null, false] };
  const masked = as === 'text' ? MASK : { name: MASK, amounts: [MASK, null, MASK] };
  const sent = request === 'none' ? { id: 7, secret } : { id: 7, encrypted_secret: opensAs(secret, as) };
  return (Object.entries(COMES_BACK[response]) as [To, 'mask' | 'plain'][]).map(([to, comes]) => ({
    name: `request ${request}, response ${response}, as ${as}, answered for "${to}": ${comes}`,
    base: { ...BASE, provider: { answers: [{ way: 'handle', to }] } },
    ...once(
      post(path, { id: 7, secret }),
      {
        status: 200,
        body: { id: 7, secret: comes === 'mask' ? masked : secret },
        headers: { 'content-type': /^application\/json/ },
      },
      {
        arrived: [{ method: 'POST', url: path, json: sent }],
        handled: [{ id: 7, secret }],
        ...(response === 'none' && { shows: { inLogs: 'the policy does not protect it in answers' } }),
      },
    ),
  }));
});

/** Values that must arrive and return exactly as they are. */
const VALUES: Readonly<Record<string, unknown>> = {
  zero: 0,
  'minus one and a half': -1.5,
  'a very large number': 1e21,
  false: false,
  true: true,
  null: null,
  'an empty text': '',
  'a text with zeros in front': '007',
  'a text of 19 digits': '1234567890123456789',
  'a text that is JSON': '{"a":1}',
  'a text that looks like a token': 'eyJhbGciOiJub25lIn0.e30.AAAA.AAAA.AAAA',
  'a text that says redacted in another way': '[redacted]',
  'letters of every kind': 'Zoë \u2028 ش 🏦 "\\\u0000',
  'an empty list': [],
  'an empty object': {},
  'lists in objects in lists': [[{ a: [{ b: [] }] }]],
};

const values: ClientCase[] = Object.entries(VALUES).map(([name, secret]) => ({
  name: `${name} reaches the provider and the caller as it is`,
  base: BASE,
  ...once(
    post(pathOf('encrypt', 'encrypt', 'json'), { secret }),
    { status: 200, body: { secret } },
    { arrived: [{ json: { encrypted_secret: opensAs(secret) } }], handled: [{ secret }] },
  ),
}));

const texts: ClientCase[] = ['', '007', 'Zoë \u2028 🏦', 'null', '{"a":1}', '1234567890123456789'].map(
  (secret) => ({
    name: `the text ${JSON.stringify(secret)} reaches the provider and the caller byte by byte`,
    base: BASE,
    ...once(
      post(pathOf('encrypt', 'encrypt', 'text'), { secret }),
      { status: 200, body: { secret } },
      { arrived: [{ json: { encrypted_secret: opensAs(secret, 'text') } }] },
    ),
  }),
);

/** As text: clients leave such names out where they copy a value. */
const ODD_NAMES = '{"secret":{"__proto__":{"a":1},"constructor":2,"":3,"a.b":4}}';

const places: ClientCase[] = [
  {
    name: 'names that every object has are members like others',
    base: BASE,
    ...once(
      post(pathOf('encrypt', 'encrypt', 'json'), ODD_NAMES, typed('application/json')),
      { status: 200, body: JSON.parse(ODD_NAMES) },
      { handled: [JSON.parse(ODD_NAMES)] },
    ),
  },
  {
    name: 'each element of a list is encrypted, where it has the field',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { actions: [{ source: PAYEE, kind: 'a' }, { kind: 'b' }, { source: 0 }] }),
      {
        body: {
          actions: [{ source: { name: MASK, iban: MASK }, kind: 'a' }, { kind: 'b' }, { source: MASK }],
        },
      },
      {
        arrived: [
          {
            json: {
              actions: [
                { encrypted_source: opensAs(PAYEE), kind: 'a' },
                { kind: 'b' },
                { encrypted_source: opensAs(0) },
              ],
            },
          },
        ],
      },
    ),
  },
  {
    name: 'a list without elements stays one',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { actions: [] }),
      { body: { actions: [] } },
      { arrived: [{ json: { actions: [] } }] },
    ),
  },
  {
    name: 'each member is encrypted, but for an exception',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { meta: { public: 'shown', note: CANARY, empty: null } }),
      { body: { meta: { public: 'shown', note: CANARY, empty: null } } },
      {
        arrived: [
          {
            json: {
              meta: { public: 'shown', encrypted_note: opensAs(CANARY), encrypted_empty: opensAs(null) },
            },
          },
        ],
      },
    ),
  },
  {
    name: 'each member of a body is encrypted, but for an exception',
    base: STANDARD,
    ...once(
      post('/v2/all', { id: 'p1', a: CANARY, b: [CANARY] }),
      { body: { id: 'p1', a: CANARY, b: [CANARY] } },
      { arrived: [{ json: { id: 'p1', encrypted_a: opensAs(CANARY), encrypted_b: opensAs([CANARY]) } }] },
    ),
  },
  {
    name: 'each element of a body that is a list is encrypted',
    base: STANDARD,
    ...once(
      post('/v2/lists', [{ payee: PAYEE, n: 1 }, { n: 2 }]),
      { body: [{ payee: PAYEE, n: 1 }, { n: 2 }] },
      { arrived: [{ json: [{ encrypted_payee: opensAs(PAYEE), n: 1 }, { n: 2 }] }] },
    ),
  },
  {
    name: 'all fields of a body are encrypted, and everything else is as it was',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { amount: '10.00', payee: PAYEE, mandate_id: CANARY, deep: { payee: 'open' } }),
      { body: { amount: '10.00', payee: PAYEE, mandate_id: CANARY, deep: { payee: 'open' } } },
      {
        arrived: [
          {
            json: {
              amount: '10.00',
              encrypted_payee: opensAs(PAYEE),
              encrypted_mandate_id: opensAs(CANARY, 'text'),
              deep: { payee: 'open' },
            },
          },
        ],
      },
    ),
  },
  {
    name: 'a field that is absent stays absent',
    base: STANDARD,
    ...once(post(PAYMENTS, { id: 7 }), { body: { id: 7 } }, { arrived: [{ json: { id: 7 } }] }),
  },
  {
    name: 'a member of another prototype is encrypted, and what JSON leaves out is left out',
    base: STANDARD,
    ...once(
      post(PAYMENTS, new Fresh(() => ({ payee: { toJSON: () => PAYEE }, at: new Date(0), gone: undefined }))),
      { body: { payee: PAYEE, at: '1970-01-01T00:00:00.000Z' } },
      { arrived: [{ json: { encrypted_payee: opensAs(PAYEE), at: '1970-01-01T00:00:00.000Z' } }] },
    ),
  },
  {
    name: 'a field that is encrypted already is sent as it is',
    base: STANDARD,
    ...once(
      post(PAYMENTS, {
        encrypted_payee: new Tokens(({ published }) =>
          forge(published.first, { plaintext: JSON.stringify(PAYEE) }),
        ),
        mandate_id: CANARY,
      }),
      { status: 200, body: { payee: PAYEE, mandate_id: CANARY } },
      {
        arrived: [
          { json: { encrypted_payee: opensAs(PAYEE), encrypted_mandate_id: opensAs(CANARY, 'text') } },
        ],
      },
    ),
  },
];

const refusals: ClientCase[] = [
  {
    name: 'a value that is no text is not sent where a text is due',
    base: STANDARD,
    ...unsent(post(PAYMENTS, { mandate_id: [CANARY] }), { error: 'field_invalid', path: 'mandate_id' }),
  },
  {
    name: 'a body of another shape than the policy needs is not sent',
    base: STANDARD,
    ...unsent(post(PAYMENTS, { actions: { source: CANARY } }), { error: 'field_invalid' }),
  },
  {
    name: 'a list is not sent where the policy knows an object',
    base: STANDARD,
    ...unsent(post(PAYMENTS, [{ payee: CANARY }]), { error: 'field_invalid' }),
  },
  {
    name: 'a field in plain and encrypted at once is not sent',
    base: STANDARD,
    ...unsent(post(PAYMENTS, { payee: CANARY, encrypted_payee: 'a.b.c.d.e' }), { error: 'field_conflict' }),
  },
  {
    name: 'a text in plain is not sent in the place of a token',
    base: STANDARD,
    ...unsent(post(PAYMENTS, { encrypted_payee: CANARY }), { error: 'field_invalid', path: 'payee' }),
  },
  {
    name: 'a body without a field that is required is not sent',
    base: STANDARD,
    ...unsent(post('/v2/required', { id: 7 }), { error: 'field_required', path: 'payee' }),
  },
  {
    name: 'nothing is sent without a body where a field is required',
    base: STANDARD,
    ...unsent(post('/v2/required'), { error: 'field_required', path: 'payee' }),
  },
  {
    name: 'more fields than the limit are not sent',
    base: { ...STANDARD, limits: { tokens: 2 } },
    ...unsent(post(PAYMENTS, { actions: [{ source: 1 }, { source: 2 }, { source: CANARY }] }), {
      error: 'limit_exceeded',
    }),
  },
  {
    name: 'a field over the limit of its token is not sent',
    base: STANDARD,
    ...unsent(post(PAYMENTS, { payee: CANARY.repeat(1_000) }), { error: 'limit_exceeded', path: 'payee' }),
  },
];

const methods: ClientCase[] = (['PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
  name: `a body sent by ${method} is encrypted, and its answer decrypted`,
  base: STANDARD,
  ...once(
    { method, path: ONE_PAYMENT, body: SECRET },
    { status: 200, body: SECRET },
    { arrived: [{ method, url: ONE_PAYMENT, json: { encrypted_payee: opensAs(PAYEE) } }] },
  ),
}));

export const treatments: readonly ClientCase[] = [
  ...combinations,
  ...values,
  ...texts,
  ...places,
  ...methods,
  ...refusals,
];
