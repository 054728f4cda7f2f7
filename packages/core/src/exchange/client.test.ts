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
  tampered,
  twoEnds,
} from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import { type EncryptionKeys, staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { remoteJwks } from '../keys/remote-jwks.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import { createE2eeClient, type E2eeClientOptions } from './client.js';
import type { E2eeEvent } from './events.js';
import type { E2eeResponse } from './message.js';

const CANARY = 'canary-c3f0';
const BOTH = { request: 'encrypt', response: 'encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /things': {
    a: BOTH,
    text: { ...BOTH, as: 'text' },
    'nested.a': BOTH,
    'list.#.a': BOTH,
    masked: { response: 'redact' },
  },
  'POST /required': { a: { ...BOTH, required: true } },
  'POST /whole': { $: BOTH },
  'POST /answers': { a: { response: 'encrypt' } },
};
const IN_PLACE: Profile = { ...banked, prefix: { request: '', response: '' } };
const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };
const REJECTION: E2eeResponse = answer(banked.keyRejection.body, 422);

let ends: Ends;
beforeAll(async () => {
  ends = await twoEnds({ policy: POLICY });
});

describe('whether the body of an answer has to be read', () => {
  const JSON_TYPE = 'application/json';
  it.each<[boolean, string, number, string | undefined, Profile?]>([
    [true, '/answers', 200, 'text/html'],
    [true, '/answers', 500, undefined],
    [false, '/sent', 200, JSON_TYPE],
    [false, '/sent', 200, 'text/event-stream'],
    [false, '/sent', 200, undefined],
    [true, '/sent', 422, undefined],
    [true, '/sent', 200, 'Application/JOSE; a=b'],
    [true, '/other', 200, 'application/jose'],
    [false, '/other', 422, JSON_TYPE],
    [true, '/other', 200, JSON_TYPE, ENVELOPE],
    [true, '/sent', 200, JSON_TYPE, ENVELOPE],
    [false, '/sent', 200, 'text/event-stream', ENVELOPE],
  ])('%s: POST %s, %s %s', async (expected, path, status, type, profile = banked) => {
    const policy = { ...POLICY, 'POST /sent': { a: { request: 'encrypt' } } } as const;
    const { client } = await twoEnds({ policy, profile });
    const headers = type === undefined ? {} : { 'Content-Type': type };
    expect(client.reads({ method: 'POST', path }, { status, headers })).toBe(expected);
  });
});

describe('making the client end', () => {
  it.each<[string, object]>([
    ['profile', { profile: undefined }],
    ['encryptionKeys', { encryptionKeys: undefined }],
    ['encryptionKeys', { encryptionKeys: {} }],
    ['encryptionKeys', { encryptionKeys: 'https://x/jwks.json' }],
    ['unmatched', { unmatched: 'reject' }],
    ['unmatched', { unmatched: true }],
    ['onEvent', { onEvent: 'log' }],
    ['limits.tokens', { limits: { tokens: 0 } }],
    ['limits.token', { limits: { token: 1 } }],
  ])('names the option %s when it is %j', async (option, wrong) => {
    const encryptionKeys = staticKeys((await party('bank')).encryptionKey);
    const options = { profile: banked, encryptionKeys, ...wrong } as E2eeClientOptions;
    const error = await refusal(() => createE2eeClient(options));
    expect(error.code).toBe('option_invalid');
    expect(error.message).toContain(`\`${option}\``);
  });

  it('refuses a bad policy', async () => {
    const policy = { 'POST /a': { b: { request: 'redact' } } } as unknown as PolicyDocument;
    const { encryptionKey } = await party('bank');
    const make = (): unknown =>
      createE2eeClient({ profile: banked, policy, encryptionKeys: staticKeys(encryptionKey) });
    expect((await refusal(make)).code).toBe('policy_invalid');
  });

  it('goes by the policy of the profile where none is given', async () => {
    const { encryptionKey } = await party('bank');
    const client = createE2eeClient({ profile: banked, encryptionKeys: staticKeys(encryptionKey) });
    expect(client.covers({ method: 'POST', path: '/v2/mandates' })).toBe(true);
    expect(client.covers({ method: 'POST', path: '/things' })).toBe(false);
    expect(ends.client.covers({ method: 'POST', path: '/v2/mandates' })).toBe(false);
    expect(ends.client.covers({ method: 'post', path: '/Things/' })).toBe(true);
  });
});

describe('encrypting a request', () => {
  it('refuses half a surrogate pair in a whole body that is a text, and keeps one that is a value', async () => {
    const text = `"${CANARY}\ud800"`;
    await expect(ends.client.encryptRequest(post('/whole', text))).rejects.toMatchObject({
      code: 'field_invalid',
      path: '$',
    });
    const sent = await ends.client.encryptRequest(post('/whole', { a: '\ud800' }));
    expect((await ends.server.decryptRequest(sent)).body).toEqual({ a: '\ud800' });
  });

  it('encrypts what the policy says and nothing else', async () => {
    const request = deepFrozen(post('/things', { x: CANARY, a: { b: 1 }, masked: 'm' }));
    const { body } = await ends.client.encryptRequest(request);
    expect(body).toEqual({ x: CANARY, encrypted_a: expect.toSatisfy(looksLikeCompactJwe), masked: 'm' });
  });

  it('leaves alone an operation outside the policy, one that treats responses only, and one without the fields', async () => {
    for (const request of [
      post('/other', { a: 1 }),
      post('/answers', { a: 1 }, { 'content-type': 'text/plain' }),
      post('/things', { x: 1 }),
      post('/things'),
    ]) {
      expect(await ends.client.encryptRequest(request)).toBe(request);
    }
  });

  it('refuses an operation outside the policy when told to', async () => {
    const { client } = await twoEnds({ policy: POLICY, client: { unmatched: 'refuse' } });
    expect(await refusal(client.encryptRequest(post('/other', {})))).toMatchObject({
      code: 'operation_refused',
      status: 403,
    });
    expect((await client.encryptRequest(post('/things', { a: 1 }))).body).toHaveProperty('encrypted_a');
  });

  it('reads the body as it will be serialised: toJSON, dates, texts', async () => {
    const body = { a: new Date(0), nested: { toJSON: () => ({ a: CANARY }) }, gone: undefined };
    const request = await ends.client.encryptRequest(post('/things', body));
    expect(JSON.stringify(request)).not.toContain(CANARY);
    expect((await ends.server.decryptRequest(request)).body).toEqual({
      a: '1970-01-01T00:00:00.000Z',
      nested: { a: CANARY },
    });
    const fromText = await ends.client.encryptRequest(post('/things', `{"a":"${CANARY}"}`));
    expect((await ends.server.decryptRequest(fromText)).body).toEqual({ a: CANARY });
  });

  it('drops headers that described the plain bytes, and names the type of a whole message', async () => {
    const headers = {
      'Content-Length': '9',
      'content-digest': 'x',
      'X-Id': '7',
      'Content-Type': 'application/json',
    };
    const fields = await ends.client.encryptRequest(post('/things', { a: 1 }, headers));
    expect(fields.headers).toEqual({ 'X-Id': '7', 'Content-Type': 'application/json' });
    const whole = await ends.client.encryptRequest(post('/whole', { a: 1 }, headers));
    expect(whole.headers).toEqual({ 'X-Id': '7', 'content-type': 'application/jose' });
  });

  it.each<[string, unknown]>([
    ['a text that is not JSON', `a=${CANARY}`],
    ['bytes', bufferOf(utf8('{"a":1}'))],
    ['a stream', nodeStream('{}')],
    ['a form', new URLSearchParams({ a: CANARY })],
    ['a multipart form', new FormData()],
    ['a blob', new Blob(['{}'])],
    ['a BigInt', { a: 1n }],
    ['a function', () => ({ a: CANARY })],
  ])('sends nothing of %s', async (_, body) => {
    for (const path of ['/things', '/whole']) {
      const error = await refusal(ends.client.encryptRequest(post(path, body)));
      expect(error.code).toBe('body_unreadable');
      expect(error.message).not.toContain(CANARY);
    }
  });

  it('sends nothing that is nested too deep to be serialised', async () => {
    const deep = JSON.parse(`{"a":${nestedLists(DEEP)}}`);
    // Engines differ in how deep their JSON.stringify goes.
    const code = isSerialisable(deep) ? 'limit_exceeded' : 'body_unreadable';
    expect((await refusal(ends.client.encryptRequest(post('/things', deep)))).code).toBe(code);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16'])(
    'sends nothing as %s',
    async (type) => {
      for (const path of ['/things', '/whole']) {
        const error = await refusal(
          ends.client.encryptRequest(post(path, { a: 1 }, { 'Content-Type': type })),
        );
        expect(error.code).toBe('media_type_unsupported');
      }
    },
  );

  it.each<[string, string, unknown, string]>([
    ['field_invalid', 'text', { text: 7 }, '/things'],
    ['field_invalid', 'text', { text: 'a\ud800' }, '/things'],
    ['field_invalid', 'nested.a', { nested: CANARY }, '/things'],
    ['field_invalid', 'list.#.a', { list: { a: CANARY } }, '/things'],
    ['field_invalid', 'a', [{ a: CANARY }], '/things'],
    ['field_invalid', 'a', { encrypted_a: CANARY }, '/things'],
    ['field_invalid', 'a', { encrypted_a: null }, '/things'],
    ['field_conflict', 'a', { a: CANARY, encrypted_a: 'TOKEN' }, '/things'],
    ['field_required', 'a', { x: 1 }, '/required'],
    ['field_required', 'a', undefined, '/required'],
  ])('fails with %s naming %s for %j', async (code, path, body, operation) => {
    const once = await ends.client.encryptRequest(post('/things', { a: 1 }));
    const given =
      JSON.stringify(memberOf(body, 'encrypted_a')) === '"TOKEN"'
        ? { ...(body as object), ...(once.body as object) }
        : body;
    const error = await refusal(ends.client.encryptRequest(post(operation, given)));
    expect(error).toMatchObject({ code, path });
    expect(error.message).not.toContain(CANARY);
  });

  it('encrypts nothing when one of two fields cannot be', async () => {
    const body = deepFrozen({ a: 1, text: 7 });
    expect((await refusal(ends.client.encryptRequest(post('/things', body)))).path).toBe('text');
  });

  it('sends nothing when no key can be had', async () => {
    const encryptionKeys: EncryptionKeys = {
      current: async () => {
        throw new E2eeError('keys_unavailable', 'No valid encryption key');
      },
      refresh: async () => {},
    };
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    for (const path of ['/things', '/whole']) {
      expect((await refusal(client.encryptRequest(post(path, { a: CANARY })))).code).toBe('keys_unavailable');
    }
    const nothingToEncrypt = post('/things', { x: 1 });
    expect(await client.encryptRequest(nothingToEncrypt)).toBe(nothingToEncrypt);
  });

  it('sends nothing when its key is a private one', async () => {
    const { decryptionKey } = await party('bank');
    const encryptionKeys: EncryptionKeys = {
      current: async () => decryptionKey as never,
      refresh: async () => {},
    };
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    expect((await refusal(client.encryptRequest(post('/things', { a: CANARY })))).code).toBe('key_invalid');
  });

  it.each([{ jwe: CANARY }, { jwe: 7 }, { jwe: { a: CANARY } }, { jwe: `${CANARY}.b.c.d.e` }])(
    'encrypts the whole body %j, which only bears the name of an envelope',
    async (body) => {
      const { client } = await twoEnds({ policy: POLICY, profile: ENVELOPE });
      const sent = await client.encryptRequest(post('/whole', body));
      expect(sent.body).toEqual({ jwe: expect.toSatisfy(looksLikeCompactJwe) });
      expect(JSON.stringify(sent.body)).not.toContain(CANARY);
    },
  );

  it('refuses an ambiguous path', async () => {
    const policy: PolicyDocument = { 'GET /a': { b: BOTH }, 'GET /a/:id': { c: BOTH } };
    const { client } = await twoEnds({ policy });
    const request = { method: 'GET', path: '/a/.', headers: {}, body: { b: 1 } };
    expect((await refusal(client.encryptRequest(request))).code).toBe('operation_refused');
  });
});

describe('decrypting a response', () => {
  const request = post('/things');

  it('restores what is encrypted and leaves what is redacted', async () => {
    const sent = await ends.server.protectResponse(
      request,
      answer({ x: 1, a: { b: null }, masked: { c: 'm', d: null } }),
    );
    const response = deepFrozen(sent);
    const before = ends.clientEvents.length;
    const got = await ends.client.decryptResponse(request, response);
    expect(JSON.stringify(got.body)).toBe('{"x":1,"a":{"b":null},"masked":{"c":"[REDACTED]","d":null}}');
    expect(ends.clientEvents).toHaveLength(before);
  });

  it('restores every status alike', async () => {
    for (const status of [200, 201, 302, 404, 422, 500]) {
      const sent = await ends.server.protectResponse(request, answer({ a: 1 }, status));
      expect(await ends.client.decryptResponse(request, sent)).toMatchObject({ status, body: { a: 1 } });
    }
  });

  it('reads a body that is still a text', async () => {
    const sent = await ends.server.protectResponse(request, answer({ a: 1 }));
    const got = await ends.client.decryptResponse(request, { ...sent, body: JSON.stringify(sent.body) });
    expect(got.body).toEqual({ a: 1 });
  });

  it('drops headers that described the encrypted bytes', async () => {
    const sent = await ends.server.protectResponse(request, answer({ a: 1 }));
    const got = await ends.client.decryptResponse(request, {
      ...sent,
      headers: { 'Content-Length': '700', ETag: 'x', 'X-Id': '7' },
    });
    expect(got.headers).toEqual({ 'X-Id': '7' });
  });

  it('opens a whole message for any operation, also one that the policy does not cover', async () => {
    const partner = { ...ends.partner, response: 'message' } as const;
    const sent = await ends.server.protectResponse(request, answer({ a: 1 }), () => partner);
    for (const path of ['/things', '/other']) {
      const got = await ends.client.decryptResponse(post(path), {
        ...sent,
        headers: { 'Content-Type': 'Application/JOSE; charset=utf-8' },
      });
      expect(got).toEqual(answer({ a: 1 }, 200, { 'content-type': 'application/json' }));
    }
  });

  it('leaves alone what it has nothing to do with', async () => {
    const jwe = memberOf((await ends.client.encryptRequest(post('/things', { a: 1 }))).body, 'encrypted_a');
    for (const [path, response] of [
      ['/other', answer({ encrypted_a: jwe })],
      ['/things', answer({ x: jwe, nested: { encrypted_x: jwe } })],
      ['/things', answer('<p>Not Found</p>', 404, { 'content-type': 'text/html' })],
      ['/things', answer(bufferOf(utf8('x')))],
      ['/things', answer(undefined, 204)],
      ['/things', answer('', 200, { 'content-type': 'application/jose' })],
      ['/things', answer(undefined, 304, { 'content-type': 'application/jose' })],
      ['/things', answer(null)],
      ['/things', answer([1])],
    ] as const) {
      expect(await ends.client.decryptResponse(post(path), response)).toBe(response);
    }
  });

  it.each<[string, (token: string) => unknown]>([
    ['tampered', tampered],
    ['cut short', (token) => token.slice(0, -8)],
    ['null', () => null],
    ['an object', () => ({})],
  ])('refuses a token that is %s', async (_, damage) => {
    const sent = await ends.server.protectResponse(request, answer({ a: 1 }));
    const bad = { ...sent, body: { encrypted_a: damage(String(memberOf(sent.body, 'encrypted_a'))) } };
    expect((await refusal(ends.client.decryptResponse(request, bad))).code).toBe('token_invalid');
  });

  it('refuses a token for another key', async () => {
    const toBank = await ends.client.encryptRequest(post('/things', { a: 1 }));
    expect((await refusal(ends.client.decryptResponse(request, answer(toBank.body)))).code).toBe(
      'key_rejected',
    );
  });

  it('refuses a body that claims to be a message and is none', async () => {
    for (const body of [{ a: 1 }, 'a.b.c.d.e', '{"a":1}', bufferOf(utf8('x'))]) {
      const response = answer(body, 200, { 'content-type': 'application/jose' });
      expect((await refusal(ends.client.decryptResponse(request, response))).code).toBe('token_invalid');
    }
  });

  it('refuses more tokens than its limit', async () => {
    const { client } = await twoEnds({ policy: POLICY, client: { limits: { tokens: 2 } } });
    const list = (length: number): unknown => ({ list: Array.from({ length }, () => ({ a: 1 })) });
    const two = await ends.server.protectResponse(request, answer(list(2)));
    expect((await client.decryptResponse(request, two)).body).toEqual(list(2));
    const three = await ends.server.protectResponse(request, answer(list(3)));
    expect((await refusal(client.decryptResponse(request, three))).code).toBe('limit_exceeded');
  });

  it('reads a hostile body nested 50,000 deep without running out of stack', async () => {
    const { client, clientEvents } = await twoEnds({ policy: POLICY });
    const response = answer(`{"a":${nestedLists(50_000).replace('[]', '["x"]')},"x":${nestedLists(50_000)}}`);
    expect(await client.decryptResponse(request, response)).toBe(response);
    expect(clientEvents).toEqual([{ type: 'plaintext_received', operation: 'POST /things', path: 'a' }]);
  });
});

describe('events about responses that came in', () => {
  const request = post('/things');

  async function eventsFor(
    response: E2eeResponse,
    options: { keys?: boolean; path?: string; profile?: Profile } = {},
  ): Promise<E2eeEvent[]> {
    const { keys = true, path = '/things', profile = banked } = options;
    const heard: E2eeEvent[] = [];
    const { client } = await twoEnds({
      policy: POLICY,
      profile,
      client: { onEvent: (event) => heard.push(event) },
    });
    const { encryptionKey } = await party('bank');
    const keyless = createE2eeClient({
      profile,
      policy: POLICY,
      encryptionKeys: staticKeys(encryptionKey),
      onEvent: (event) => heard.push(event),
    });
    await (keys ? client : keyless).decryptResponse(post(path), response);
    return heard;
  }

  it('name each field that came in plain although it should have been protected', async () => {
    const heard = await eventsFor(
      answer({ a: CANARY, masked: { x: CANARY }, list: [{ a: 1 }, { a: 2 }], text: '' }),
    );
    const { length } = heard;
    expect(heard.map(({ path }) => path)).toEqual(['list.#.a', 'list.#.a', 'a', 'text', 'masked']);
    for (const event of heard)
      expect(event).toMatchObject({ type: 'plaintext_received', operation: 'POST /things' });
    expect(length).toBe(5);
    expect(JSON.stringify(heard)).not.toContain(CANARY);
  });

  it('say nothing of what is redacted, absent, null or encrypted', async () => {
    const sent = await ends.server.protectResponse(request, answer({ a: 1 }));
    expect(await eventsFor(sent)).toEqual([]);
    expect(
      await eventsFor(answer({ a: { b: '[REDACTED]', c: [null] }, text: null, masked: '[REDACTED]' })),
    ).toEqual([]);
  });

  it('say that a whole body came in plain although it should have been one token', async () => {
    const event = { type: 'plaintext_received', operation: 'POST /whole', path: '$' };
    expect(await eventsFor(answer({ a: CANARY }), { path: '/whole' })).toEqual([event]);
    expect(await eventsFor(answer({ a: CANARY }), { path: '/whole', profile: ENVELOPE })).toEqual([event]);
    expect(await eventsFor(answer({ a: '[REDACTED]' }), { path: '/whole' })).toEqual([]);
    expect(await eventsFor(REJECTION, { path: '/whole' })).toEqual([]); // the other end's own answer
    const sent = await ends.server.protectResponse(post('/whole'), answer({ a: CANARY }));
    expect(await eventsFor(sent, { path: '/whole' })).toEqual([]);
  });

  it('say what was left encrypted for want of a key ring', async () => {
    const fields = await ends.server.protectResponse(request, answer({ a: 1 }));
    expect(await eventsFor(fields, { keys: false })).toEqual([
      { type: 'ciphertext_left', operation: 'POST /things', path: 'a' },
    ]);
    const whole = await ends.server.protectResponse(post('/whole'), answer({ a: 1 }));
    expect(await eventsFor(whole, { keys: false, path: '/whole' })).toEqual([
      { type: 'ciphertext_left', operation: 'POST /whole', path: '$' },
    ]);
  });

  it('come with the response as it was, when there is no key ring', async () => {
    const { encryptionKey } = await party('bank');
    const keyless = createE2eeClient({
      profile: banked,
      policy: POLICY,
      encryptionKeys: staticKeys(encryptionKey),
      onEvent: () => {},
    });
    for (const path of ['/things', '/whole']) {
      const sent = await ends.server.protectResponse(post(path), answer({ a: 1 }));
      expect(await keyless.decryptResponse(post(path), sent)).toBe(sent);
    }
  });
});

describe('recovering from a rejected key', () => {
  /** Keys whose current one changes when they are refreshed. */
  function changingKeys(...kids: readonly (string | undefined)[]): {
    encryptionKeys: EncryptionKeys;
    refreshed: () => number;
  } {
    let index = 0;
    const encryptionKeys: EncryptionKeys = {
      current: async () => {
        const kid = kids[Math.min(index, kids.length - 1)];
        if (kid === undefined) throw new E2eeError('keys_unavailable', 'No valid encryption key');
        return { ...(await party('bank')).encryptionKey, kid };
      },
      refresh: async () => {
        index += 1;
      },
    };
    return { encryptionKeys, refreshed: () => index };
  }

  it('says yes once a different key is in use, for the plain request and for the encrypted one', async () => {
    for (const which of ['plain', 'encrypted'] as const) {
      const { encryptionKeys, refreshed } = changingKeys('old', 'new');
      const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
      const plain = post('/things', { a: 1 });
      const encrypted = await client.encryptRequest(plain);
      expect(await client.recoverFrom(which === 'plain' ? plain : encrypted, REJECTION)).toBe(true);
      expect(refreshed()).toBe(1);
    }
  });

  it('says no when the same key is still the current one', async () => {
    const { encryptionKeys, refreshed } = changingKeys('old', 'old');
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const encrypted = await client.encryptRequest(post('/things', { a: 1 }));
    expect(await client.recoverFrom(encrypted, REJECTION)).toBe(false);
    expect(refreshed()).toBe(1);
  });

  it('says yes without a refresh when another call has changed the key already', async () => {
    for (const which of ['plain', 'encrypted'] as const) {
      const { encryptionKeys, refreshed } = changingKeys('old', 'new');
      const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
      const plain = post('/things', { a: 1 });
      const encrypted = await client.encryptRequest(plain);
      await encryptionKeys.refresh();
      expect(await client.recoverFrom(which === 'plain' ? plain : encrypted, REJECTION)).toBe(true);
      expect(refreshed()).toBe(1);
    }
  });

  it('says no when no key can be had any more', async () => {
    const { encryptionKeys } = changingKeys('old', undefined);
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const encrypted = await client.encryptRequest(post('/things', { a: 1 }));
    expect(await client.recoverFrom(encrypted, REJECTION)).toBe(false);
  });

  it('refreshes when its key has expired in the meantime, and says yes when that brings another', async () => {
    for (const [after, result] of [
      ['new', true],
      ['old', false],
      [undefined, false],
    ] as const) {
      const { encryptionKeys, refreshed } = changingKeys('old', undefined, after);
      const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
      const encrypted = await client.encryptRequest(post('/things', { a: 1 }));
      await encryptionKeys.refresh();
      expect(await client.recoverFrom(encrypted, REJECTION)).toBe(result);
      expect(refreshed()).toBe(2);
    }
  });

  it('takes an unknown request for one to the current key', async () => {
    const { encryptionKeys } = changingKeys('old', 'new');
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    expect(await client.recoverFrom(post('/things', {}), REJECTION)).toBe(true);
    expect(await client.recoverFrom(post('/things', {}), REJECTION)).toBe(false);
  });

  it.each<[string, E2eeResponse]>([
    ['another status', answer(banked.keyRejection.body, 400)],
    ['success', answer(banked.keyRejection.body, 200)],
    ['another body', answer({ errors: [{ code: 'invalid', source: 'payee', title: 'invalid payee' }] }, 422)],
    ['an empty list', answer({ errors: [] }, 422)],
    ['a member less', answer({ errors: [{ code: 'invalid', source: 'encryption key' }] }, 422)],
    [
      'the parts spread over two errors',
      answer(
        { errors: [{ code: 'invalid', source: 'encryption key' }, { title: 'invalid encryption key' }] },
        422,
      ),
    ],
    [
      'an object for the list',
      answer(
        { errors: { 0: { code: 'invalid', source: 'encryption key', title: 'invalid encryption key' } } },
        422,
      ),
    ],
    ['no body', answer(undefined, 422)],
    ['a page', answer('<p>invalid encryption key</p>', 422)],
    ['bytes', answer(bufferOf(utf8(JSON.stringify(banked.keyRejection.body))), 422)],
  ])('takes %s for something else than a rejected key', async (_, response) => {
    const { encryptionKeys, refreshed } = changingKeys('old', 'new');
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const encrypted = await client.encryptRequest(post('/things', { a: 1 }));
    expect(await client.recoverFrom(encrypted, response)).toBe(false);
    expect(refreshed()).toBe(0);
  });

  it.each<[string, unknown]>([
    ['a text', JSON.stringify(banked.keyRejection.body)],
    ['more members', { ...(banked.keyRejection.body as object), request_id: '7' }],
    [
      'another error before it',
      { errors: [{ code: 'other' }, ...(memberOf(banked.keyRejection.body, 'errors') as object[])] },
    ],
  ])('knows the rejection in %s', async (_, body) => {
    const { encryptionKeys } = changingKeys('old', 'new');
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const encrypted = await client.encryptRequest(post('/things', { a: 1 }));
    expect(await client.recoverFrom(encrypted, answer(body, 422))).toBe(true);
  });

  it('refreshes a remote key set once for all concurrent rejections', async () => {
    const { publicJwk } = (await party('bank')).decryptionKey;
    let fetches = 0;
    const fetch = async (): Promise<Response> => {
      fetches += 1;
      return Response.json({
        keys: [{ ...publicJwk, kid: `key-${fetches}` }],
      });
    };
    const encryptionKeys = remoteJwks('https://keys.example/jwks.json', { fetch });
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const requests = await Promise.all(
      Array.from({ length: 50 }, () => client.encryptRequest(post('/things', { a: 1 }))),
    );
    expect(fetches).toBe(1);
    const recovered = await Promise.all(requests.map((request) => client.recoverFrom(request, REJECTION)));
    expect(recovered).toEqual(Array(50).fill(true));
    expect(fetches).toBe(2);
    const again = await client.encryptRequest(post('/things', { a: 1 }));
    expect(await client.recoverFrom(again, REJECTION)).toBe(false); // the cooldown: no storm, and no other key
    expect(fetches).toBe(2);
  });

  it('makes a retry work: the plain request, encrypted again, goes to the new key', async () => {
    const [bank, next] = [await party('bank'), await party('next')];
    let current = bank.encryptionKey;
    const encryptionKeys: EncryptionKeys = {
      current: async () => current,
      refresh: async () => {
        current = next.encryptionKey;
      },
    };
    const { server } = await twoEnds({
      policy: POLICY,
      server: {
        keyRing: await createKeyRing({ keys: next.decryptionKey }),
      },
    });
    const { client } = await twoEnds({ policy: POLICY, client: { encryptionKeys } });
    const plain = post('/things', { a: CANARY });
    const rejected = server.errorResponse(
      await refusal(server.decryptRequest(await client.encryptRequest(plain))),
    );
    expect(rejected).toMatchObject({ status: 422 });
    expect(await client.recoverFrom(plain, rejected)).toBe(true);
    expect((await server.decryptRequest(await client.encryptRequest(plain))).body).toEqual({ a: CANARY });
  });
});

describe('in place', () => {
  it('tells tokens from plain values that resemble them', async () => {
    const { client, server } = await twoEnds({ policy: POLICY, profile: IN_PLACE });
    for (const value of ['eyJ', 'eyJ.a', 'a.b.c.d.e', '....', 'eyJhbGciOiJub25lIn0.e30.']) {
      const sent = await client.encryptRequest(post('/things', { a: value }));
      expect(memberOf(sent.body, 'a')).toSatisfy(looksLikeCompactJwe);
      expect((await server.decryptRequest(sent)).body).toEqual({ a: value });
    }
  });
});

function isSerialisable(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}
