import { CANARY } from '../answers.js';
import { type Base, get, MASK, type Outcome, once, post, refused, type ServerCase, sealed } from '../case.js';
import { echo, MASKED_PAYEE, NOTES, PAYEE, PAYMENTS, STANDARD } from './standard.js';

/** Request targets that reach the handler in every framework. */
const PLAIN_SPELLINGS = [PAYMENTS, `${PAYMENTS}?x=1`, `${PAYMENTS}?`, `${PAYMENTS}?x=/v2/notes&y=%2e%2e#z`];

/** Request targets that some framework reads as the operation. */
const SPELLINGS = [
  '/V2/Payments',
  '/v2/PAYMENTS?x',
  `${PAYMENTS}/`,
  `${PAYMENTS}//`,
  `${PAYMENTS}/?x`,
  '//v2/payments',
  '/v2//payments',
  '///v2///payments///',
  '/v2/./payments',
  '/v2/x/../payments',
  '/./v2/payments',
  '/v2/%2e/payments',
  '/v2/x/%2e%2E/payments',
  '/v2/%70ayments',
  '/v2/%50ayment%73',
  '/%76%32/payments',
  '/v2%2Fpayments',
  '/v2%2fpayments',
  '/v2/payments%2F',
  '/v2/%2Fpayments',
  '/v2%5Cpayments',
  '/v2\\payments',
  '\\v2\\payments',
  `${PAYMENTS}#x`,
  `${PAYMENTS}%23`,
  `${PAYMENTS}%3Fx`,
  `${PAYMENTS};a=b`,
  '/v2;a=b/payments',
  `${PAYMENTS}%3Ba`,
  `${PAYMENTS}%20`,
  `${PAYMENTS}\xa0`,
  `${PAYMENTS}%00`,
  `${PAYMENTS}%`,
  `${PAYMENTS}%zz`,
  `${PAYMENTS}.`,
  'http://bank.example/v2/payments',
  'HTTP://user@bank.example:80/V2/payments/?x',
  'http://bank.example//v2/payments',
];

const OPENED: Outcome = { status: 200, handler: { body: { payee: PAYEE } }, json: { payee: MASKED_PAYEE } };
/** The handler is out of reach, whatever the reason. */
const OUT_OF_REACH: Outcome = { status: '4xx', handler: 'not called' };

function spelling(target: string, base: Base, opened: readonly Outcome[]): ServerCase {
  return {
    name: `the policy holds for POST ${JSON.stringify(target)}${base.prefix ? ` below ${base.prefix.path}` : ''}`,
    row: 'route confusion',
    base,
    steps: [
      { send: post(target, { payee: PAYEE }), expect: OUT_OF_REACH },
      { send: post(target, { encrypted_payee: sealed(PAYEE) }), expect: opened },
    ],
  };
}

const spellings: ServerCase[] = [
  ...PLAIN_SPELLINGS.map((target) => spelling(target, STANDARD, [OPENED])),
  ...SPELLINGS.map((target) => spelling(target, STANDARD, [OPENED, OUT_OF_REACH])),
];

/** Templates with parameters, whose values are spelled in odd ways. */
const PARAMETERS: Base = {
  policy: {
    'GET /v2/payments/:id': { payee: { response: 'redact' } },
    'GET /a/:id': { x: { response: 'redact' } },
    'GET /a/b/c': { y: { response: 'redact' } },
    'GET /v2/payments/:id/events/:event': { payee: { response: 'redact' } },
  },
  routes: ['/v2/payments/:id', '/v2/payments/:id/events/:event', '/a/:id', '/a/b/c'].map((path) => ({
    method: 'GET',
    path,
    answer: { way: 'json', body: { payee: CANARY, x: 'shown x', y: 'shown y' } },
  })),
};

const SHOWN = JSON.stringify({ payee: MASK, x: 'shown x', y: 'shown y' });

const PARAMETER_TARGETS = [
  '/v2/payments/1',
  '/v2/payments/1?x=/../2',
  '/v2/payments/ps_1/events/2',
  '/V2/payments/%41b/',
  '/v2/payments/a%2Fb',
  '/v2/payments/..',
  '/v2/payments/%2e%2e',
  '/v2/payments/1;v=2',
  '/v2/payments/%00',
  '/v2/payments/%E2%82%AC',
  '/v2/payments/1/',
  '//v2/payments/1',
];

const parameters: ServerCase[] = [
  ...PARAMETER_TARGETS.map(
    (target): ServerCase => ({
      name: `the policy holds for GET ${target}`,
      row: 'route confusion',
      base: PARAMETERS,
      ...once(get(target), [{ status: 200, text: SHOWN }, { status: [400, 403, 404] }]),
    }),
  ),
  {
    name: 'a path that can be read as two operations is refused',
    row: 'route confusion',
    base: PARAMETERS,
    ...once(get('/a/b%2Fc'), OUT_OF_REACH),
  },
];

const methods: ServerCase[] = [
  {
    name: 'HEAD of an operation that GET covers has the length of what is protected',
    row: 'route confusion',
    base: PARAMETERS,
    ...once({ method: 'HEAD', target: '/v2/payments/1' }, [
      { status: 200, text: '', headers: { 'content-length': String(SHOWN.length) } },
      { status: [200, 404], text: '', headers: { 'content-length': null } },
      { status: [404, 500], text: '' },
    ]),
  },
  {
    name: 'HEAD in another spelling has no plaintext either',
    row: 'route confusion',
    base: PARAMETERS,
    ...once({ method: 'HEAD', target: '/V2/payments/1/?x' }, [
      { status: 200, text: '', headers: { 'content-length': String(SHOWN.length) } },
      { status: [200, 404, 500], text: '' },
    ]),
  },
  {
    name: 'OPTIONS of a covered path is answered by the framework',
    base: STANDARD,
    ...once({ method: 'OPTIONS', target: PAYMENTS }, { status: [200, 204, 404, 405], handler: 'not called' }),
  },
  {
    name: 'a method override in a header is not followed by itself',
    row: 'route confusion',
    base: STANDARD,
    ...once(
      post(
        '/v2/open',
        { payee: 1 },
        { headers: { 'x-http-method-override': 'PUT', 'x-original-url': PAYMENTS } },
      ),
      { status: 200, handler: { body: { payee: 1 } } },
    ),
  },
];

/** Methods that middleware outside the adapter rewrites. */
const REWRITTEN: Base = {
  policy: {
    'GET /v2/rewritten/:id': { payee: { response: 'redact' } },
    'POST /v2/rewritten': { payee: { request: 'encrypt', response: 'redact' } },
  },
  methodOverride: true,
  routes: [
    { method: 'GET', path: '/v2/rewritten/:id', answer: { way: 'json', body: { payee: CANARY } } },
    echo('/v2/rewritten'),
  ],
};

const as = (method: string) => ({ headers: { 'x-http-method-override': method } });

const METHODS = ['PUT', 'PATCH', 'DELETE'] as const;
const MASKED_ANSWER: Outcome = { status: 200, json: { payee: MASK } };

/** A request to the handler of POST, by whichever of the two methods it is reached. */
function overridden(sent: string, method: string, opened: readonly Outcome[]): ServerCase {
  const plain = { method: sent, target: '/v2/rewritten', body: { payee: PAYEE }, ...as(method) };
  return {
    name: `the policy holds for a request by ${sent} that middleware has made ${method}`,
    row: 'route confusion',
    base: REWRITTEN,
    steps: [
      { send: plain, expect: OUT_OF_REACH },
      { send: { ...plain, body: { encrypted_payee: sealed(PAYEE) } }, expect: opened },
    ],
  };
}

const rewritten: ServerCase[] = [
  {
    name: 'the policy holds for an answer to POST that middleware has made GET',
    row: 'route confusion',
    base: REWRITTEN,
    needs: ['methodOverride: routed'],
    ...once(post('/v2/rewritten/1', {}, as('GET')), MASKED_ANSWER),
  },
  ...METHODS.map(
    (method): ServerCase => ({
      ...overridden(method, 'POST', [OPENED]),
      needs: ['methodOverride: routed'],
    }),
  ),
  // A framework that routes before middleware reaches the handler all the same.
  {
    name: 'the policy holds for an answer to GET that middleware has made POST',
    row: 'route confusion',
    base: REWRITTEN,
    ...once(get('/v2/rewritten/1', as('POST')), [MASKED_ANSWER, OUT_OF_REACH]),
  },
  ...METHODS.map((method) => overridden('POST', method, [OPENED, OUT_OF_REACH])),
];

/** Prefixes: the policy names paths as clients see them. */
const prefixed = (of: 'all' | 'routes'): Base => ({
  policy: { [`POST /bank${PAYMENTS}`]: STANDARD.policy[`POST ${PAYMENTS}`] ?? {} },
  prefix: { path: '/bank', of },
  routes: [echo(PAYMENTS), echo(NOTES)],
});

const RELATIVE: Base = {
  policy: { [`POST ${PAYMENTS}`]: STANDARD.policy[`POST ${PAYMENTS}`] ?? {} },
  prefix: { path: '/bank', of: 'all' },
  routes: [echo(PAYMENTS)],
};

const PREFIX_TARGETS = [
  '/BANK/v2/Payments/',
  '/bank//v2/payments',
  '//bank/v2/payments',
  '/bank/v2/%70ayments',
  '/b%61nk/v2/payments',
  '/bank%2Fv2/payments',
  '/bank/../bank/v2/payments',
  'http://bank.example/bank/v2/payments',
];

const prefixes: ServerCase[] = [
  ...(['all', 'routes'] as const).flatMap((of): ServerCase[] => [
    {
      ...spelling('/bank/v2/payments', prefixed(of), [OPENED]),
      name: `the policy holds below a prefix of ${of}`,
    },
    ...PREFIX_TARGETS.map((target) => ({
      ...spelling(target, prefixed(of), [OPENED, OUT_OF_REACH]),
      name: `the policy holds for POST ${target} below a prefix of ${of}`,
    })),
    {
      name: `the path without its prefix is nobody's, below a prefix of ${of}`,
      base: prefixed(of),
      ...once(post(PAYMENTS, { payee: CANARY }), { status: 404, handler: 'not called' }),
    },
    {
      name: `an operation outside the policy passes below a prefix of ${of}`,
      base: prefixed(of),
      ...once(post(`/bank${NOTES}`, { a: 1 }), { status: 200, handler: { body: { a: 1 } } }),
    },
  ]),
  ...['/bank/v2/payments', '/BANK/V2/payments/?x', '/bank//v2/payments'].map(
    (target): ServerCase => ({
      ...spelling(target, RELATIVE, target === '/bank/v2/payments' ? [OPENED] : [OPENED, OUT_OF_REACH]),
      name: `a policy of paths below the prefix holds for POST ${target}`,
      needs: ['paths below the prefix'],
    }),
  ),
];

const uncovered: ServerCase[] = [
  {
    name: 'spellings of an operation outside the policy are refused where the API must be covered whole',
    row: 'route confusion',
    base: { ...STANDARD, unmatched: 'refuse' },
    ...once(post('/V2/Open/?x', { payee: CANARY }), refused('operation_refused', 'body', 403)),
  },
  {
    name: 'a path with a covered one at its end is another path',
    base: STANDARD,
    routes: [echo('/x/v2/payments')],
    ...once(post('/x/v2/payments', { payee: 1 }), { status: 200, handler: { body: { payee: 1 } } }),
  },
  {
    name: 'a path with a covered one at its start is another path',
    base: STANDARD,
    routes: [echo('/v2/payments/x')],
    ...once(post('/v2/payments/x', { payee: 1 }), { status: 200, handler: { body: { payee: 1 } } }),
  },
];

export const routes: readonly ServerCase[] = [
  ...spellings,
  ...parameters,
  ...methods,
  ...rewritten,
  ...prefixes,
  ...uncovered,
];
