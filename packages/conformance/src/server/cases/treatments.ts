import { CANARY } from '../answers.js';
import { type Base, MASK, once, opensAs, post, type ServerCase, sealed } from '../case.js';
import { echo } from './standard.js';

const REQUEST = ['encrypt', 'none'] as const;
const RESPONSE = ['encrypt', 'redact', 'redact-or-encrypt', 'none'] as const;
const ENCODING = ['json', 'text'] as const;

/** What becomes of a field, by treatment and recipient: a table of its own, so that it does not follow the code's. */
const ON_THE_WIRE = {
  encrypt: {
    none: 'mask',
    'without a key': 'mask',
    redact: 'token',
    encrypt: 'token',
    message: 'inside',
    'message without a key': 'mask',
    'found later': 'token',
  },
  redact: {
    none: 'mask',
    'without a key': 'mask',
    redact: 'mask',
    encrypt: 'mask',
    message: 'mask inside',
    'message without a key': 'mask',
    'found later': 'mask',
  },
  'redact-or-encrypt': {
    none: 'mask',
    'without a key': 'mask',
    redact: 'mask',
    encrypt: 'token',
    message: 'inside',
    'message without a key': 'mask',
    'found later': 'token',
  },
  none: {
    none: 'plain',
    'without a key': 'plain',
    redact: 'plain',
    encrypt: 'plain',
    message: 'inside',
    'message without a key': 'plain',
    'found later': 'plain',
  },
} as const;

type Wire = 'mask' | 'token' | 'inside' | 'mask inside' | 'plain';
type Recipient = keyof (typeof ON_THE_WIRE)['encrypt'];

const TABLE = REQUEST.flatMap((request) =>
  RESPONSE.flatMap((response) =>
    ENCODING.map((as) => ({ request, response, as, path: pathOf(request, response, as) })),
  ),
);

const BASE: Base = {
  policy: Object.fromEntries(
    TABLE.map(({ path, request, response, as }) => [`POST ${path}`, { secret: { request, response, as } }]),
  ),
  routes: TABLE.map(({ path }) => echo(path)),
};

function pathOf(request: string, response: string, as: string): string {
  return `/request-${request}/response-${response}/${as}`;
}

const combinations: ServerCase[] = TABLE.flatMap(({ path, request, response, as }) => {
  const value = as === 'text' ? CANARY : { name: CANARY, amounts: [1, null, false] };
  const masked = as === 'text' ? MASK : { name: MASK, amounts: [MASK, null, MASK] };
  const body =
    request === 'encrypt' ? { id: 7, encrypted_secret: sealed(value, as) } : { id: 7, secret: value };
  return (Object.entries(ON_THE_WIRE[response]) as [Recipient, Wire][]).map(([recipient, wire]) => ({
    name: `request ${request}, response ${response}, as ${as}, recipient ${recipient}: ${wire}`,
    base: BASE,
    ...once(post(path, body, { recipient }), {
      status: 200,
      handler: { body: { id: 7, secret: value } },
      ...onTheWire(wire),
    }),
  }));

  function onTheWire(wire: Wire): object {
    switch (wire) {
      case 'mask':
        return { json: { id: 7, secret: masked } };
      case 'token':
        return { json: { id: 7, encrypted_secret: opensAs(value, as) } };
      case 'inside':
        return { message: { id: 7, secret: value } };
      case 'mask inside':
        return { message: { id: 7, secret: masked } };
      case 'plain':
        return { json: { id: 7, secret: value }, shows: [CANARY] };
    }
  }
});

/** Values that must return exactly as they were. */
const VALUES: Readonly<Record<string, unknown>> = {
  zero: 0,
  'minus one and a half': -1.5,
  false: false,
  null: null,
  'an empty text': '',
  'a text with zeros in front': '007',
  'a text of 19 digits': '1234567890123456789',
  'a text that is JSON': '{"a":1}',
  'letters of every kind': 'Zoë \u2028 ش 🏦 "\\\u0000',
  'an empty list': [],
  'an empty object': {},
  'lists in objects in lists': [[{ a: [{ b: [] }] }]],
};

const values: ServerCase[] = Object.entries(VALUES).map(([name, value]) => ({
  name: `${name} reaches the handler and the partner as it is`,
  base: BASE,
  ...once(
    post(pathOf('encrypt', 'encrypt', 'json'), { encrypted_secret: sealed(value) }, { recipient: 'encrypt' }),
    { status: 200, handler: { body: { secret: value } }, json: { encrypted_secret: opensAs(value) } },
  ),
}));

const texts: ServerCase[] = ['', '007', 'Zoë \u2028 🏦', 'null', '{"a":1}'].map((text) => ({
  name: `the text ${JSON.stringify(text)} reaches the handler and the partner byte by byte`,
  base: BASE,
  ...once(
    post(
      pathOf('encrypt', 'encrypt', 'text'),
      { encrypted_secret: sealed(text, 'text') },
      { recipient: 'encrypt' },
    ),
    { status: 200, handler: { body: { secret: text } }, json: { encrypted_secret: opensAs(text, 'text') } },
  ),
}));

const presence: ServerCase[] = [
  {
    name: 'a field that is absent stays absent',
    base: BASE,
    ...once(post(pathOf('encrypt', 'encrypt', 'json'), { id: 7 }, { recipient: 'encrypt' }), {
      status: 200,
      handler: { body: { id: 7 } },
      json: { id: 7 },
    }),
  },
  {
    name: 'a value that is no text is withheld where a text is due',
    base: BASE,
    ...once(post(pathOf('none', 'encrypt', 'text'), { secret: { name: CANARY } }, { recipient: 'encrypt' }), {
      status: 500,
      handler: 'called',
    }),
  },
  {
    name: 'a null stays null where a text is due',
    base: BASE,
    ...once(post(pathOf('none', 'encrypt', 'text'), { secret: null }, { recipient: 'encrypt' }), {
      status: 200,
      json: { secret: null },
    }),
  },
];

export const treatments: readonly ServerCase[] = [...combinations, ...values, ...texts, ...presence];
