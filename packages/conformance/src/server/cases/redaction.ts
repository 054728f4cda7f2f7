import { CANARY } from '../answers.js';
import {
  type Base,
  get,
  MASK,
  Made,
  type Outcome,
  once,
  opensAs,
  type ServerCase,
  WITHHELD,
} from '../case.js';
import { seal } from '../keys.js';
import type { Route } from '../subject.js';

const BASE: Base = {
  policy: {
    'GET /red/:what': {
      payee: { response: 'redact' },
      'items.#.secret': { response: 'redact' },
      'deep.er.secret': { response: 'redact' },
      'dotted\\.name': { response: 'redact' },
    },
    'GET /all/:what': {
      '*': { response: 'redact' },
      id: { response: 'none' },
    },
    'GET /list/:what': { '#.payee': { response: 'redact-or-encrypt' } },
    'GET /enc/:what': { payee: { response: 'encrypt' } },
  },
  routes: [],
};

const LOOKS_SEALED = 'eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.AAAA.AAAA.AAAA.AAAA';

/** What a handler answers, and what the client gets. */
type Example = readonly [path: string, body: unknown, expected: Outcome, recipient?: string];

const shown = (json: unknown): Outcome => ({ status: 200, json });

const EXAMPLES: Readonly<Record<string, Example>> = {
  'a text becomes the mask': ['/red/text', { id: 1, payee: CANARY }, shown({ id: 1, payee: MASK })],
  'an empty text becomes the mask': ['/red/empty', { payee: '' }, shown({ payee: MASK })],
  'a number becomes the mask': ['/red/number', { payee: 0 }, shown({ payee: MASK })],
  'a boolean becomes the mask': ['/red/boolean', { payee: false }, shown({ payee: MASK })],
  'null stays null': ['/red/null', { payee: null }, shown({ payee: null })],
  'what is absent stays absent': ['/red/absent', { id: 1 }, shown({ id: 1 })],
  'an object keeps its shape': [
    '/red/object',
    { payee: { name: CANARY, tags: [CANARY, null, { a: 1 }], none: {}, empty: [] } },
    shown({ payee: { name: MASK, tags: [MASK, null, { a: MASK }], none: {}, empty: [] } }),
  ],
  'every element of a list is masked': [
    '/red/elements',
    { items: [{ secret: CANARY, id: 1 }, { id: 2 }, { secret: null }] },
    shown({ items: [{ secret: MASK, id: 1 }, { id: 2 }, { secret: null }] }),
  ],
  'a list of none passes': ['/red/no-elements', { items: [] }, shown({ items: [] })],
  'a nested field is masked': [
    '/red/nested',
    { deep: { er: { secret: CANARY, id: 1 }, id: 2 } },
    shown({ deep: { er: { secret: MASK, id: 1 }, id: 2 } }),
  ],
  'a name with a dot is masked': [
    '/red/dotted',
    { 'dotted.name': CANARY, dotted: { name: 1 } },
    shown({ 'dotted.name': MASK, dotted: { name: 1 } }),
  ],
  'every member but the exception is masked': [
    '/all/members',
    { id: 7, payee: CANARY, more: { name: CANARY } },
    shown({ id: 7, payee: MASK, more: { name: MASK } }),
  ],
  'members are masked in a list at the top': [
    '/list/top',
    [{ payee: CANARY, id: 1 }, { id: 2 }],
    shown([{ payee: MASK, id: 1 }, { id: 2 }]),
  ],
  'members are encrypted in a list at the top': [
    '/list/top-encrypted',
    [{ payee: CANARY }, { payee: 2 }],
    shown([{ encrypted_payee: opensAs(CANARY) }, { encrypted_payee: opensAs(2) }]),
    'encrypt',
  ],
  'a value that looks like a token is masked as any other': [
    '/red/token',
    { payee: `eyJhbGciOiJkaXIifQ.${CANARY}.a.b.c` },
    shown({ payee: MASK }),
  ],
  'a value that looks like a token is encrypted as any other': [
    '/enc/token',
    { payee: `eyJhbGciOiJkaXIifQ.${CANARY}.a.b.c` },
    shown({ encrypted_payee: opensAs(`eyJhbGciOiJkaXIifQ.${CANARY}.a.b.c`) }),
    'encrypt',
  ],
  'a list where an object is due is withheld': [
    '/red/list-for-object',
    { deep: [{ er: { secret: CANARY } }] },
    WITHHELD,
  ],
  'an object where a list is due is withheld': [
    '/red/object-for-list',
    { items: { 0: { secret: CANARY } } },
    WITHHELD,
  ],
  'a list in place of the whole body is withheld': ['/red/list-for-body', [{ payee: CANARY }], WITHHELD],
  'an object in place of the list at the top is withheld': ['/list/object', { payee: CANARY }, WITHHELD],
  'a field both in plain and under the name of its token is withheld': [
    '/enc/both',
    { payee: CANARY, encrypted_payee: LOOKS_SEALED },
    WITHHELD,
    'encrypt',
  ],
  'plaintext under the name of a token is withheld': [
    '/enc/false-name',
    { encrypted_payee: CANARY },
    WITHHELD,
    'encrypt',
  ],
  'a name that every object has is a member like any other': [
    '/all/constructor',
    JSON.parse(`{"id":7,"__proto__":{"payee":"${CANARY}"},"constructor":"${CANARY}"}`),
    { status: 200, text: `{"id":7,"__proto__":{"payee":"${MASK}"},"constructor":"${MASK}"}` },
  ],
};

const examples: ServerCase[] = Object.entries(EXAMPLES).map(([name, [path, body, expected, recipient]]) => ({
  name,
  base: BASE,
  routes: [{ method: 'GET', path, answer: { way: 'json', body } } satisfies Route],
  ...once(get(path, recipient === undefined ? {} : { recipient }), expected),
}));

/** Masks and tokens that an adapter elsewhere has put there. */
const PREFIXLESS: Base = {
  policy: { 'POST /in-place': { card: { request: 'encrypt', response: 'encrypt' } } },
  profile: { prefix: { request: '', response: '' } },
  routes: [{ method: 'POST', path: '/in-place', answer: { way: 'echo' } }],
};

const inPlace: ServerCase[] = [
  {
    name: 'a token takes the place of the value where the profile has no prefix',
    base: PREFIXLESS,
    ...once(
      {
        method: 'POST',
        target: '/in-place',
        body: { card: new Made(({ bank }) => seal(`"${CANARY}"`, bank)) },
        recipient: 'encrypt',
      },
      { status: 200, handler: { body: { card: CANARY } }, json: { card: opensAs(CANARY) } },
    ),
  },
  {
    name: 'plaintext in the place of a token is refused where the profile has no prefix',
    row: 'plaintext',
    base: PREFIXLESS,
    ...once(
      { method: 'POST', target: '/in-place', body: { card: CANARY } },
      { status: 400, handler: 'not called', includes: { errors: [{ source: 'card' }] } },
    ),
  },
];

export const redaction: readonly ServerCase[] = [...examples, ...inPlace];
