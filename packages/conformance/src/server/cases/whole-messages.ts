import { gzipSync } from 'node:zlib';
import { CANARY } from '../answers.js';
import {
  type Base,
  JOSE,
  MASK,
  Made,
  type Outcome,
  once,
  post,
  refused,
  type ServerCase,
  sealed,
  UNREADABLE,
} from '../case.js';
import { forge, seal } from '../keys.js';
import type { Arrangement } from '../subject.js';
import { echo, NOTES, PAYMENTS, STANDARD } from './standard.js';

const MESSAGES = '/v2/messages';

const BASE: Base = {
  policy: {
    ...STANDARD.policy,
    [`POST ${MESSAGES}`]: { $: { request: 'encrypt', response: 'encrypt' } },
    'POST /v2/redacted': { $: { request: 'encrypt', response: 'redact' } },
    'POST /v2/chosen': { $: { response: 'redact-or-encrypt' } },
    'POST /v2/required': { $: { request: 'encrypt', required: true } },
    'PUT /v2/messages': { $: { request: 'encrypt' } },
    'DELETE /v2/messages': { $: { request: 'encrypt' } },
  },
  limits: { messageLength: 200_000 },
  routes: [
    ...STANDARD.routes,
    echo(MESSAGES),
    echo('/v2/redacted'),
    echo('/v2/chosen'),
    echo('/v2/required'),
    echo(MESSAGES, 'PUT'),
    echo(MESSAGES, 'DELETE'),
  ],
};

const SECRET = { id: 7, payee: { name: CANARY } };
const MASKED = { id: MASK, payee: { name: MASK } };
const seen: Outcome['handler'] = { body: SECRET, type: /^application\/json/ };

/** Arrived and answered in full, for nobody in particular. */
const ARRIVED: Outcome = { status: 200, handler: seen, json: MASKED };

const requests: ServerCase[] = [
  ...(['before', 'after', 'none'] as const).map(
    (parser: Arrangement['parser']): ServerCase => ({
      name: `a body of application/jose reaches the handler as JSON, parsers ${parser}`,
      base: { ...BASE, parser },
      ...once(post(MESSAGES, sealed(SECRET), { headers: JOSE }), ARRIVED),
    }),
  ),
  ...['Application/JOSE', 'application/jose; charset=utf-8', 'application/jose;charset="UTF-8"'].map(
    (type): ServerCase => ({
      name: `a whole message arrives under the type ${type}`,
      base: BASE,
      ...once(post(MESSAGES, sealed(SECRET), { headers: { 'content-type': type } }), ARRIVED),
    }),
  ),
  {
    name: 'a whole message arrives in chunks',
    base: BASE,
    ...once(post(MESSAGES, sealed(SECRET), { headers: JOSE, chunked: true }), ARRIVED),
  },
  {
    name: 'a whole message arrives by PUT',
    base: BASE,
    ...once(
      { method: 'PUT', target: MESSAGES, body: sealed(SECRET), headers: JOSE },
      { status: 200, handler: seen, shows: [CANARY] },
    ),
  },
  {
    name: 'a whole message arrives by DELETE',
    base: BASE,
    ...once(
      { method: 'DELETE', target: MESSAGES, body: sealed(SECRET), headers: JOSE },
      { status: 200, handler: seen, shows: [CANARY] },
    ),
  },
  {
    name: 'a whole message that is compressed arrives, or is refused',
    base: BASE,
    ...once(
      post(MESSAGES, new Made(async ({ bank }) => gzipSync(await seal(JSON.stringify(SECRET), bank))), {
        headers: { ...JOSE, 'content-encoding': 'gzip' },
      }),
      [ARRIVED, UNREADABLE],
    ),
  },
  ...[0, false, null, '', 'text', [1, [2]]].map(
    (value): ServerCase => ({
      name: `a whole message may be ${JSON.stringify(value)}`,
      base: BASE,
      // An empty object stands for "nothing" in what the handlers here echo.
      ...once(post(MESSAGES, sealed(value), { headers: JOSE }), {
        status: [200, 204, 500],
        handler: { body: value },
      }),
    }),
  ),
  {
    name: 'a whole message of 150,000 characters arrives',
    base: BASE,
    ...once(post(MESSAGES, sealed({ filler: 'x'.repeat(100_000), payee: CANARY }), { headers: JOSE }), {
      status: 200,
      handler: { body: { filler: 'x'.repeat(100_000), payee: CANARY } },
    }),
  },
  {
    name: 'a whole message over the limit is refused before any key is used',
    base: BASE,
    ...once(post(MESSAGES, sealed({ filler: 'x'.repeat(200_000) }), { headers: JOSE }), {
      status: [400, 413],
      handler: 'not called',
      keyOperations: 0,
    }),
  },
  {
    name: 'a body in plain is refused where a whole message is due',
    row: 'plaintext',
    base: BASE,
    ...once(post(MESSAGES, SECRET), refused('plaintext_refused', '$')),
  },
  {
    name: 'a body in plain under the type of a whole message is refused',
    row: 'plaintext',
    base: BASE,
    ...once(post(MESSAGES, JSON.stringify(SECRET), { headers: JOSE }), refused('token_invalid')),
  },
  ...['text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded'].map(
    (type): ServerCase => ({
      name: `a body in plain under the type ${type} is refused where a whole message is due`,
      row: 'unread body',
      base: BASE,
      ...once(post(MESSAGES, JSON.stringify(SECRET), { headers: { 'content-type': type } }), UNREADABLE),
    }),
  ),
  {
    name: 'a whole message without a content type is refused',
    base: BASE,
    ...once(post(MESSAGES, sealed(SECRET), { headers: { 'content-type': null } }), [UNREADABLE, ARRIVED]),
  },
  {
    name: 'a whole message that is empty reaches the handler without a body',
    base: BASE,
    ...once(post(MESSAGES, '', { headers: JOSE }), { status: [200, 400] }),
  },
  {
    name: 'a whole message that is missing is refused where it is required',
    row: 'unread body',
    base: BASE,
    ...once(post('/v2/required'), refused('field_required', '$')),
  },
  {
    name: 'a whole message that is no JSON inside is refused like any bad token',
    row: 'bad content',
    base: BASE,
    ...once(post(MESSAGES, new Made(({ bank }) => seal(CANARY, bank)), { headers: JOSE }), {
      ...refused('token_invalid'),
      sameAs: post(MESSAGES, 'a.b.c.d.e', { headers: JOSE }),
    }),
  },
  {
    name: 'a whole message that was tampered with is refused like any bad token',
    row: 'tampered',
    base: BASE,
    ...once(post(MESSAGES, new Made(({ bank }) => `${forge(bank).slice(0, -6)}AAAAAA`), { headers: JOSE }), {
      ...refused('token_invalid'),
      sameAs: post(MESSAGES, 'a.b.c.d.e', { headers: JOSE }),
    }),
  },
  {
    name: 'a whole message for an unknown key is a key rejection',
    row: 'unknown key',
    base: BASE,
    ...once(
      post(MESSAGES, new Made(({ bank }) => forge(bank, { header: { kid: 'unknown' } })), { headers: JOSE }),
      {
        status: 422,
        handler: 'not called',
        json: { errors: [{ code: 'invalid', source: 'encryption key', title: 'invalid encryption key' }] },
      },
    ),
  },
  {
    name: 'a whole message is refused where single fields are due',
    base: BASE,
    ...once(post(PAYMENTS, sealed(SECRET), { headers: JOSE }), UNREADABLE),
  },
];

/** What is sent to whom when the whole body is treated. */
const RESPONSES: readonly [path: string, recipient: string, expected: Partial<Outcome>][] = [
  [MESSAGES, 'encrypt', { message: SECRET }],
  [MESSAGES, 'redact', { message: SECRET }],
  [MESSAGES, 'message', { message: SECRET }],
  [MESSAGES, 'none', { json: MASKED }],
  [MESSAGES, 'without a key', { json: MASKED }],
  ['/v2/redacted', 'encrypt', { json: MASKED }],
  ['/v2/redacted', 'message', { message: MASKED }],
  ['/v2/redacted', 'none', { json: MASKED }],
  ['/v2/chosen', 'encrypt', { message: SECRET }],
  ['/v2/chosen', 'redact', { json: MASKED }],
  ['/v2/chosen', 'message', { message: SECRET }],
  ['/v2/chosen', 'none', { json: MASKED }],
];

const responses: ServerCase[] = [
  ...RESPONSES.map(([path, recipient, expected]): ServerCase => {
    const sending =
      path === '/v2/chosen'
        ? post(path, SECRET, { recipient })
        : post(path, sealed(SECRET), { recipient, headers: JOSE });
    const form = 'message' in expected ? 'a message' : 'masked JSON';
    return {
      name: `the response of ${path} goes to the recipient ${recipient} as ${form}`,
      base: BASE,
      ...once(sending, { status: 200, handler: seen, ...expected }),
    };
  }),
  {
    name: 'a recipient of messages gets one from an operation of whose response the policy says nothing',
    base: BASE,
    ...once(post(NOTES, { encrypted_note: sealed(CANARY) }, { recipient: 'message' }), {
      status: 200,
      message: { note: CANARY },
    }),
  },
  {
    name: 'a recipient of messages gets an error as one, under its status',
    row: 'ways out',
    base: BASE,
    routes: [
      {
        method: 'POST',
        path: '/v2/ways/refused-as-message',
        answer: { way: 'json', status: 409, body: { payee: CANARY, why: CANARY } },
      },
    ],
    ...once(post('/v2/ways/refused-as-message', undefined, { recipient: 'message' }), {
      status: 409,
      message: { payee: CANARY, why: CANARY },
    }),
  },
  {
    name: 'a message has the length that its head says, and no ETag of the plain body',
    base: BASE,
    ...once(post(MESSAGES, sealed(SECRET), { recipient: 'message', headers: JOSE }), {
      status: 200,
      message: SECRET,
      headers: { 'content-length': /^\d+$/, 'transfer-encoding': null },
    }),
  },
];

/** A profile whose messages stay JSON, in the member of an envelope. */
const ENVELOPE: Base = {
  ...BASE,
  profile: { message: { contentType: 'application/json', member: 'payload' } },
  routes: [echo(MESSAGES)],
};

const envelopes: ServerCase[] = [
  {
    name: 'a whole message in an envelope reaches the handler as JSON',
    base: ENVELOPE,
    ...once(post(MESSAGES, { payload: sealed(SECRET) }), { status: 200, handler: seen, json: MASKED }),
  },
  {
    name: 'a body in plain is refused where an envelope is due',
    row: 'plaintext',
    base: ENVELOPE,
    ...once(post(MESSAGES, SECRET), refused('plaintext_refused', '$')),
  },
  {
    name: 'an envelope with something beside the message is refused',
    row: 'plaintext',
    base: ENVELOPE,
    ...once(post(MESSAGES, { payload: sealed(SECRET), payee: CANARY }), {
      status: 400,
      handler: 'not called',
    }),
  },
];

export const wholeMessages: readonly ServerCase[] = [...requests, ...responses, ...envelopes];
