import { decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { bufferOf, DEEP, nodeStream } from '../../test/runtime.js';
import {
  answer,
  deepFrozen,
  type Ends,
  memberOf,
  nestedLists,
  party,
  post,
  refusal,
  twoEnds,
} from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import { type EncryptionKeys, staticKeys } from '../keys/encryption-keys.js';
import type { EncryptionKey } from '../keys/key.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import type { E2eeResponse } from './message.js';
import type { Recipient } from './recipient.js';

const MASK = '[REDACTED]';
const CANARY = 'canary-90ab';
const POLICY: PolicyDocument = {
  'POST /things': {
    secret: { response: 'redact' },
    token: { response: 'encrypt' },
    either: { response: 'redact-or-encrypt' },
    text: { response: 'encrypt', as: 'text' },
    'nested.secret': { response: 'encrypt' },
    'list.#.secret': { response: 'encrypt' },
    open: { response: 'none' },
  },
  'POST /whole/redact': { $: { response: 'redact' } },
  'POST /whole/encrypt': { $: { response: 'encrypt' } },
  'POST /whole/either': { $: { response: 'redact-or-encrypt' } },
  'POST /whole/none': { $: { request: 'encrypt', response: 'none' } },
  'POST /whole/error': { $: { request: 'encrypt', response: 'redact' } },
  'POST /requests': { a: { request: 'encrypt' } },
};
const IN_PLACE: Profile = { ...banked, prefix: { request: 'enc_', response: '' } };
const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };

let ends: Ends;
let keys: EncryptionKeys;
beforeAll(async () => {
  ends = await twoEnds({ policy: POLICY });
  keys = staticKeys((await party('partner')).encryptionKey);
});

const to = (recipient: Recipient | undefined) => (): Recipient | undefined => recipient;
const choosing = (response: Recipient['response'], withKey: boolean): Recipient => ({
  id: 'p1',
  response,
  ...(withKey && { encryptionKeys: keys }),
});

type Outcome = 'masked' | 'token' | 'plain';

function outcomeOf(body: unknown, name: string): Outcome | 'absent' | 'both' {
  const [plain, wire] = [memberOf(body, name), memberOf(body, `encrypted_${name}`)];
  if (plain !== undefined && wire !== undefined) return 'both';
  if (looksLikeCompactJwe(wire)) return 'token';
  if (plain === undefined) return 'absent';
  return plain === MASK ? 'masked' : 'plain';
}

/** Treatment of the row × choice of the recipient, with and without a key. */
const DELIVERIES: readonly (readonly [
  choice: string,
  hasKey: boolean,
  secret: Outcome,
  token: Outcome,
  either: Outcome,
])[] = [
  ['nobody', false, 'masked', 'masked', 'masked'],
  ['redact', false, 'masked', 'masked', 'masked'],
  ['encrypt', false, 'masked', 'masked', 'masked'],
  ['message', false, 'masked', 'masked', 'masked'],
  ['redact', true, 'masked', 'token', 'masked'],
  ['encrypt', true, 'masked', 'token', 'token'],
  // Inside the one encrypted message, what is encrypted is in plain.
  ['message', true, 'masked', 'plain', 'plain'],
];

describe('treatments by recipient', () => {
  it.each(DELIVERIES)(
    'for %s (key: %s): redact → %s, encrypt → %s, redact-or-encrypt → %s',
    async (choice, hasKey, secret, token, either) => {
      const recipient = choice === 'nobody' ? undefined : choosing(choice as Recipient['response'], hasKey);
      const plain = deepFrozen(
        answer({ secret: CANARY, token: CANARY, either: CANARY, open: 'o', other: 1 }),
      );
      const sent = await ends.server.protectResponse(post('/things'), plain, to(recipient));
      const isMessage = choice === 'message' && hasKey;
      expect(sent.headers['content-type']).toBe(isMessage ? 'application/jose' : 'application/json');
      expect(JSON.stringify(sent)).not.toContain(CANARY);

      const body = isMessage ? (await ends.client.decryptResponse(post('/things'), sent)).body : sent.body;
      expect({
        secret: outcomeOf(body, 'secret'),
        token: outcomeOf(body, 'token'),
        either: outcomeOf(body, 'either'),
      }).toEqual({ secret, token, either });
      expect(body).toMatchObject({ open: 'o', other: 1 });
    },
  );

  it.each<
    [path: string, choice: Recipient['response'] | 'nobody', hasKey: boolean, body: unknown, type: string]
  >([
    ['redact', 'nobody', false, { a: MASK }, 'application/json'],
    ['redact', 'encrypt', true, { a: MASK }, 'application/json'],
    ['redact', 'message', true, { a: MASK }, 'application/jose'],
    ['redact', 'message', false, { a: MASK }, 'application/json'],
    ['encrypt', 'nobody', false, { a: MASK }, 'application/json'],
    ['encrypt', 'redact', true, { a: CANARY }, 'application/jose'],
    ['encrypt', 'encrypt', true, { a: CANARY }, 'application/jose'],
    ['encrypt', 'message', true, { a: CANARY }, 'application/jose'],
    ['either', 'redact', true, { a: MASK }, 'application/json'],
    ['either', 'encrypt', true, { a: CANARY }, 'application/jose'],
    ['either', 'encrypt', false, { a: MASK }, 'application/json'],
    ['none', 'message', true, { a: CANARY }, 'application/jose'],
  ])(
    'treats a whole body that says %s, for %s (key: %s), as %j in %s',
    async (path, choice, hasKey, body, type) => {
      const recipient = choice === 'nobody' ? undefined : choosing(choice, hasKey);
      const request = post(`/whole/${path}`);
      const sent = await ends.server.protectResponse(request, answer({ a: CANARY }), to(recipient));
      expect(sent.headers).toEqual({ 'content-type': type });
      if (type === 'application/json') expect(sent.body).toEqual(body);
      else expect(sent.body).toSatisfy(looksLikeCompactJwe);
      expect((await ends.client.decryptResponse(request, sent)).body).toEqual(body);
    },
  );

  it('leaves an operation alone that treats no response, unless the recipient wants messages', async () => {
    for (const path of ['/requests', '/whole/none']) {
      const plain = answer({ a: 1 });
      expect(await ends.server.protectResponse(post(path), plain, to(choosing('encrypt', true)))).toBe(plain);
      const sent = await ends.server.protectResponse(post(path), plain, to(choosing('message', true)));
      expect(sent.body).toSatisfy(looksLikeCompactJwe);
      expect((await ends.client.decryptResponse(post(path), sent)).body).toEqual({ a: 1 });
    }
  });

  it('leaves an operation alone that the policy does not cover', async () => {
    const plain = answer({ secret: CANARY });
    expect(await ends.server.protectResponse(post('/other'), plain, to(choosing('message', true)))).toBe(
      plain,
    );
  });

  it('names in the header of a message what is inside and whose key it is for', async () => {
    const sent = await ends.server.protectResponse(
      post('/things'),
      answer({ token: 1 }),
      to(choosing('message', true)),
    );
    expect(decodeProtectedHeader(String(sent.body))).toEqual({
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      kid: 'partner',
      cty: 'json',
    });
  });

  it('asks the recipient option where the adapter gives none', async () => {
    const seen: unknown[] = [];
    const { server, partner } = await twoEnds({
      policy: POLICY,
      server: {
        recipient: async (request) => {
          seen.push(request);
          return partner;
        },
      },
    });
    const request = post('/things', undefined, { authorization: 'Bearer x' });
    expect(outcomeOf((await server.protectResponse(request, answer({ token: 1 }))).body, 'token')).toBe(
      'token',
    );
    expect(seen).toEqual([request]);
  });
});

describe('naming what is encrypted', () => {
  it('prefixes the name and keeps the order of members', async () => {
    const { body } = await ends.server.protectResponse(
      post('/things'),
      answer({ x: 1, token: 2, nested: { y: 3, secret: 4 }, z: 5 }),
    );
    expect(Object.keys(body as object)).toEqual(['x', 'encrypted_token', 'nested', 'z']);
    expect(Object.keys(memberOf(body, 'nested') as object)).toEqual(['y', 'encrypted_secret']);
  });

  it('puts tokens in place where the profile has no prefix for responses', async () => {
    const { server, client } = await twoEnds({ policy: POLICY, profile: IN_PLACE });
    const plain = { x: 1, token: CANARY, list: [{ secret: 0 }], text: '' };
    const { body } = await server.protectResponse(post('/things'), answer(plain));
    expect(Object.keys(body as object)).toEqual(['x', 'token', 'list', 'text']);
    expect(memberOf(body, 'token')).toSatisfy(looksLikeCompactJwe);
    expect((await client.decryptResponse(post('/things'), answer(body))).body).toEqual(plain);
  });

  it('puts a message into its member where the profile has an envelope', async () => {
    const { server, client } = await twoEnds({ policy: POLICY, profile: ENVELOPE });
    const sent = await server.protectResponse(
      post('/things'),
      answer({ token: 1 }),
      to(choosing('message', true)),
    );
    expect(sent).toEqual(
      answer({ jwe: expect.toSatisfy(looksLikeCompactJwe) }, 200, { 'content-type': 'application/json' }),
    );
    expect((await client.decryptResponse(post('/things'), sent)).body).toEqual({ token: 1 });
  });

  it('drops headers that described the plain bytes, in any letter case, and names the type', async () => {
    const stale = {
      'CONTENT-LENGTH': '9',
      ETag: '"hash of the plaintext"',
      Digest: 'x',
      'Repr-Digest': 'x',
      'Content-Encoding': 'gzip',
    };
    const kept = { 'x-request-id': '7', 'Set-Cookie': 'a=b' };
    const type = { 'Content-Type': 'application/problem+json' };
    const fields = await ends.server.protectResponse(
      post('/things'),
      answer({ token: 1 }, 200, { ...stale, ...kept, ...type }),
    );
    expect(fields.headers).toEqual({ ...kept, ...type });
    const untyped = await ends.server.protectResponse(
      post('/things'),
      answer({ secret: 1 }, 200, { ...stale, ...kept }),
    );
    expect(untyped.headers).toEqual({ ...kept, 'content-type': 'application/json' });
    const message = await ends.server.protectResponse(
      post('/things'),
      answer({ token: 1 }, 200, { ...stale, ...kept, ...type }),
      to(choosing('message', true)),
    );
    expect(message.headers).toEqual({ ...kept, 'content-type': 'application/jose' });
  });
});

describe('every status and every way out', () => {
  it.each([200, 201, 206, 301, 302, 400, 401, 404, 409, 422, 500, 503])(
    'protects a body with status %d',
    async (status) => {
      const sent = await ends.server.protectResponse(
        post('/things'),
        answer({ token: CANARY, secret: CANARY }, status),
      );
      expect(sent.status).toBe(status);
      expect(outcomeOf(sent.body, 'token')).toBe('token');
      expect(outcomeOf(sent.body, 'secret')).toBe('masked');
    },
  );

  it.each([204, 205, 304])('sends no body with status %d, whatever the handler gave', async (status) => {
    const sent = await ends.server.protectResponse(
      post('/things'),
      answer({ secret: CANARY }, status, { etag: '"x"' }),
    );
    expect(sent).toEqual({ status, headers: { etag: '"x"' } });
  });

  it.each([undefined, ''])('leaves a response without a body (%o) as it is', async (body) => {
    const response = answer(body, 200, { etag: '"x"' });
    expect(await ends.server.protectResponse(post('/things'), response)).toBe(response);
  });

  it('reads a JSON text like the value it stands for', async () => {
    const text = JSON.stringify({ secret: CANARY, token: 1 });
    const sent = await ends.server.protectResponse(
      post('/things'),
      answer(text, 200, { 'content-type': 'text/html; charset=utf-8' }),
    );
    expect(outcomeOf(sent.body, 'secret')).toBe('masked');
    expect(outcomeOf(sent.body, 'token')).toBe('token');
  });

  const cycle: Record<string, unknown> = { secret: CANARY };
  cycle.self = cycle;
  const unreadable: readonly (readonly [name: string, make: () => unknown])[] = [
    ['a text that is not JSON', () => `secret: ${CANARY}`],
    ['a page', () => `<p>${CANARY}</p>`],
    ['a Buffer', () => bufferOf(utf8(JSON.stringify({ secret: CANARY })))],
    ['bytes of no length', () => new Uint8Array()],
    ['a Node stream', () => nodeStream(CANARY)],
    ['a web stream', () => new ReadableStream()],
    ['a Blob', () => new Blob([CANARY])],
    ['a BigInt', () => ({ secret: 1n, note: CANARY })],
    ['a cycle', () => cycle],
    [
      'a throwing getter',
      () =>
        Object.defineProperty({}, 'secret', {
          enumerable: true,
          get: () => {
            throw new Error(CANARY);
          },
        }),
    ],
    [
      'a throwing toJSON',
      () => ({
        secret: {
          toJSON: () => {
            throw new Error(CANARY);
          },
        },
      }),
    ],
    ['a toJSON that gives nothing', () => ({ toJSON: () => undefined })],
    ['a function', () => () => CANARY],
    ['a symbol', () => Symbol(CANARY)],
  ];

  it.each(unreadable)('refuses %s with a success status, and shows nothing of it', async (_, make) => {
    const error = await refusal(ends.server.protectResponse(post('/things'), answer(make())));
    expect(error).toMatchObject({ code: 'response_refused', status: 500, expose: false });
    expect(error.message).toContain('POST /things');
    expect(error.message).not.toContain(CANARY);
  });

  it.each(unreadable)(
    'keeps the status of an error whose body is %s, and replaces the body',
    async (_, make) => {
      for (const status of [400, 404, 500]) {
        const headers = { 'Content-Type': 'text/html', ETag: '"x"', 'x-id': '7' };
        const sent = await ends.server.protectResponse(post('/things'), answer(make(), status, headers));
        expect(sent).toEqual({
          status,
          headers: { 'x-id': '7', 'content-type': 'application/json' },
          body: {
            errors: [
              { code: 'response_refused', source: 'body', title: 'The request could not be processed' },
            ],
          },
        });
      }
    },
  );

  it('keeps the status and the target of a redirection, and drops its page', async () => {
    const page = answer('<a href="/x">moved</a>', 302, { location: '/x', 'content-length': '22' });
    const sent = await ends.server.protectResponse(post('/things'), page);
    expect(sent).toEqual({ status: 302, headers: { location: '/x' } });
  });

  it.each<[name: string, value: unknown, json: unknown]>([
    ['Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['toJSON', { toJSON: () => ({ inner: CANARY }) }, { inner: CANARY }],
    ['Map', new Map([['a', CANARY]]), {}],
    ['Set', new Set([CANARY]), {}],
    ['NaN', Number.NaN, null],
    ['Buffer', bufferOf(utf8('a')), JSON.parse(JSON.stringify(bufferOf(utf8('a'))))],
    ['a list with holes and functions', [undefined, () => 1, Symbol('x')], [null, null, null]],
    [
      'a class instance',
      new (class Secret {
        name = CANARY;
        #hidden = 1;
        get = () => this.#hidden;
      })(),
      { name: CANARY },
    ],
  ])('treats a value of the kind %s as JSON would', async (_, value, json) => {
    const sent = await ends.server.protectResponse(post('/things'), answer({ token: value, secret: value }));
    expect(JSON.stringify(sent)).not.toContain(CANARY);
    const { body } = await ends.client.decryptResponse(post('/things'), sent);
    expect(memberOf(body, 'token')).toEqual(json);
  });

  it('finds a field that only toJSON shows', async () => {
    const body = { toJSON: () => ({ secret: CANARY, nested: { toJSON: () => ({ secret: CANARY }) } }) };
    const sent = await ends.server.protectResponse(post('/things'), answer(body), to(undefined));
    expect(sent.body).toEqual({ secret: MASK, nested: { secret: MASK } });
  });

  it('runs toJSON and getters once, so that they cannot show one thing and send another', async () => {
    let calls = 0;
    const body = {
      get secret(): string {
        calls += 1;
        return CANARY;
      },
    };
    await ends.server.protectResponse(post('/things'), answer(body));
    expect(calls).toBe(1);
  });

  it.each([
    ['nested.secret', { nested: CANARY }],
    ['list.#.secret', { list: { secret: CANARY } }],
    ['list.#.secret', { list: [CANARY] }],
    ['secret', [{ secret: CANARY }]],
  ])('refuses a body whose shape would hide %s: %j', async (path, body) => {
    const error = await refusal(ends.server.protectResponse(post('/things'), answer(body)));
    expect(error).toMatchObject({ code: 'response_refused', status: 500, path });
    expect(error.message).not.toContain(CANARY);
    const sent = await ends.server.protectResponse(post('/things'), answer(body, 404));
    expect(sent).toMatchObject({ status: 404, body: { errors: [{ code: 'response_refused' }] } });
    expect(JSON.stringify(sent)).not.toContain(CANARY);
  });

  it('asks for the key of a recipient only when something is to be encrypted', async () => {
    let asked = 0;
    const down = async (): Promise<never> => {
      asked += 1;
      throw new E2eeError('keys_unavailable', 'down');
    };
    const recipient: Recipient = {
      id: 'p1',
      response: 'encrypt',
      encryptionKeys: { current: down, refresh: async () => {} },
    };
    const sent = await ends.server.protectResponse(
      post('/things'),
      answer({ secret: 1 }, 404),
      to(recipient),
    );
    expect(sent.body).toEqual({ secret: MASK });
    expect(asked).toBe(0);
    const error = await refusal(
      ends.server.protectResponse(post('/things'), answer({ token: 1 }), to(recipient)),
    );
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
  });

  it('takes the body from an error that is redacted as a whole and names a member by a protected value', async () => {
    const [said, other] = [{ errors: { [CANARY]: 'unknown' } }, { errors: { a: 'unknown' } }];
    for (const choice of ['nobody', 'message'] as const) {
      const recipient = choice === 'nobody' ? undefined : choosing(choice, true);
      const protect = (body: unknown): Promise<E2eeResponse> =>
        ends.server.protectResponse(post('/whole/error', { a: CANARY }), answer(body, 422), to(recipient));
      const sent = await protect(said);
      expect(sent.status).toBe(422);
      expect(JSON.stringify(sent)).not.toContain(CANARY);
      const isMessage = sent.headers['content-type'] === 'application/jose';
      expect(isMessage).toBe(choice === 'message');
      if (!isMessage) expect(sent.body).toMatchObject({ errors: [{ code: 'response_refused' }] });
      const { body } = await ends.client.decryptResponse(post('/whole/error'), await protect(other));
      expect(body).toEqual({ errors: { a: MASK } });
    }
  });

  it('refuses a field that is there in plain and encrypted', async () => {
    const once = await ends.server.protectResponse(post('/things'), answer({ token: 1 }));
    const both = answer({ ...(once.body as object), token: CANARY });
    expect(await refusal(ends.server.protectResponse(post('/things'), both))).toMatchObject({
      code: 'response_refused',
      path: 'token',
    });
  });

  it('refuses what stands under the name of an encrypted field and is no token', async () => {
    for (const value of [CANARY, { a: CANARY }, null, 7]) {
      const error = await refusal(
        ends.server.protectResponse(post('/things'), answer({ encrypted_token: value })),
      );
      expect(error).toMatchObject({ code: 'response_refused', status: 500, path: 'token' });
      expect(error.message).not.toContain(CANARY);
    }
  });

  it('refuses a value that is no text where the row says text', async () => {
    const error = await refusal(
      ends.server.protectResponse(post('/things'), answer({ text: { a: CANARY } })),
    );
    expect(error).toMatchObject({ code: 'response_refused', status: 500, path: 'text' });
    expect(error.cause).toMatchObject({ code: 'field_invalid' });
  });

  it('refuses a body nested over the limit, far over it too', async () => {
    for (const depth of [64, DEEP]) {
      const body = JSON.parse(`{"secret":${nestedLists(depth)}}`);
      for (const form of [body, `{"secret":${nestedLists(depth)}}`]) {
        const error = await refusal(ends.server.protectResponse(post('/things'), answer(form)));
        expect(error).toMatchObject({ code: 'response_refused', status: 500 });
      }
    }
    const allowed = answer(JSON.parse(`{"secret":${nestedLists(63)}}`));
    expect((await ends.server.protectResponse(post('/things'), allowed)).status).toBe(200);
  });

  it('masks and encrypts without a bound on their number', async () => {
    const list = Array.from({ length: 70 }, (_, secret) => ({ secret }));
    const { body } = await ends.server.protectResponse(post('/things'), answer({ list }));
    expect(memberOf(body, 'list')).toHaveLength(70);
    expect(memberOf(body, 'list', 69, 'encrypted_secret')).toSatisfy(looksLikeCompactJwe);
  });

  it('touches neither the body nor the headers that it was given', async () => {
    const response = deepFrozen(
      answer({ secret: { a: [CANARY] }, token: 1, list: [{ secret: 2 }] }, 200, { etag: 'x' }),
    );
    await ends.server.protectResponse(post('/things'), response);
    expect(response.body).toEqual({ secret: { a: [CANARY] }, token: 1, list: [{ secret: 2 }] });
  });
});

describe('when encrypting is not possible', () => {
  const down: EncryptionKeys = {
    current: async () => {
      throw new E2eeError('keys_unavailable', 'No valid encryption key could be had');
    },
    refresh: async () => {},
  };

  it.each(['encrypt', 'message', 'redact'] as const)(
    'fails with 503 when the keys of a recipient who chose %s are down',
    async (response) => {
      const recipient: Recipient = { id: 'p1', encryptionKeys: down, response };
      for (const path of ['/things', '/whole/encrypt']) {
        const error = await refusal(
          ends.server.protectResponse(post(path), answer({ token: CANARY, secret: CANARY }), to(recipient)),
        );
        expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
      }
    },
  );

  it('fails with 500 when the key of the recipient cannot encrypt', async () => {
    const { encryptionKey, decryptionKey } = await party('partner');
    const broken: EncryptionKeys['current'][] = [
      async () => ({ ...encryptionKey, publicKey: {} as EncryptionKey['publicKey'] }),
      async () => decryptionKey as never,
      async () => undefined as never,
      async () => {
        throw new Error('a bug of the application');
      },
    ];
    for (const current of broken) {
      const recipient: Recipient = {
        id: 'p1',
        encryptionKeys: { current, refresh: async () => {} },
        response: 'encrypt',
      };
      const error = await refusal(
        ends.server.protectResponse(post('/things'), answer({ token: CANARY }), to(recipient)),
      );
      expect(error.status).toBe(500);
      expect(error.message).not.toContain(CANARY);
    }
  });

  it.each(['Encrypt', 'none', '', undefined, null, 7])(
    'fails with 500 when a recipient has chosen %o',
    async (response) => {
      const recipient = { id: 'p1', encryptionKeys: keys, response } as unknown as Recipient;
      const error = await refusal(
        ends.server.protectResponse(post('/things'), answer({ token: CANARY }), to(recipient)),
      );
      expect(error).toMatchObject({ code: 'option_invalid', status: 500 });
    },
  );

  it.each([
    [
      'throws',
      (): never => {
        throw new Error('no such client');
      },
    ],
    [
      'rejects',
      async (): Promise<never> => {
        throw new TypeError('no such client');
      },
    ],
    [
      'rejects with an error that blames the peer',
      async (): Promise<never> => {
        throw new E2eeError('token_invalid', 'no');
      },
    ],
  ])('fails with 500 when looking for the recipient %s', async (_, find) => {
    const error = await refusal(
      ends.server.protectResponse(post('/things'), answer({ token: CANARY }), find),
    );
    expect(error).toMatchObject({ code: 'response_refused', status: 500, expose: false });
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('events about responses', () => {
  async function eventsFor(
    recipient: Recipient | undefined,
    body: unknown,
    status = 200,
  ): Promise<unknown[]> {
    const { server, serverEvents } = await twoEnds({ policy: POLICY });
    await server.protectResponse(post('/things'), answer(body, status), to(recipient)).catch(() => {});
    return serverEvents;
  }

  it('say when fields are redacted for want of a recipient, or of a key', async () => {
    expect(await eventsFor(undefined, { token: 1 })).toEqual([
      { type: 'redacted_without_key', operation: 'POST /things' },
    ]);
    for (const choice of ['encrypt', 'message'] as const) {
      expect(await eventsFor(choosing(choice, false), { token: 1 })).toEqual([
        { type: 'redacted_without_key', operation: 'POST /things', recipient: 'p1' },
      ]);
    }
  });

  it('say nothing when all went as it was chosen', async () => {
    expect(await eventsFor(choosing('redact', false), { either: 1, secret: 2 })).toEqual([]);
    for (const choice of ['redact', 'encrypt', 'message'] as const) {
      expect(await eventsFor(choosing(choice, true), { token: 1, either: 2, secret: 3 })).toEqual([]);
    }
  });

  it('say when a response was refused, with the error that tells why', async () => {
    expect(await eventsFor(undefined, 'no JSON')).toEqual([
      {
        type: 'response_refused',
        operation: 'POST /things',
        error: expect.objectContaining({ code: 'body_unreadable' }),
      },
    ]);
    expect(await eventsFor(choosing('encrypt', true), { text: 7 })).toEqual([
      {
        type: 'response_refused',
        operation: 'POST /things',
        error: expect.objectContaining({ code: 'field_invalid', path: 'text' }),
      },
    ]);
    expect(await eventsFor(undefined, 'no JSON', 404)).toHaveLength(1);
  });
});
