import { gzipSync } from 'node:zlib';
import { CANARY } from '../answers.js';
import {
  type Base,
  JOSE,
  Made,
  NOTHING,
  type Outcome,
  once,
  post,
  refused,
  type Sending,
  type ServerCase,
  sealed,
  sealedText,
  UNREADABLE,
} from '../case.js';
import { forge, seal } from '../keys.js';
import { ACCOUNTS, echo, MASKED_PAYEE, NOTES, PAYEE, PAYMENTS, STANDARD } from './standard.js';

const plaintext: ServerCase[] = [
  ...[CANARY, PAYEE, [CANARY], 0, false, null, ''].map(
    (payee): ServerCase => ({
      name: `plaintext is refused, and the field named: ${JSON.stringify(payee)}`,
      row: 'plaintext',
      base: STANDARD,
      ...once(post(PAYMENTS, { id: 1, payee }), refused('plaintext_refused', 'payee')),
    }),
  ),
  {
    name: 'a field in plain and as a token together is refused',
    row: 'plaintext',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { payee: PAYEE, encrypted_payee: sealed(PAYEE) }),
      refused('field_conflict', 'payee'),
    ),
  },
  {
    name: 'a field in plain and as a bad token together is refused for being both',
    row: 'plaintext',
    base: STANDARD,
    ...once(
      post(PAYMENTS, { payee: PAYEE, encrypted_payee: 'a.b.c.d.e' }),
      refused('field_conflict', 'payee'),
    ),
  },
  {
    name: 'plaintext is let through and reported while an API is being migrated',
    row: 'plaintext',
    base: { ...STANDARD, plaintext: 'accept' },
    ...once(post(PAYMENTS, { payee: PAYEE }), {
      status: 200,
      handler: { body: { payee: PAYEE } },
      json: { payee: MASKED_PAYEE },
    }),
  },
  {
    name: 'both forms together are refused also while an API is being migrated',
    row: 'plaintext',
    base: { ...STANDARD, plaintext: 'accept' },
    ...once(post(PAYMENTS, { payee: PAYEE, encrypted_payee: sealed(1) }), refused('field_conflict', 'payee')),
  },
];

const BAD_NEIGHBOURS: Readonly<Record<string, readonly [body: object, outcome: Outcome]>> = {
  'a malformed token': [{ encrypted_payee: 'a.b.c.d.e' }, refused('token_invalid')],
  'a tampered token': [
    { encrypted_payee: new Made(({ bank }) => `${forge(bank).slice(0, -6)}AAAAAA`) },
    refused('token_invalid'),
  ],
  'a token for an unknown key': [
    { encrypted_payee: new Made(({ bank }) => forge(bank, { header: { kid: 'unknown' } })) },
    { status: 422, handler: 'not called' },
  ],
  plaintext: [{ payee: CANARY }, refused('plaintext_refused', 'payee')],
  'a token that is no JSON inside': [{ encrypted_payee: sealedText(CANARY) }, refused('token_invalid')],
};

const allOrNothing: ServerCase[] = Object.entries(BAD_NEIGHBOURS).map(([name, [bad, outcome]]) => ({
  name: `a good field beside ${name} reaches no handler`,
  row: 'all or nothing',
  base: STANDARD,
  ...once(post(PAYMENTS, { encrypted_mandate_id: sealed(CANARY, 'text'), ...bad }), outcome),
}));

const content: ServerCase[] = [
  {
    name: 'a text that is no UTF-8 is refused',
    row: 'bad content',
    base: STANDARD,
    ...once(
      post(ACCOUNTS, {
        encrypted_account_number: new Made(({ bank }) =>
          forge(bank, { plaintext: Buffer.from('ff', 'hex') }),
        ),
      }),
      refused('token_invalid'),
    ),
  },
  {
    name: 'members called __proto__ and constructor are own and inert, or refused',
    row: 'bad content',
    base: STANDARD,
    ...once(
      post(PAYMENTS, {
        encrypted_payee: sealedText(
          '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
        ),
      }),
      [
        {
          status: 200,
          handler: {
            body: {
              payee: JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
            },
          },
        },
        refused('token_invalid'),
      ],
    ),
  },
  {
    name: 'a member that comes twice counts once, or is refused',
    row: 'bad content',
    base: STANDARD,
    ...once(post(PAYMENTS, { encrypted_payee: sealedText('{"a":1,"a":2}') }), [
      { status: 200, handler: { body: { payee: { a: 2 } } } },
      refused('token_invalid'),
    ]),
  },
  {
    name: 'a path never walks a prototype',
    row: 'bad content',
    base: {
      policy: {
        'POST /proto': {
          'constructor.prototype': { request: 'encrypt' },
          '__proto__.x': { request: 'encrypt' },
        },
      },
      routes: [echo('/proto')],
    },
    ...once(post('/proto', { id: 1 }), { status: 200, handler: { body: { id: 1 } } }),
  },
  {
    name: 'a body member called __proto__ is refused where it is covered, and changes no prototype',
    row: 'bad content',
    base: STANDARD,
    steps: [
      {
        send: post(PAYMENTS, `{"__proto__":{"payee":"${CANARY}"}}`),
        expect: [UNREADABLE, { status: 200, shows: [CANARY] }],
      },
      {
        send: post(PAYMENTS, '{"id":1}'),
        expect: { status: 200, handler: { body: { id: 1 } }, json: { id: 1 } },
      },
    ],
  },
  ...['{"a":', '[', '{"payee":'].map(
    (open): ServerCase => ({
      name: `a body of ${open} 50,000 deep is refused, and the process goes on`,
      row: 'deep body',
      base: STANDARD,
      steps: [
        {
          send: post(PAYMENTS, `${open.repeat(50_000)}1${(open === '[' ? ']' : '}').repeat(50_000)}`),
          expect: { status: 400, handler: 'not called' },
        },
        { send: post(PAYMENTS, { encrypted_payee: sealed(1) }), expect: { status: 200, handler: 'called' } },
      ],
    }),
  ),
  {
    name: 'a body 50,000 deep under another name is refused as well',
    row: 'deep body',
    base: STANDARD,
    ...once(post(PAYMENTS, `{"other":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), {
      status: 400,
      handler: 'not called',
    }),
  },
];

const TOKEN_INSIDE = 'eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.AAAA.AAAA.AAAA.AAAA';

const disguise: ServerCase[] = [
  {
    name: 'a token inside a decrypted value is not decrypted',
    row: 'token in disguise',
    base: STANDARD,
    ...once(
      post(PAYMENTS, {
        encrypted_payee: new Made(({ bank }) =>
          seal(JSON.stringify({ encrypted_payee: TOKEN_INSIDE }), bank),
        ),
      }),
      { status: 200, handler: { body: { payee: { encrypted_payee: TOKEN_INSIDE } } }, keyOperations: 1 },
    ),
  },
  {
    name: 'what looks like a token in a field outside the policy is not decrypted',
    row: 'token in disguise',
    base: STANDARD,
    ...once(post(PAYMENTS, { other: TOKEN_INSIDE, encrypted_other: TOKEN_INSIDE }), {
      status: 200,
      handler: { body: { other: TOKEN_INSIDE, encrypted_other: TOKEN_INSIDE } },
      keyOperations: 0,
    }),
  },
  {
    name: 'a token on an operation outside the policy is not decrypted',
    row: 'token in disguise',
    base: STANDARD,
    ...once(post('/v2/open', { encrypted_payee: TOKEN_INSIDE }), {
      status: 200,
      handler: { body: { encrypted_payee: TOKEN_INSIDE } },
      keyOperations: 0,
    }),
  },
];

const MANY: Base = {
  policy: { 'POST /many': { 'actions.#.source': { request: 'encrypt', response: 'redact' } } },
  limits: { tokens: 8 },
  routes: [echo('/many')],
};

/** A body with a token in each of so many actions; all are the same one, to save time. */
function actions(count: number): Sending {
  return post('/many', {
    actions: new Made(async ({ bank }) => {
      const token = await seal('1', bank);
      return Array.from({ length: count }, () => ({ encrypted_source: token }));
    }),
  });
}

const manyTokens: ServerCase[] = [
  ...[0, 1, 8].map(
    (count): ServerCase => ({
      name: `${count} of at most 8 tokens are opened`,
      row: 'many tokens',
      base: MANY,
      ...once(actions(count), {
        status: 200,
        handler: { body: { actions: Array.from({ length: count }, () => ({ source: 1 })) } },
        keyOperations: count,
      }),
    }),
  ),
  ...[9, 1_700].map(
    (count): ServerCase => ({
      name: `${count} tokens, of at most 8, are refused before any key is used`,
      row: 'many tokens',
      base: MANY,
      // Of more than 1,000 elements, the field behind them is named.
      ...once(actions(count), {
        ...refused('limit_exceeded', count > 1_000 ? 'actions.#.source' : undefined),
        keyOperations: 0,
      }),
    }),
  ),
];

const LONG: Base = { ...MANY, limits: { elements: 8 } };

const longLists: ServerCase[] = [0, 7, 8, 9].map((count) => {
  const body = { actions: Array.from({ length: count }, () => ({})) };
  return {
    name: `a list of ${count} elements, of at most 8, is ${count > 8 ? 'refused' : 'taken'}`,
    row: 'many tokens',
    base: LONG,
    ...once(
      post('/many', body),
      count > 8 ? refused('limit_exceeded', 'actions.#.source') : { status: 200, handler: { body } },
    ),
  };
});

const CROWDED: Base = {
  ...MANY,
  limits: { tokens: 8, concurrency: 1, queue: 1 },
  routes: [...MANY.routes, echo('/open')],
};

/** Which of the calls find the line full is a matter of chance; what they are told then is not. */
const crowded: ServerCase = {
  name: 'where too many private-key operations are wanted, calls are refused with 503, and other operations go on',
  row: 'over capacity',
  base: CROWDED,
  how: 'at once',
  steps: [
    ...Array.from({ length: 12 }, () => ({
      send: actions(8),
      expect: [
        { status: 200, handler: { body: { actions: Array.from({ length: 8 }, () => ({ source: 1 })) } } },
        {
          status: 503,
          handler: 'not called',
          headers: { 'retry-after': '1' },
          includes: { errors: [{ code: 'over_capacity' }] },
        },
      ] as const,
    })),
    { send: post('/open', { a: 1 }), expect: { status: 200, handler: { body: { a: 1 } } } },
  ],
};

/** Bodies on an operation with a required field that no parser reads as JSON. */
const STRANGE: Readonly<Record<string, Sending>> = {
  'under no content type': post(ACCOUNTS, JSON.stringify({ account_number: CANARY }), {
    headers: { 'content-type': null },
  }),
  'as text': post(ACCOUNTS, JSON.stringify({ account_number: CANARY }), {
    headers: { 'content-type': 'text/plain' },
  }),
  'as a form': post(ACCOUNTS, `account_number=${CANARY}`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  'as a form with a good token': post(
    ACCOUNTS,
    new Made(async ({ bank }) => `encrypted_account_number=${await seal(CANARY, bank)}`),
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  ),
  'as a form of parts': post(
    ACCOUNTS,
    `--b\r\nContent-Disposition: form-data; name="account_number"\r\n\r\n${CANARY}\r\n--b--\r\n`,
    { headers: { 'content-type': 'multipart/form-data; boundary=b' } },
  ),
  'as XML': post(ACCOUNTS, `<account_number>${CANARY}</account_number>`, {
    headers: { 'content-type': 'application/xml' },
  }),
  'as bytes': post(ACCOUNTS, JSON.stringify({ account_number: CANARY }), {
    headers: { 'content-type': 'application/octet-stream' },
  }),
  'in UTF-16': post(ACCOUNTS, Buffer.from(JSON.stringify({ account_number: CANARY }), 'utf16le'), {
    headers: { 'content-type': 'application/json; charset=utf-16le' },
  }),
  'in Latin-1': post(ACCOUNTS, JSON.stringify({ account_number: CANARY }), {
    headers: { 'content-type': 'application/json; charset=iso-8859-1' },
  }),
  'under a type that is none': post(ACCOUNTS, JSON.stringify({ account_number: CANARY }), {
    headers: { 'content-type': 'json' },
  }),
  'as a whole message': post(ACCOUNTS, sealed({ account_number: CANARY }), { headers: JOSE }),
  'as plaintext in chunks': post(ACCOUNTS, { account_number: CANARY }, { chunked: true }),
  'as plaintext, compressed': post(ACCOUNTS, gzipSync(JSON.stringify({ account_number: CANARY })), {
    headers: { 'content-encoding': 'gzip' },
  }),
  'that is a text': post(ACCOUNTS, JSON.stringify(CANARY)),
  'that is a list': post(ACCOUNTS, [{ account_number: CANARY }]),
  'that is a number': post(ACCOUNTS, '7'),
  'that is null': post(ACCOUNTS, 'null'),
};

const strange: ServerCase[] = (['before', 'after', 'none'] as const).flatMap((parser) =>
  Object.entries(STRANGE).map(([name, sending]) => ({
    name: `a body ${name} is no way around the policy, parsers ${parser}`,
    row: 'unread body' as const,
    base: { ...STANDARD, parser },
    ...once(sending, UNREADABLE),
  })),
);

const OPENED: Outcome = { status: 200, handler: { body: { account_number: CANARY } } };

const missing: ServerCase[] = [
  ...(['before', 'after', 'none'] as const).flatMap((parser): ServerCase[] => [
    {
      name: `a body that is not there is refused where a field is required, parsers ${parser}`,
      row: 'unread body',
      base: { ...STANDARD, parser },
      ...once(post(ACCOUNTS), refused('field_required', 'account_number')),
    },
    {
      name: `a body of no bytes is refused where a field is required, parsers ${parser}`,
      row: 'unread body',
      base: { ...STANDARD, parser },
      ...once(post(ACCOUNTS, ''), UNREADABLE),
    },
    {
      name: `a body that is not there reaches the handler where no field is required, parsers ${parser}`,
      row: 'unread body',
      base: { ...STANDARD, parser },
      ...once(post(PAYMENTS), { status: 200, handler: { body: NOTHING } }),
    },
  ]),
  ...(['after', 'none'] as const).flatMap((parser): ServerCase[] => [
    {
      name: `a good body that no parser has read is opened or refused, parsers ${parser}`,
      row: 'unread body',
      base: { ...STANDARD, parser },
      ...once(post(ACCOUNTS, { encrypted_account_number: sealed(CANARY, 'text') }), [OPENED, UNREADABLE]),
    },
    {
      name: `a body of an operation outside the policy passes as ever, parsers ${parser}`,
      base: { ...STANDARD, parser },
      ...once(post('/v2/open', { id: 7 }), {
        status: 200,
        handler: { body: parser === 'after' ? { id: 7 } : NOTHING },
      }),
    },
  ]),
  {
    name: 'a body without its required field is refused, and the field named',
    row: 'unread body',
    base: STANDARD,
    ...once(post(ACCOUNTS, { other: 1 }), refused('field_required', 'account_number')),
  },
  {
    name: 'an empty object is refused where a field is required',
    row: 'unread body',
    base: STANDARD,
    ...once(post(ACCOUNTS, {}), refused('field_required', 'account_number')),
  },
  {
    name: 'an empty object in chunks is refused where a field is required',
    row: 'unread body',
    base: STANDARD,
    ...once(post(ACCOUNTS, {}, { chunked: true }), refused('field_required', 'account_number')),
  },
  {
    name: 'malformed JSON reaches no handler',
    row: 'unread body',
    base: STANDARD,
    ...once(post(ACCOUNTS, '{"account_number":"'), UNREADABLE),
  },
  {
    name: 'malformed JSON is not quoted in the answer',
    row: 'canary',
    needs: ['errors of the parser'],
    base: STANDARD,
    ...once(post(ACCOUNTS, `${CANARY}`), UNREADABLE),
  },
  {
    name: 'a good body in chunks is opened',
    base: STANDARD,
    ...once(post(ACCOUNTS, { encrypted_account_number: sealed(CANARY, 'text') }, { chunked: true }), OPENED),
  },
  {
    name: 'a good body under another type of JSON is opened or refused',
    base: STANDARD,
    ...once(
      post(
        ACCOUNTS,
        { encrypted_account_number: sealed(CANARY, 'text') },
        {
          headers: { 'content-type': 'application/vnd.api+json; charset=UTF-8' },
        },
      ),
      [OPENED, UNREADABLE],
    ),
  },
  {
    name: 'a good body that is compressed is opened or refused',
    base: STANDARD,
    ...once(
      post(
        ACCOUNTS,
        new Made(async ({ bank }) =>
          gzipSync(JSON.stringify({ encrypted_account_number: await seal(CANARY, bank) })),
        ),
        { headers: { 'content-encoding': 'gzip' } },
      ),
      [OPENED, UNREADABLE],
    ),
  },
];

/** Methods with bodies that parsers treat in their own ways. */
const METHODS: Base = {
  policy: Object.fromEntries(
    ['PUT', 'PATCH', 'DELETE'].map((method) => [
      `${method} /thing/:id`,
      { payee: { request: 'encrypt', response: 'redact' } },
    ]),
  ),
  routes: (['PUT', 'PATCH', 'DELETE'] as const).map((method) => echo('/thing/:id', method)),
};

const methods: ServerCase[] = ['PUT', 'PATCH', 'DELETE'].flatMap((method): ServerCase[] => [
  {
    name: `plaintext is refused in a body of ${method}`,
    row: 'plaintext',
    base: METHODS,
    ...once({ method, target: '/thing/1', body: { payee: CANARY } }, UNREADABLE),
  },
  {
    name: `a good body of ${method} is opened, or refused where no parser reads it`,
    base: METHODS,
    ...once({ method, target: '/thing/1', body: { encrypted_payee: sealed(PAYEE) } }, [
      { status: 200, handler: { body: { payee: PAYEE } }, json: { payee: MASKED_PAYEE } },
      ...(method === 'DELETE' ? [UNREADABLE] : []),
    ]),
  },
]);

const unmatched: ServerCase[] = [
  {
    name: 'an operation outside the policy passes untouched',
    base: STANDARD,
    ...once(post('/v2/open', { payee: CANARY }), {
      status: 200,
      handler: { body: { payee: CANARY } },
      json: { payee: CANARY },
      shows: [CANARY],
    }),
  },
  {
    name: 'an operation outside the policy is refused where the API must be covered whole',
    base: { ...STANDARD, unmatched: 'refuse' },
    ...once(post('/v2/open', { payee: CANARY }), refused('operation_refused', 'body', 403)),
  },
  {
    name: 'a body of the wrong shape is refused, and the field named',
    row: 'plaintext',
    base: MANY,
    ...once(
      post('/many', { actions: { 0: { source: CANARY } } }),
      refused('field_invalid', 'actions.#.source'),
    ),
  },
  {
    name: 'a response that the policy does not treat passes as the handler wrote it',
    base: STANDARD,
    ...once(post(NOTES, { id: 7, encrypted_note: sealed('seen') }), {
      status: 200,
      handler: { body: { id: 7, note: 'seen' } },
      json: { id: 7, note: 'seen' },
    }),
  },
];

export const bodies: readonly ServerCase[] = [
  ...plaintext,
  ...allOrNothing,
  ...content,
  ...disguise,
  ...manyTokens,
  ...longLists,
  crowded,
  ...strange,
  ...missing,
  ...methods,
  ...unmatched,
];
