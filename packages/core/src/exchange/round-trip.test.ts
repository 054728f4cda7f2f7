import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { answer, deepFrozen, type Ends, memberOf, post, twoEnds } from '../../test/two-ends.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';

const BOTH = { request: 'encrypt', response: 'encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /value': { value: BOTH },
  'POST /text': { value: { ...BOTH, as: 'text' } },
  'POST /nested': {
    'a.value': BOTH,
    'list.#.value': BOTH,
    'tags.#': BOTH,
    'any.*': BOTH,
    'any.open': { request: 'none', response: 'none' },
  },
  'POST /whole': { $: BOTH },
};

const PROFILES: readonly (readonly [name: string, profile: Profile])[] = [
  ['a prefix', banked],
  ['tokens in place', { ...banked, prefix: { request: '', response: '' } }],
  ['a prefix in requests only', { ...banked, prefix: { request: 'enc_', response: '' } }],
];
const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };

const EVERY_KIND: readonly unknown[] = [
  0,
  -1.5e-300,
  9007199254740991,
  false,
  true,
  '',
  null,
  '007',
  '1234567890123456789',
  'Zoë 東京 \u{1F511}\u0000\ufeff',
  '[REDACTED]',
  'a.b.c.d.e',
  'eyJ not a token',
  [],
  {},
  [[], [null], [[0]]],
  { z: 1, a: { '': false, ' ': [''] }, 10: 'x', 9: 'y' },
  JSON.parse('{"__proto__":{"constructor":1},"toString":null}'),
  { '\ud800': '\udc00 lone surrogates' },
];

/** Both directions of one call: what the handler sees, and what the caller gets when the handler answers the same. */
async function call(
  { client, server }: Ends,
  path: string,
  body: unknown,
): Promise<{ sent: readonly unknown[]; seen: unknown; got: unknown }> {
  const request = deepFrozen(post(path, body, { 'content-type': 'application/json' }));
  const encrypted = deepFrozen(await client.encryptRequest(request));
  const opened = await server.decryptRequest(encrypted);
  const response = deepFrozen(answer(opened.body, 200, { 'content-type': 'application/json' }));
  const secured = deepFrozen(await server.protectResponse(encrypted, response));
  const restored = await client.decryptResponse(request, secured);
  return { sent: [encrypted.body, secured.body], seen: opened.body, got: restored.body };
}

describe.each(PROFILES)('a call under a profile with %s', (_, profile) => {
  let ends: Ends;
  beforeAll(async () => {
    ends = await twoEnds({ profile, policy: POLICY, leakGuard: false }); // any value may stand elsewhere as well
  });

  it.each(EVERY_KIND.map((value) => [JSON.stringify(value), value]))(
    'returns the value %s exactly',
    async (_, value) => {
      const body = { before: 1, value, after: 2 };
      const { sent, seen, got } = await call(ends, '/value', body);
      expect(JSON.stringify(seen)).toBe(JSON.stringify(body));
      expect(JSON.stringify(got)).toBe(JSON.stringify(body));
      for (const [i, prefix] of [profile.prefix.request, profile.prefix.response].entries()) {
        expect(memberOf(sent, i, `${prefix}value`)).toSatisfy(looksLikeCompactJwe);
        expect(Object.keys(memberOf(sent, i) as object)).toEqual(['before', `${prefix}value`, 'after']);
      }
    },
  );

  it('returns any JSON value exactly, member order included, and changes no input', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (value, rest) => {
        // -0 has no JSON form, so that the text is what must come back.
        const body = { rest, value };
        const { seen, got } = await call(ends, '/value', body);
        expect(JSON.stringify(seen)).toBe(JSON.stringify(body));
        expect(JSON.stringify(got)).toBe(JSON.stringify(body));
      }),
      runs(60, 3),
    );
  });

  it('returns any well-formed text exactly as text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (value) => {
        const { sent, seen, got } = await call(ends, '/text', { value });
        expect(seen).toEqual({ value });
        expect(got).toEqual({ value });
        const sentValues = sent.flatMap((body) => Object.values(Object(body))); // one of them may be called like the text
        if (value.length > 2) expect(JSON.stringify(sentValues)).not.toContain(JSON.stringify(value));
      }),
      runs(60, 4),
    );
  });

  it('returns fields in objects, lists and wildcards, with exceptions left alone', async () => {
    const body = {
      first: 'x',
      a: { value: { b: 1 }, other: 2 },
      list: [{ value: 0 }, { other: 1 }, { value: null, z: 1 }],
      tags: ['', 'a', null, { b: 1 }],
      any: { z: 1, open: 'seen by all', a: false, __proto: [] },
    };
    const { sent, seen, got } = await call(ends, '/nested', body);
    expect(JSON.stringify(seen)).toBe(JSON.stringify(body));
    expect(JSON.stringify(got)).toBe(JSON.stringify(body));
    for (const one of sent) {
      expect(memberOf(one, 'any', 'open')).toBe('seen by all');
      expect(memberOf(one, 'tags')).toSatisfy(
        (tags: unknown[]) => tags.length === 4 && tags.every(looksLikeCompactJwe),
      );
    }
  });

  it.each(
    [...EVERY_KIND, 'text']
      .filter((value) => typeof value !== 'string')
      .map((value) => [JSON.stringify(value), value]),
  )('returns the whole body %s exactly', async (_, value) => {
    const { sent, seen, got } = await call(ends, '/whole', value);
    expect(JSON.stringify([seen, got])).toBe(JSON.stringify([value, value]));
    expect(sent).toSatisfy((bodies: unknown[]) => bodies.every(looksLikeCompactJwe));
  });

  it.each(['/value', '/nested', '/whole'])(
    'encrypts a request to %s once, however often it is given back',
    async (path) => {
      const { client } = ends;
      const body = { value: 1, a: { value: 2 }, list: [{ value: 3 }], tags: [4], any: { b: 5 } };
      const once = await client.encryptRequest(post(path, body));
      expect(JSON.stringify(once.body)).not.toBe(JSON.stringify(body));
      for (const again of [once, structuredClone(once), JSON.parse(JSON.stringify(once))]) {
        expect(await client.encryptRequest(again)).toBe(again);
        expect(again).toEqual(once);
      }
    },
  );

  it.each(['/value', '/nested', '/whole'])(
    'protects a response of %s once, however often it is given back',
    async (path) => {
      const { server } = ends;
      const body = { value: 1, a: { value: 2 }, list: [{ value: 3 }], tags: [4], any: { b: 5 } };
      const once = await server.protectResponse(post(path), answer(body));
      expect(JSON.stringify(once.body)).not.toBe(JSON.stringify(body));
      for (const again of [once, structuredClone(once), JSON.parse(JSON.stringify(once))]) {
        expect(await server.protectResponse(post(path), again)).toEqual(once);
      }
    },
  );

  it('encrypts only what is still in plain', async () => {
    const { client, server } = ends;
    const once = await client.encryptRequest(post('/nested', { list: [{ value: 1 }] }));
    const [token] = memberOf(once.body, 'list') as unknown[];
    const both = await client.encryptRequest(post('/nested', { list: [token, { value: 2 }] }));
    expect(memberOf(both.body, 'list', 0)).toEqual(token);
    expect((await server.decryptRequest(both)).body).toEqual({ list: [{ value: 1 }, { value: 2 }] });
  });

  it('makes a new token for the same value each time', async () => {
    const { client } = ends;
    const tokens = await Promise.all(
      Array.from({ length: 4 }, async () =>
        JSON.stringify((await client.encryptRequest(post('/value', { value: 'the same value' }))).body),
      ),
    );
    const parts = tokens.flatMap((token) => token.split('.').slice(1));
    expect(new Set(parts).size).toBe(parts.length); // wrapped CEK, IV, ciphertext and tag all differ
  });
});

describe('a call under a profile with an envelope', () => {
  let ends: Ends;
  beforeAll(async () => {
    ends = await twoEnds({ profile: ENVELOPE, policy: POLICY });
  });

  it.each([[{ a: 1 }], [null], [[0]], [7], [{ jwe: 'plain' }], [{ jwe: 7 }], [{ jwe: { a: 1 } }]])(
    'returns the whole body %j exactly, in its member',
    async (value) => {
      const { sent, seen, got } = await call(ends, '/whole', value);
      expect([seen, got]).toEqual([value, value]);
      for (const one of sent as unknown[])
        expect(one).toEqual({ jwe: expect.toSatisfy(looksLikeCompactJwe) });
    },
  );

  it('keeps the content type JSON', async () => {
    const once = await ends.client.encryptRequest(post('/whole', { a: 1 }));
    expect(once.headers).toEqual({ 'content-type': 'application/json' });
    const back = await ends.server.protectResponse(once, answer({ a: 1 }));
    expect(back.headers).toEqual({ 'content-type': 'application/json' });
  });

  it('encrypts and protects once, also when the body has become a text on the way', async () => {
    const { client, server } = ends;
    const once = await client.encryptRequest(post('/whole', { a: 1 }));
    const reply = await server.protectResponse(post('/whole'), answer({ a: 1 }));
    for (const clone of [structuredClone(once), { ...once, body: JSON.stringify(once.body) }]) {
      expect(await client.encryptRequest(clone)).toBe(clone);
      expect((await server.decryptRequest(clone)).body).toEqual({ a: 1 });
    }
    for (const clone of [structuredClone(reply), { ...reply, body: JSON.stringify(reply.body) }]) {
      expect(await server.protectResponse(post('/whole'), clone)).toEqual(clone);
      expect((await client.decryptResponse(post('/whole'), clone)).body).toEqual({ a: 1 });
    }
  });
});
