import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everythingOf } from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { DEEP } from '../../test/runtime.js';
import { deepFrozen, nestedLists, post, twoEnds } from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import { definePolicy } from '../policy/define-policy.js';
import { banked } from '../profiles/banked.js';
import { powens } from '../profiles/powens.js';
import type { Profile } from '../profiles/profile.js';
import { logSerializers } from './log-serializers.js';

const CANARY = 'canary-93641';
const PATH = '/v2/payment_sessions';
const BODY = { amount: 1, payee: { name: CANARY, [CANARY]: 7 }, mandate_id: CANARY };
const SHOWN = { amount: 1, payee: '[REDACTED]', mandate_id: '[REDACTED]' };
const WHOLE = '[REDACTED]';

const { req, res, err } = logSerializers(banked);

/** Something with its members on a prototype, as the classes of frameworks have them. */
const computed = (members: object): object =>
  Object.create(
    Object.create(
      null,
      Object.fromEntries(Object.entries(members).map(([name, value]) => [name, { get: () => value }])),
    ),
  );
const node = (members: object): object => computed({ method: 'POST', url: PATH, headers: {}, ...members });

describe('the serializer of requests', () => {
  it.each<[shape: string, request: unknown]>([
    ['an E2eeRequest', post(PATH, BODY)],
    ['Express', node({ originalUrl: PATH, baseUrl: '', path: PATH, body: BODY })],
    [
      'Express, in a router',
      node({
        originalUrl: PATH,
        baseUrl: '/v2',
        url: '/payment_sessions',
        path: '/payment_sessions',
        body: BODY,
      }),
    ],
    ['Fastify', node({ originalUrl: PATH, body: BODY, raw: node({}) })],
    ["Koa's ctx.request", node({ originalUrl: PATH, path: PATH, body: BODY, req: node({}) })],
    [
      'what Pino makes of one',
      { id: undefined, method: 'POST', url: PATH, query: {}, headers: {}, raw: node({ body: BODY }) },
    ],
    [
      'an Axios config',
      { method: 'post', baseURL: 'https://user:pass@api.example/v2/', url: 'payment_sessions', data: BODY },
    ],
    [
      'an Axios config of one URL',
      { method: 'post', url: `https://user:pass@api.example${PATH}`, data: BODY },
    ],
  ])('shows %s by the policy', (_, request) => {
    expect(req(request)).toEqual({ method: 'POST', path: PATH, headers: {}, body: SHOWN });
  });

  it('shows no query, no parameters of a path and few headers', () => {
    const headers = {
      Authorization: CANARY,
      cookie: CANARY,
      'x-api-key': CANARY,
      'User-Agent': 'curl',
      'content-length': 12,
    };
    const shown = { method: 'POST', headers: { 'user-agent': 'curl', 'content-length': '12' } };
    for (const query of ['?', '#', ';'].map((mark) => `${mark}name=${CANARY}`))
      expect(req(node({ url: PATH + query, headers }))).toEqual({ ...shown, path: PATH });
    expect(req(node({ headers: new Headers({ ...headers, 'content-length': '12' }) }))).toEqual({
      ...shown,
      path: PATH,
    });
    expect(req({ method: 'get', url: `//user:${CANARY}@api.example/v2` })).not.toContain(CANARY);
  });

  it('keeps the id by which loggers tell requests apart', () => {
    expect(req(node({ id: 17 }))).toMatchObject({ id: 17 });
    expect(req(node({ id: () => CANARY }))).not.toHaveProperty('id');
  });

  it('takes a policy, its document or a profile with another policy, and compiles each once', () => {
    const document = { 'POST /cards': { number: { request: 'encrypt' } } } as const;
    for (const policy of [document, definePolicy(document), { ...banked, policy: document }])
      expect(logSerializers(policy).req(post('/cards', { number: CANARY })).body).toEqual({ number: WHOLE });
    expect(() => logSerializers({ 'GET nowhere': {} })).toThrow(
      expect.objectContaining({ code: 'policy_invalid' }),
    );
    expect(() => logSerializers({ ...banked, prefix: 1 as never })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    );
  });

  it('hides in requests what is protected in responses only, and the other way round', () => {
    const policy = {
      'POST /both': {
        card: { request: 'encrypt' },
        'owner.name': { response: 'redact' },
        owner: { request: 'none' },
        'list.#': { response: 'encrypt' },
        'meta.*': { request: 'encrypt' },
        'meta.open': { request: 'none' },
      },
      'POST /wider': { a: { request: 'encrypt' }, 'a.b': { response: 'redact' } },
      'POST /exception': {
        '*': { request: 'encrypt', response: 'redact' },
        one: { request: 'none' },
        two: { request: 'none', response: 'none' },
      },
    } as const;
    const both = logSerializers(policy);
    const body = {
      card: CANARY,
      owner: { name: CANARY, id: 3 },
      list: [CANARY],
      meta: { open: 1, any: CANARY },
    };
    const shown = {
      card: WHOLE,
      owner: { name: WHOLE, id: 3 },
      list: [WHOLE],
      meta: { open: 1, any: WHOLE },
    };
    expect(both.req(post('/both', body)).body).toEqual(shown);
    expect(both.res({ status: 200, headers: {}, body, req: post('/both') }).body).toEqual(shown);
    expect(both.req(post('/wider', { a: { b: CANARY }, c: 1 })).body).toEqual({ a: WHOLE, c: 1 });
    expect(both.req(post('/exception', { one: CANARY, two: 2, three: CANARY })).body).toEqual({
      one: WHOLE,
      two: 2,
      three: WHOLE,
    });
  });

  it('leaves tokens where they are, and hides what only bears the name of one', async () => {
    const { client } = await twoEnds();
    const sent = await client.encryptRequest(post(PATH, BODY));
    expect(req(sent).body).toEqual(sent.body);
    expect(req(post(PATH, { encrypted_payee: CANARY })).body).toEqual({ encrypted_payee: WHOLE });
    const inPlace = await twoEnds({ profile: powens });
    const connection = await inPlace.client.encryptRequest(
      post('/users/1/connections', { login: CANARY, active: true }),
    );
    expect(logSerializers(powens).req(connection).body).toEqual(connection.body);
    expect(logSerializers(powens).req(post('/users/1/connections', { login: 'a.b.c.d.e' })).body).toEqual({
      login: WHOLE,
    });
  });

  it('shows bodies of operations that the policy does not know', () => {
    expect(req(post('/other', { note: 'seen', payee: 'seen' })).body).toEqual({
      note: 'seen',
      payee: 'seen',
    });
    expect(req(post('/other', 'text')).body).toBe('text');
  });

  const cycle: Record<string, unknown> = { ...BODY };
  cycle.self = cycle;
  const throwing = {
    get payee(): never {
      throw new Error(CANARY);
    },
  };
  it.each<[what: string, body: unknown, path?: string]>([
    ['an array where a member is due', { actions: { source: CANARY } }, '/v2/mandates'],
    ['a value where a container is due', { actions: CANARY }, '/v2/mandates'],
    ['a list', [BODY]],
    ['a text', JSON.stringify(BODY)],
    ['a number', 93_641],
    ['bytes', new TextEncoder().encode(JSON.stringify(BODY))],
    ['a stream', new Response(JSON.stringify(BODY)).body],
    ['a form', new URLSearchParams({ payee: CANARY })],
    ['a blob', new Blob([CANARY])],
    ['a function', () => CANARY],
    ['a getter that throws', throwing],
    ['a getter that throws deep inside', { note: { deep: throwing } }],
    ['toJSON that throws', { payee: CANARY, toJSON: () => throwing.payee }],
    ['a cycle', cycle],
    ['a BigInt', { ...BODY, amount: 1n }],
    ['65 lists in one another', { ...BODY, note: JSON.parse(nestedLists(65)) }],
    ['thousands of lists in one another', { ...BODY, note: JSON.parse(nestedLists(DEEP)) }],
    ['an ambiguous path', BODY, '/v2/payment_sessions;/../mandates'],
  ])('hides the whole body: %s', (_, body, path = PATH) => {
    const shown = req(post(path, body));
    expect(shown).toMatchObject({ method: 'POST', body: WHOLE });
    expect(everythingOf(shown)).not.toMatch(/canary|93641/);
  });

  it('hides the whole body of a request without a method or a path, and of one that is two operations', () => {
    const policy = {
      'POST /a/b': { x: { request: 'encrypt' } },
      'POST /b': { y: { request: 'encrypt' } },
    } as const;
    const two = node({ originalUrl: '/a/b', baseUrl: '/a', url: '/b', body: { x: CANARY } });
    expect(logSerializers(policy).req(two).body).toBe(WHOLE);
    expect(req({ body: BODY })).toEqual({ headers: {}, body: WHOLE });
    expect(req({ path: PATH, body: BODY }).body).toBe(WHOLE);
    expect(req({ method: 'POST', body: BODY }).body).toBe(WHOLE);
  });

  it('never throws, whatever it is given', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error(CANARY);
        },
      },
    );
    for (const request of [
      hostile,
      node({ headers: hostile }),
      computed({ method: hostile, url: hostile, body: hostile }),
    ]) {
      expect(
        everythingOf([req(request), res(request), res({ req: request, body: BODY }), err(request)]),
      ).not.toContain(CANARY);
    }
    for (const nothing of [undefined, null, CANARY, 7, () => CANARY])
      expect(everythingOf([req(nothing), res(nothing), err(nothing)])).not.toContain(CANARY);
  });

  it('does not change what it is given, and shows data that nobody shares', () => {
    const body = deepFrozen({ amount: { of: 1 }, payee: { name: CANARY } });
    const shown = req(deepFrozen(post(PATH, body)));
    expect(body.payee.name).toBe(CANARY);
    expect(Object(shown.body).amount).not.toBe(body.amount);
  });

  it('keeps members called like parts of prototypes as members', () => {
    const body = JSON.parse(`{"__proto__":{"payee":"seen"},"constructor":1,"payee":"${CANARY}"}`);
    const { body: shown } = req(post(PATH, body));
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"payee":"seen"},"constructor":1,"payee":"[REDACTED]"}');
  });
});

describe('the serializer of responses', () => {
  const request = post(PATH, BODY);
  const answered = { headers: { 'Content-Type': 'application/json', 'set-cookie': CANARY }, body: BODY };
  const headers = { 'content-type': 'application/json' };

  it.each<[shape: string, response: object]>([
    ['an E2eeResponse with its request', { status: 201, ...answered, req: request }],
    ['Koa', computed({ status: 201, ...answered, request, req: node({ url: '/somewhere' }) })],
    [
      'Axios',
      {
        status: 201,
        headers: answered.headers,
        data: BODY,
        config: { method: 'post', url: PATH },
        request: {},
      },
    ],
    ['Express', computed({ statusCode: 201, getHeaders: () => answered.headers, body: BODY, req: request })],
    ['Fastify', computed({ statusCode: 201, getHeaders: () => answered.headers, body: BODY, request })],
  ])('shows %s by the operation of its request', (_, response) => {
    expect(res(response)).toEqual({ status: 201, headers, body: SHOWN });
  });

  it('shows the status of what Pino makes of one', () => {
    expect(res({ statusCode: null, headers: {}, raw: { statusCode: 202, req: request } })).toEqual({
      status: 202,
      headers: {},
    });
  });

  it('hides the whole body where it does not know the request', () => {
    expect(res({ status: 200, ...answered })).toEqual({ status: 200, headers, body: WHOLE });
    expect(res({ status: 204, headers: {} })).toEqual({ status: 204, headers: {} });
  });

  it('shows the body of an operation that the policy does not know', () => {
    expect(res({ status: 200, ...answered, body: { ok: true }, req: post('/other') }).body).toEqual({
      ok: true,
    });
  });

  it('hides an error that repeats what is protected in the request', () => {
    const shown = (status: number, body: unknown, of: unknown = post(PATH, { payee: CANARY })): unknown =>
      res({ status, headers: {}, body, req: of }).body;
    expect(shown(422, { message: `no account ${CANARY}` })).toBe(WHOLE);
    expect(shown(422, { message: 'no such account' })).toEqual({ message: 'no such account' });
    expect(shown(422, { message: 'no such account' }, post(PATH))).toEqual({ message: 'no such account' });
    const body: Record<string, unknown> = { payee: CANARY };
    body.payee = body;
    expect(shown(422, { message: 'no such account' }, post(PATH, body))).toBe(WHOLE);
  });
});

describe('the serializer of errors', () => {
  it('leaves out the members of errors, which hold whole messages', () => {
    const cause = Object.assign(new TypeError('inside'), { body: BODY });
    const error = Object.assign(new Error('outside', { cause }), {
      code: 'ERR_BAD_REQUEST',
      status: 422,
      config: { data: BODY },
      response: { data: BODY },
      [CANARY]: CANARY,
    });
    const shown = err(error);
    expect(shown).toMatchObject({ type: 'Error', message: 'outside', code: 'ERR_BAD_REQUEST', status: 422 });
    expect(shown.cause).toMatchObject({ type: 'TypeError', message: 'inside' });
    expect(shown.stack).toMatch(/log-serializers\.test/);
    expect(everythingOf(shown)).not.toContain(CANARY);
  });

  it('leaves out the message of a syntax error, which quotes the text, from its stack too', () => {
    for (const text of [`${CANARY} {`, `\n    at ${CANARY}`, `{"payee":\n at ${CANARY}:1:2`]) {
      const error = new SyntaxError(`Unexpected token in ${text}`);
      expect(err(error)).toMatchObject({ type: 'SyntaxError', message: WHOLE });
      expect(everythingOf(err(error))).not.toContain(CANARY);
    }
  });

  it('shows what an E2eeError says, and not what is thrown without being an error', () => {
    const error = new E2eeError('plaintext_refused', 'Field `payee` must be encrypted', { path: 'payee' });
    expect(err(error)).toMatchObject({
      type: 'E2eeError',
      code: 'plaintext_refused',
      status: 400,
      path: 'payee',
      message: error.message,
    });
    expect(err(CANARY)).toEqual({ type: 'string', message: WHOLE });
  });

  it('ends with errors that cause one another', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(err(error)).match(/"message":"round"/g)?.length).toBeLessThan(10);
  });
});

describe('no canary comes out', () => {
  const profiles: readonly (readonly [Profile, path: string, fields: readonly string[]])[] = [
    [banked, PATH, ['payee', 'payer', 'mandate_id', 'mandate']],
    [banked, '/v2/mandates', ['source', 'destination']],
    [powens, '/users/1/connections', ['login', 'password', 'anything']],
  ];
  const secret = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.string().map((text) => text + CANARY),
      fc.constant([CANARY, { [CANARY]: 1 }]),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.string().map((text) => text + CANARY),
        tie('value'),
        { maxKeys: 3 },
      ),
    ),
  })).value;

  it.each(profiles)('of a protected field, whatever the body: $name', (profile, path, fields) => {
    const serializers = logSerializers(profile);
    const bodies = fc
      .tuple(fc.dictionary(fc.constantFrom(...fields), secret), fc.jsonValue({ maxDepth: 3 }))
      .map(([secrets, others]) => ({ ...(profile === powens ? {} : Object(others)), ...secrets }));
    fc.assert(
      fc.property(bodies, fc.constantFrom(200, 422), (body, status) => {
        const request = post(path, body);
        const shown = [
          serializers.req(request),
          serializers.res({ status, headers: {}, body, req: request }),
        ];
        expect(everythingOf(shown)).not.toContain(CANARY);
      }),
      runs(100),
    );
  });

  it('of an array of objects, in which other members stay', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ source: secret, note: fc.integer() }), { maxLength: 5 }),
        (actions) => {
          const { body } = req(post('/v2/mandates', { actions }));
          expect(body).toEqual({ actions: actions.map(({ note }) => ({ source: WHOLE, note })) });
        },
      ),
      runs(100),
    );
  });

  it('where any value at all stands in place of a container', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          const body = { actions: value, source: CANARY };
          expect(everythingOf(req(post('/v2/mandates', body)))).not.toContain(CANARY);
          req(value);
          res(value);
          err(value);
        },
      ),
    );
  });
});
