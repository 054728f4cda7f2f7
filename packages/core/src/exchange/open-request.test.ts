import { CompactEncrypt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { bufferOf, nodeStream } from '../../test/runtime.js';
import {
  countingRing,
  type Ends,
  memberOf,
  nestedLists,
  party,
  post,
  refusal,
  tampered,
  twoEnds,
} from '../../test/two-ends.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';

const ENCRYPT = { request: 'encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /things': { a: ENCRYPT, b: ENCRYPT, text: { ...ENCRYPT, as: 'text' }, 'nested.secret': ENCRYPT },
  'POST /required': { a: { ...ENCRYPT, required: true }, 'list.#.a': { ...ENCRYPT, required: true } },
  'POST /lists': { 'actions.#.source': ENCRYPT, 'meta.*': ENCRYPT, 'tags.#': ENCRYPT },
  'POST /whole': { $: { ...ENCRYPT, required: true } },
  'POST /answers': { a: { response: 'redact' } },
};
const IN_PLACE: Profile = { ...banked, prefix: { request: '', response: '' } };
const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };
const CANARY = 'canary-7d1f';

let ends: Ends;
beforeAll(async () => {
  ends = await twoEnds({ policy: POLICY });
});

/** A token for the bank with any bytes inside. */
async function token(plaintext: string | Uint8Array, header: object = { kid: 'bank' }): Promise<string> {
  const { encryptionKey } = await party('bank');
  const bytes = typeof plaintext === 'string' ? new TextEncoder().encode(plaintext) : plaintext;
  return new CompactEncrypt(bytes)
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...header })
    .encrypt(encryptionKey.publicKey);
}

describe('decrypting a request', () => {
  it('replaces each token by its value, under the plain name', async () => {
    const body = { x: 1, encrypted_a: await token('{"b":[null]}'), encrypted_text: await token('007') };
    const { body: opened } = await ends.server.decryptRequest(post('/things', body));
    expect(JSON.stringify(opened)).toBe('{"x":1,"a":{"b":[null]},"text":"007"}');
  });

  it('takes the body as the text of a JSON document too', async () => {
    const text = JSON.stringify({ encrypted_a: await token('1') });
    expect((await ends.server.decryptRequest(post('/things', text))).body).toEqual({ a: 1 });
  });

  it('drops headers that described the bytes that came, in any letter case, and keeps the others', async () => {
    const body = { encrypted_a: await token('1') };
    const stale = {
      'Content-Length': '9',
      ETAG: '"x"',
      'content-md5': 'x',
      Digest: 'x',
      'Content-Digest': 'x',
      'repr-digest': 'x',
      'content-encoding': 'gzip',
    };
    const kept = { 'Content-Type': 'application/json; charset=utf-8', authorization: 'Bearer x' };
    const { headers } = await ends.server.decryptRequest(post('/things', body, { ...stale, ...kept }));
    expect(headers).toEqual(kept);
  });

  it('leaves an absent field absent', async () => {
    const request = post('/things', { x: 1, nested: {} });
    expect((await ends.server.decryptRequest(request)).body).toEqual({ x: 1, nested: {} });
  });

  it('leaves an operation alone whose rows are for responses only', async () => {
    const request = post('/answers', { a: CANARY }, { 'content-type': 'text/plain' });
    expect(await ends.server.decryptRequest(request)).toBe(request);
  });

  it('leaves an operation alone that the policy does not cover', async () => {
    const request = post('/other', { a: CANARY, encrypted_a: 'x' });
    expect(await ends.server.decryptRequest(request)).toBe(request);
  });

  it('does not decrypt a token inside a decrypted value', async () => {
    const inner = await token(`"${CANARY}"`);
    const nested = JSON.stringify({ a: inner, encrypted_a: inner });
    const { body } = await ends.server.decryptRequest(post('/things', { encrypted_a: await token(nested) }));
    expect(body).toEqual({ a: JSON.parse(nested) });
  });

  it('does not decrypt what looks like a token outside the policy', async () => {
    const jwe = await token('1');
    const body = { other: jwe, encrypted_other: jwe, nested: { encrypted_a: jwe }, list: [jwe] };
    const before = ends.operations();
    expect((await ends.server.decryptRequest(post('/things', body))).body).toEqual(body);
    expect(ends.operations()).toBe(before);
  });

  it('leaves __proto__ and constructor members inert, outside and inside of tokens', async () => {
    const inside = await token('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const body = JSON.parse(`{"__proto__":{"polluted":1},"encrypted_a":"${inside}","constructor":2}`);
    const opened = (await ends.server.decryptRequest(post('/things', body))).body as object;
    expect(JSON.stringify(opened)).toBe(
      '{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"constructor":2}',
    );
    for (const object of [opened, memberOf(opened, 'a') as object]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('refusing plaintext', () => {
  it.each([
    ['a', { a: CANARY }],
    ['a', { a: null }],
    ['a', { a: '' }],
    ['a', { a: { b: CANARY } }],
    ['nested.secret', { nested: { secret: CANARY } }],
  ])('names the path %s and never the value of %j', async (path, body) => {
    const error = await refusal(ends.server.decryptRequest(post('/things', body)));
    expect(error).toMatchObject({ code: 'plaintext_refused', status: 400, path });
    expect(error.message).toBe(`Field \`${path}\` must be encrypted`);
  });

  it.each([
    ['actions.#.source', { actions: [{ source: CANARY }] }],
    ['meta.*', { meta: { any: CANARY } }],
    ['tags.#', { tags: [CANARY] }],
  ])('finds plaintext under %s', async (path, body) => {
    const error = await refusal(ends.server.decryptRequest(post('/lists', body)));
    expect(error).toMatchObject({ code: 'plaintext_refused', path });
    expect(error.message).not.toContain(CANARY);
  });

  it('refuses a field that is there in plain and encrypted', async () => {
    const body = { a: CANARY, encrypted_a: await token('1') };
    const error = await refusal(ends.server.decryptRequest(post('/things', body)));
    expect(error).toMatchObject({ code: 'field_conflict', status: 400, path: 'a' });
    expect(error.message).not.toContain(CANARY);
  });

  it('refuses both forms even when the plain one is null, or the other no token', async () => {
    for (const body of [
      { a: null, encrypted_a: await token('1') },
      { a: 1, encrypted_a: null },
    ]) {
      expect((await refusal(ends.server.decryptRequest(post('/things', body)))).code).toBe('field_conflict');
    }
  });

  it.each([
    ['nested.secret', '/things', { nested: CANARY }],
    ['nested.secret', '/things', { nested: [{ secret: CANARY }] }],
    ['actions.#.source', '/lists', { actions: { source: CANARY } }],
    ['meta.*', '/lists', { meta: [CANARY] }],
    ['tags.#', '/lists', { tags: CANARY }],
    ['a', '/things', [{ a: CANARY }]],
    ['a', '/things', 7],
    ['a', '/things', true],
  ])('refuses a body whose shape would hide %s: %s %j', async (path, operation, body) => {
    const error = await refusal(ends.server.decryptRequest(post(operation, body)));
    expect(error).toMatchObject({ code: 'field_invalid', status: 400, path });
    expect(error.message).not.toContain(CANARY);
  });

  it('makes no key operation before everything has been checked', async () => {
    const good = await token('1');
    const before = ends.operations();
    await refusal(ends.server.decryptRequest(post('/things', { encrypted_a: good, b: CANARY })));
    await refusal(ends.server.decryptRequest(post('/things', { encrypted_a: good, nested: CANARY })));
    await refusal(ends.server.decryptRequest(post('/things', { encrypted_a: good, encrypted_b: 'bad' })));
    await refusal(
      ends.server.decryptRequest(
        post('/things', { encrypted_a: good, encrypted_b: await token('1', { kid: 'gone' }) }),
      ),
    );
    expect(ends.operations()).toBe(before);
  });

  it('lets plaintext through and reports it when told to accept it', async () => {
    const { server, serverEvents } = await twoEnds({ policy: POLICY, server: { plaintext: 'accept' } });
    const body = { a: CANARY, encrypted_b: await token('2'), nested: { secret: 1 } };
    expect((await server.decryptRequest(post('/things', body))).body).toEqual({
      a: CANARY,
      b: 2,
      nested: { secret: 1 },
    });
    expect(serverEvents).toEqual([
      { type: 'plaintext_accepted', operation: 'POST /things', path: 'nested.secret' },
      { type: 'plaintext_accepted', operation: 'POST /things', path: 'a' },
    ]);
    expect((await server.decryptRequest(post('/whole', { a: 1 }))).body).toEqual({ a: 1 });
    expect(serverEvents.at(-1)).toEqual({ type: 'plaintext_accepted', operation: 'POST /whole', path: '$' });
  });

  it('still refuses conflicts, mismatches, missing fields and bad tokens when told to accept plaintext', async () => {
    const { server } = await twoEnds({ policy: POLICY, server: { plaintext: 'accept' } });
    const codes: string[] = [];
    for (const request of [
      post('/things', { a: 1, encrypted_a: await token('1') }),
      post('/things', { nested: 7 }),
      post('/required', { x: 1 }),
      post('/things', { encrypted_a: 'x' }),
      post('/things', 'no JSON'),
      post('/whole', 'eyJ.x'),
    ]) {
      codes.push((await refusal(server.decryptRequest(request))).code);
    }
    expect(codes).toEqual([
      'field_conflict',
      'field_invalid',
      'field_required',
      'token_invalid',
      'body_unreadable',
      'body_unreadable',
    ]);
  });
});

describe('refusing tokens', () => {
  const tokens: readonly (readonly [name: string, make: () => unknown | Promise<unknown>])[] = [
    ['a number', () => 7],
    ['null', () => null],
    ['an object', () => ({ ciphertext: 'x' })],
    ['a list', () => []],
    ['an empty text', () => ''],
    ['a plain text', () => CANARY],
    ['four segments', async () => (await token('1')).split('.').slice(1).join('.')],
    ['six segments', async () => `${await token('1')}.x`],
    ['a tampered ciphertext', async () => tampered(await token('1'))],
    ['white space around', async () => ` ${await token('1')}`],
    ['plaintext that is no JSON', () => token(CANARY)],
    ['plaintext that is no UTF-8', () => token(Uint8Array.of(0xff, 0xfe))],
    ['plaintext of no length', () => token('')],
    ['plaintext nested over the limit', () => token(nestedLists(65))],
    ['plaintext nested 4,000 deep', () => token(nestedLists(4_000))],
    ['one character over the limit', async () => token(`"${'x'.repeat(12_300)}"`)],
    ['compressed plaintext', () => token('1', { kid: 'bank', zip: 'DEF' })],
  ];

  it.each(tokens)('gives %s the one answer of every bad token', async (_, make) => {
    const uniform = await refusal(ends.server.decryptRequest(post('/things', { encrypted_a: 'eyJ' })));
    const error = await refusal(ends.server.decryptRequest(post('/things', { encrypted_a: await make() })));
    expect(error.code).toBe('token_invalid');
    expect(error.cause).toBeUndefined();
    expect(ends.server.errorResponse(error)).toEqual(ends.server.errorResponse(uniform));
  });

  it('decrypts nothing when one of two fields is bad', async () => {
    const body = { encrypted_a: await token(`"${CANARY}"`), encrypted_b: tampered(await token('1')) };
    const error = await refusal(ends.server.decryptRequest(post('/things', body)));
    expect(error).toMatchObject({ code: 'token_invalid', status: 400 });
    expect(JSON.stringify(body)).not.toContain(CANARY);
  });

  it('rejects the key of a token whose kid is not held', async () => {
    for (const kid of ['gone', '__proto__', '../../etc/passwd', "' OR 1=1", 'a\r\nb']) {
      const error = await refusal(
        ends.server.decryptRequest(post('/things', { encrypted_a: await token('1', { kid }) })),
      );
      expect(error).toMatchObject({ code: 'key_rejected', status: 422 });
      expect(error.message).not.toContain(kid);
    }
  });

  it('takes a broken token in place for a bad token, not for plaintext', async () => {
    const { server } = await twoEnds({ policy: POLICY, profile: IN_PLACE });
    for (const bad of ['eyJ', 'a.b.c.d.e', '....', 'eyJhbGciOiJub25lIn0.e30.', tampered(await token('1'))]) {
      expect((await refusal(server.decryptRequest(post('/things', { a: bad })))).code).toBe('token_invalid');
    }
    expect((await refusal(server.decryptRequest(post('/things', { a: CANARY })))).code).toBe(
      'plaintext_refused',
    );
  });

  it('passes on that a key service is out of reach, which says nothing of the token', async () => {
    const { decryptionKey, encryptionKey } = await party('bank');
    const { E2eeError } = await import('../errors.js');
    const unwrap = async (): Promise<never> => {
      throw new E2eeError('keys_unavailable', 'The key service does not answer');
    };
    const { keyRing } = await countingRing({ encryptionKey, decryptionKey: { ...decryptionKey, unwrap } });
    const { server } = await twoEnds({ policy: POLICY, server: { keyRing } });
    const error = await refusal(server.decryptRequest(post('/things', { encrypted_a: await token('1') })));
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
  });
});

describe('bounding the work', () => {
  const list = (length: number, source: unknown): object => ({
    actions: Array.from({ length }, () => ({ encrypted_source: source })),
  });

  it('decrypts no, one, and as many tokens as the limit allows', async () => {
    const { server, operations } = await twoEnds({ policy: POLICY, server: { limits: { tokens: 3 } } });
    const jwe = await token('"x"');
    for (const length of [0, 1, 3]) {
      const before = operations();
      const { body } = await server.decryptRequest(post('/lists', list(length, jwe)));
      expect(body).toEqual({ actions: Array.from({ length }, () => ({ source: 'x' })) });
      expect(operations() - before).toBe(length);
    }
  });

  it('refuses one token over the limit before the first key operation', async () => {
    const { server, operations } = await twoEnds({ policy: POLICY, server: { limits: { tokens: 3 } } });
    const error = await refusal(server.decryptRequest(post('/lists', list(4, await token('"x"')))));
    expect(error).toMatchObject({ code: 'limit_exceeded', status: 400 });
    expect(error.message).toContain('3');
    expect(operations()).toBe(0);
  });

  it('counts the tokens of all paths together', async () => {
    const { server, operations } = await twoEnds({ policy: POLICY, server: { limits: { tokens: 3 } } });
    const jwe = await token('"x"');
    const body = { ...list(2, jwe), meta: { encrypted_m: jwe }, tags: [jwe] };
    expect((await refusal(server.decryptRequest(post('/lists', body)))).code).toBe('limit_exceeded');
    expect(operations()).toBe(0);
  });

  it('allows 64 tokens by default, and refuses 65 and 1,700 before any key operation', async () => {
    const { server, operations } = await twoEnds({ policy: POLICY });
    const jwe = await token('"x"');
    await server.decryptRequest(post('/lists', list(64, jwe)));
    expect(operations()).toBe(64);
    for (const length of [65, 1_700]) {
      expect((await refusal(server.decryptRequest(post('/lists', list(length, jwe))))).code).toBe(
        'limit_exceeded',
      );
    }
    expect(operations()).toBe(64);
  });

  it('measures a token before any key operation', async () => {
    const jwe = await token('"x"');
    const limits = { tokenLength: jwe.length };
    const { server, operations } = await twoEnds({ policy: POLICY, server: { limits } });
    await server.decryptRequest(post('/things', { encrypted_a: jwe }));
    const longer = await token('"xx"');
    expect(longer.length).toBeGreaterThan(jwe.length);
    expect((await refusal(server.decryptRequest(post('/things', { encrypted_a: longer })))).code).toBe(
      'token_invalid',
    );
    expect(operations()).toBe(1);
  });

  it('refuses a body nested over the limit, 50,000 deep too, as a parsed value and as a text', async () => {
    for (const depth of [65, 50_000]) {
      const text = `{"x":${nestedLists(depth - 1)}}`;
      for (const body of [text, JSON.parse(text)]) {
        const error = await refusal(ends.server.decryptRequest(post('/things', body)));
        expect(error).toMatchObject({ code: 'limit_exceeded', status: 400 });
      }
    }
    const allowed = JSON.parse(`{"x":${nestedLists(63)}}`);
    expect((await ends.server.decryptRequest(post('/things', allowed))).body).toEqual(allowed);
  });

  it('allows as much nesting inside a token as the limit says', async () => {
    const { server } = await twoEnds({ policy: POLICY, server: { limits: { depth: 2 } } });
    expect((await server.decryptRequest(post('/things', { encrypted_a: await token('[[]]') }))).body).toEqual(
      { a: [[]] },
    );
    const deeper = post('/things', { encrypted_a: await token('[[[]]]') });
    expect((await refusal(server.decryptRequest(deeper))).code).toBe('token_invalid');
  });
});

describe('reading the body of a request', () => {
  const form = new FormData();
  form.set('a', CANARY);
  const unreadable: readonly (readonly [name: string, body: () => unknown])[] = [
    ['a text that is not JSON', () => `a=${CANARY}`],
    ['a broken JSON text', () => `{"a":"${CANARY}"`],
    ['a Buffer', () => bufferOf(utf8(`{"a":"${CANARY}"}`))],
    ['an ArrayBuffer', () => new ArrayBuffer(4)],
    ['a Uint8Array', () => new Uint8Array(4)],
    ['a Node stream', () => nodeStream(CANARY)],
    ['a web stream', () => new ReadableStream()],
    [
      'an async generator',
      () =>
        (async function* () {
          yield CANARY;
        })(),
    ],
    ['URLSearchParams', () => new URLSearchParams({ a: CANARY })],
    ['FormData', () => form],
    ['a Blob', () => new Blob([CANARY])],
  ];

  it.each(unreadable)('refuses %s', async (_, body) => {
    for (const path of ['/things', '/whole']) {
      const error = await refusal(ends.server.decryptRequest(post(path, body())));
      expect(error).toMatchObject({ code: 'body_unreadable', status: 400 });
      expect(error.message).not.toContain(CANARY);
      expect(error.cause).toBeUndefined();
    }
  });

  it('takes members that are named like the methods of a stream for what they are', async () => {
    const body = { pipe: 'steel', getReader: 1, encrypted_a: await token('1') };
    expect((await ends.server.decryptRequest(post('/things', body))).body).toEqual({
      pipe: 'steel',
      getReader: 1,
      a: 1,
    });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'text/json',
    'application/json; charset=utf-16',
    'application/json;charset="ISO-8859-1"',
    'application/jose',
  ])('refuses the content type %s with 415', async (type) => {
    const body = { encrypted_a: await token('1') };
    const error = await refusal(ends.server.decryptRequest(post('/things', body, { 'Content-Type': type })));
    expect(error).toMatchObject({ code: 'media_type_unsupported', status: 415 });
  });

  it.each([
    'application/json',
    'Application/JSON; Charset="UTF-8"',
    'application/vnd.api+json',
    'application/json; charset=us-ascii',
    '',
  ])('reads the content type "%s"', async (type) => {
    const body = { encrypted_a: await token('1') };
    const { body: opened } = await ends.server.decryptRequest(
      post('/things', body, { 'CONTENT-TYPE': type }),
    );
    expect(opened).toEqual({ a: 1 });
  });

  it.each([undefined, ''])('passes an absent body (%o) on where nothing is required', async (body) => {
    const request = post('/things', body);
    expect(await ends.server.decryptRequest(request)).toBe(request);
  });

  it('takes null for a body without the fields', async () => {
    expect((await ends.server.decryptRequest(post('/things', null))).body).toBeNull();
    expect((await refusal(ends.server.decryptRequest(post('/required', null)))).code).toBe('field_required');
  });

  it.each<[string, unknown, string]>([
    ['/required', undefined, 'a'],
    ['/required', '', 'a'],
    ['/required', {}, 'a'],
    ['/required', { encrypted_a: 'TOKEN' }, 'list.#.a'],
    ['/required', { encrypted_a: 'TOKEN', list: [] }, 'list.#.a'],
    ['/required', { encrypted_a: 'TOKEN', list: [{ encrypted_a: 'TOKEN' }, {}] }, 'list.#.a'],
    ['/whole', undefined, '$'],
    ['/whole', '', '$'],
  ])('refuses POST %s with the body %j, naming the required field %s', async (path, body, field) => {
    const text = JSON.stringify(body)?.replaceAll('TOKEN', await token('1'));
    const request = post(path, text && JSON.parse(text));
    expect(await refusal(ends.server.decryptRequest(request))).toMatchObject({
      code: 'field_required',
      status: 400,
      path: field,
    });
  });

  it('accepts a request with every required field', async () => {
    const jwe = await token('null');
    const body = { encrypted_a: jwe, list: [{ encrypted_a: jwe }, { encrypted_a: jwe }] };
    expect((await ends.server.decryptRequest(post('/required', body))).body).toEqual({
      a: null,
      list: [{ a: null }, { a: null }],
    });
  });
});

describe('a request whose whole body is one token', () => {
  const JOSE = { 'content-type': 'application/jose' };

  it('becomes its value, with the content type of what is inside', async () => {
    const request = post('/whole', await token('{"a":1}'), { ...JOSE, 'Content-Length': '9' });
    expect(await ends.server.decryptRequest(request)).toEqual(
      post('/whole', { a: 1 }, { 'content-type': 'application/json' }),
    );
  });

  it('is read as a JSON string too', async () => {
    const text = JSON.stringify(await token('{"a":1}'));
    expect((await ends.server.decryptRequest(post('/whole', text))).body).toEqual({ a: 1 });
  });

  it.each([{ a: CANARY }, [CANARY], 7, null])('is due where %j comes in plain', async (body) => {
    const error = await refusal(
      ends.server.decryptRequest(post('/whole', body, { 'content-type': 'application/json' })),
    );
    expect(error).toMatchObject({ code: 'plaintext_refused', path: '$' });
    expect(error.message).not.toContain(CANARY);
  });

  it.each([{ a: CANARY }, 7, CANARY, 'a.b.c.d.e', '{"a":1}', bufferOf(utf8('x'))])(
    'is refused like any bad token when application/jose holds %j',
    async (body) => {
      expect((await refusal(ends.server.decryptRequest(post('/whole', body, JOSE)))).code).toBe(
        'token_invalid',
      );
    },
  );

  it('may be longer than the token of a field, up to its own limit', async () => {
    const long = await token(JSON.stringify('x'.repeat(20_000)));
    expect((await ends.server.decryptRequest(post('/whole', long, JOSE))).body).toHaveLength(20_000);
    const { server, operations } = await twoEnds({
      policy: POLICY,
      server: { limits: { messageLength: long.length - 1 } },
    });
    expect((await refusal(server.decryptRequest(post('/whole', long, JOSE)))).code).toBe('token_invalid');
    expect(operations()).toBe(0);
  });

  it('is refused when it is nested too deep inside', async () => {
    const error = await refusal(
      ends.server.decryptRequest(post('/whole', await token(nestedLists(65)), JOSE)),
    );
    expect(error.code).toBe('token_invalid');
  });

  describe('in an envelope', () => {
    let envelope: Ends;
    beforeAll(async () => {
      envelope = await twoEnds({ policy: POLICY, profile: ENVELOPE });
    });

    it.each([{}, { 'content-type': 'application/json' }])(
      'is opened under the headers %j',
      async (headers) => {
        const body = { jwe: await token('{"a":1}') };
        for (const form of [body, JSON.stringify(body)]) {
          expect((await envelope.server.decryptRequest(post('/whole', form, headers))).body).toEqual({
            a: 1,
          });
        }
      },
    );

    it('is refused beside other members, which would be in plain', async () => {
      const body = { jwe: await token('{"a":1}'), a: CANARY };
      for (const headers of [{}, { 'content-type': 'application/json' }]) {
        const error = await refusal(envelope.server.decryptRequest(post('/whole', body, headers)));
        expect(error).toMatchObject({ code: 'plaintext_refused', path: '$' });
      }
    });

    it('is due where a body comes in plain, as a value and as a text', async () => {
      for (const body of [{ a: CANARY }, JSON.stringify({ a: CANARY }), [CANARY], 7]) {
        const headers = { 'content-type': 'application/json' };
        const error = await refusal(envelope.server.decryptRequest(post('/whole', body, headers)));
        expect(error).toMatchObject({ code: 'plaintext_refused', path: '$' });
        expect(error.message).not.toContain(CANARY);
      }
    });

    it.each([{ jwe: CANARY }, { jwe: 7 }, { jwe: null }, { jwe: { a: CANARY } }])(
      'is refused as a bad token in %j',
      async (body) => {
        expect((await refusal(envelope.server.decryptRequest(post('/whole', body)))).code).toBe(
          'token_invalid',
        );
      },
    );

    it('is not needed when plaintext is accepted, which gives the handler the parsed body', async () => {
      const { server } = await twoEnds({
        policy: POLICY,
        profile: ENVELOPE,
        server: { plaintext: 'accept' },
      });
      const headers = { 'content-type': 'application/json' };
      expect((await server.decryptRequest(post('/whole', '{"a":1}', headers))).body).toEqual({ a: 1 });
    });
  });
});
