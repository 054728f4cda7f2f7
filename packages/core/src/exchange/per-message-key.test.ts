import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer, type Ends, memberOf, party, post, refusal, tampered, twoEnds } from '../../test/two-ends.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { importSigningKey } from '../jws/signing-key.js';
import { verificationKeys } from '../jws/verification-keys.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { banked } from '../profiles/banked.js';
import { bindTokens } from '../profiles/binding.js';
import { perMessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import { strict } from '../profiles/strict.js';
import { createE2eeClient } from './client.js';
import type { E2eeRequest } from './message.js';
import { signedBy } from './open-request.js';
import type { Recipient } from './recipient.js';
import { createE2eeServer } from './server.js';

const FIELDS = {
  card: { request: 'encrypt', response: 'redact-or-encrypt' },
  'items.#': { request: 'encrypt', response: 'encrypt' },
  pin: { request: 'encrypt', response: 'redact' },
} as const;

const POLICY = {
  'POST /orders': FIELDS,
  'POST /refunds': FIELDS,
  'GET /orders/:id': { card: { response: 'encrypt' } },
  'POST /messages': { $: { request: 'encrypt', response: 'encrypt' } },
} as const;

const BODY = { amount: 7, card: { number: '4111' }, items: ['a', 0, false, null, ''], pin: '0070' };
/** Without claims in its tokens. */
const UNBOUND = { binding: undefined } as never;
const GET: E2eeRequest = { method: 'GET', path: '/orders/7', headers: {} };
const profile: Profile = { ...strict, policy: POLICY, perMessageKey: perMessageKey() };
const BAD = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };

/** Who may have what he asks for encrypted, without a key of his own. */
const CALLER = { id: 'shop', response: 'encrypt' } as const;

/** A client end without a key pair of its own. */
async function ends(
  changed: Partial<Profile> = {},
  server: Parameters<typeof twoEnds>[0] = {},
): Promise<Ends> {
  const both = await twoEnds({
    recipient: CALLER,
    ...server,
    profile: { ...profile, ...changed },
    client: { ...server.client },
  });
  const { encryptionKey } = await party('bank');
  const client = createE2eeClient({
    profile: { ...profile, ...changed },
    encryptionKeys: staticKeys(encryptionKey),
    onEvent: (event) => both.clientEvents.push(event),
    ...server.client,
  });
  return { ...both, client };
}

function headerIn(token: unknown): Record<string, unknown> {
  const head = String(token).split('.')[0] ?? '';
  return JSON.parse(atob(head.replaceAll('-', '+').replaceAll('_', '/')));
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a call with one key', () => {
  it('costs one private-key operation, however many fields it has, and none for the answer', async () => {
    const { client, server, operations } = await ends();
    const items = Array.from({ length: 40 }, (_, i) => i);
    const request = post('/orders', { ...BODY, items });
    const sent = await client.encryptRequest(request);
    const seen = await server.decryptRequest(sent);
    expect(seen.body).toEqual({ ...BODY, items });
    const answered = await server.protectResponse(seen, answer({ ...BODY, items }));
    expect(operations()).toBe(1);
    const restored = await client.decryptResponse(request, answered);
    expect(restored.body).toEqual({ ...BODY, items, pin: '[REDACTED]' });
  });

  it('sends its secret in a header, and every value as a token of its own with the algorithm `dir`', async () => {
    const { client } = await ends();
    const { headers, body } = await client.encryptRequest(post('/orders', BODY, { 'X-A': 'b' }));
    expect(headers['X-A']).toBe('b');
    expect(headerIn(headers['e2ee-key'])).toMatchObject({
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      kid: 'bank',
      typ: 'e2ee-key',
      op: 'POST /orders',
      path: '\\',
    });
    const tokens = [memberOf(body, 'card'), memberOf(body, 'pin'), ...(memberOf(body, 'items') as unknown[])];
    const salts = tokens.map((token) => headerIn(token).salt);
    expect(new Set(salts).size).toBe(7);
    for (const token of tokens) {
      expect(headerIn(token)).toEqual({ alg: 'dir', enc: 'A256GCM', kid: 'bank', salt: expect.any(String) });
      expect(String(token)).toMatch(/^[\w-]+\.\./);
    }
  });

  it('goes through as a whole message, and by a profile that binds nothing', async () => {
    for (const changed of [
      {},
      { ...banked, policy: POLICY, perMessageKey: profile.perMessageKey },
    ] as const) {
      const { client, server, operations } = await ends(changed as Partial<Profile>);
      for (const path of ['/messages', '/orders']) {
        const request = post(path, BODY);
        const seen = await server.decryptRequest(await client.encryptRequest(request));
        expect(seen.body).toEqual(BODY);
        const answered = await server.protectResponse(seen, answer(BODY));
        expect(JSON.stringify(answered)).not.toContain('4111');
        expect((await client.decryptResponse(request, answered)).body).toMatchObject({ card: BODY.card });
      }
      expect(operations()).toBe(2);
    }
  });

  it('without a body brings the secret that its answer is encrypted with', async () => {
    const { client, server, operations } = await ends();
    expect(server.covers(GET)).toMatchObject({ request: false, offer: true, response: true });
    const seen = await server.decryptRequest(await client.encryptRequest(GET));
    const answered = await server.protectResponse(seen, answer({ card: BODY.card }));
    expect(headerIn(memberOf(answered.body, 'card')).alg).toBe('dir');
    expect((await client.decryptResponse(GET, answered)).body).toEqual({ card: BODY.card });
    expect(operations()).toBe(1);
  });

  it('is the same when it is encrypted twice', async () => {
    const { client, server } = await ends();
    for (const request of [post('/orders', BODY), post('/messages', BODY), GET]) {
      const sent = await client.encryptRequest(request);
      expect(await client.encryptRequest(sent)).toBe(sent);
      const seen = await server.decryptRequest(sent);
      const answered = await server.protectResponse(seen, answer({ card: 1 }));
      expect((await client.decryptResponse(sent, answered)).body).toEqual({ card: 1 });
    }
  });

  it('is refused by the client end when it has a secret already, and plain values', async () => {
    const { client } = await ends();
    const { headers } = await client.encryptRequest(GET);
    const error = await refusal(client.encryptRequest(post('/orders', BODY, headers)));
    expect(error).toMatchObject({ code: 'field_conflict', message: expect.stringContaining('e2ee-key') });
  });

  it('keeps its secret out of everything that is shown', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(post('/orders', BODY));
    const seen = await server.decryptRequest(sent);
    expect(JSON.stringify([client, server, sent, seen])).not.toContain('HKDF');
    const key = await decryptJwe(String(sent.headers['e2ee-key']), (await party('bank')).decryptionKey);
    expect(key.plaintext).toHaveLength(32);
  });

  it('is retried with another secret after a key rejection', async () => {
    const { client, server } = await ends();
    const { encryptionKey } = await party('other');
    const keys = [(await party('bank')).encryptionKey];
    const rotating = createE2eeClient({
      profile,
      encryptionKeys: { current: async () => keys[0] as never, refresh: async () => void keys.shift() },
    });
    for (const request of [GET, post('/orders', BODY)]) {
      keys.unshift({ ...encryptionKey, kid: 'gone' });
      const error = await refusal(server.decryptRequest(await rotating.encryptRequest(request)));
      expect(error.code).toBe('key_rejected');
      expect(await rotating.recoverFrom(request, server.errorResponse(error))).toBe(true);
      await expect(server.decryptRequest(await rotating.encryptRequest(request))).resolves.toBeDefined();
    }
    await expect(client.encryptRequest(GET)).resolves.toBeDefined();
  });

  it('is signed and verified as any other', async () => {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const signWith = await importSigningKey(secret, { alg: 'HS256', kid: 's' });
    const verifyWith = await verificationKeys([{ key: secret, alg: 'HS256', kid: 's' }]);
    const options = { signWith, verifyWith };
    const binding = bindTokens({ audience: 'api' });
    const { client, server } = await ends({ binding }, { server: options, client: options });
    const request = post('/orders', BODY);
    const seen = await server.decryptRequest(await client.encryptRequest(request));
    expect(seen.body).toEqual(BODY);
    const answered = await server.protectResponse(seen, answer(BODY));
    expect((await client.decryptResponse(request, answered)).body).toMatchObject({ card: BODY.card });
    const unsigned = await ends({ binding });
    for (const sent of [post('/orders', BODY), GET])
      expect(await refusal(server.decryptRequest(await unsigned.client.encryptRequest(sent)))).toMatchObject(
        BAD,
      );
    expect(signedBy(await server.decryptRequest(await client.encryptRequest(GET)))).toBe('s');
  });

  it('is good once, though whoever reads its signed secret encrypts that anew', async () => {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const signWith = await importSigningKey(secret, { alg: 'HS256', kid: 's' });
    const verifyWith = await verificationKeys([{ key: secret, alg: 'HS256', kid: 's' }]);
    const binding = bindTokens({ audience: 'api' });
    const { client, server } = await ends({ binding }, { server: { verifyWith }, client: { signWith } });
    const sent = await client.encryptRequest(post('/orders', BODY));
    await server.decryptRequest(sent);
    const { encryptionKey, decryptionKey } = await party('bank');
    const { plaintext, header } = await decryptJwe(String(sent.headers['e2ee-key']), decryptionKey);
    const { alg: _, enc: __, kid: ___, cty, typ, ...claims } = header;
    const anew = await encryptJwe(plaintext, encryptionKey, { header: claims, cty: 'JWT', typ: 'e2ee-key' });
    expect([cty, typ]).toEqual(['JWT', 'e2ee-key']);
    const again = { ...sent, headers: { ...sent.headers, 'e2ee-key': anew } };
    expect(await refusal(server.decryptRequest(again))).toMatchObject({
      ...BAD,
      cause: { message: 'It came before' },
    });
  });
});

describe('the answer', () => {
  const recipientOf = (response: 'encrypt' | 'redact' | 'message'): Recipient => ({ id: 'p', response });

  it.each(['encrypt', 'redact', 'message'] as const)(
    'is as a recipient without keys chose: %s',
    async (response) => {
      const { client, server } = await ends({}, { recipient: recipientOf(response) });
      const request = post('/orders', BODY);
      const seen = await server.decryptRequest(await client.encryptRequest(request));
      const answered = await server.protectResponse(seen, answer(BODY));
      const restored = await client.decryptResponse(request, answered);
      const redacted = { number: '[REDACTED]' };
      expect(memberOf(restored.body, 'card')).toEqual(response === 'redact' ? redacted : BODY.card);
      expect(memberOf(restored.body, 'items')).toEqual(BODY.items);
      expect(memberOf(restored.body, 'pin')).toBe('[REDACTED]');
      expect(typeof answered.body).toBe(response === 'message' ? 'string' : 'object');
    },
  );

  it('goes to the keys that are registered for a recipient, whatever secret came with the call', async () => {
    const { encryptionKey } = await party('partner');
    const recipient = { ...CALLER, encryptionKeys: staticKeys(encryptionKey) };
    const { client, server, clientEvents } = await ends({}, { recipient });
    const seen = await server.decryptRequest(await client.encryptRequest(GET));
    const answered = await server.protectResponse(seen, answer({ card: 1 }));
    expect(headerIn(memberOf(answered.body, 'card'))).toMatchObject({ alg: 'RSA-OAEP-256', kid: 'partner' });
    expect(await refusal(client.decryptResponse(GET, answered))).toMatchObject(BAD);
    expect(clientEvents).toEqual([]);
  });

  it('is redacted for whom `recipient` does not find, and for nobody else to read', async () => {
    const { client, server, serverEvents } = await ends({}, { recipient: undefined });
    for (const request of [GET, post('/orders', BODY)]) {
      const seen = await server.decryptRequest(await client.encryptRequest(request));
      const { body } = await server.protectResponse(seen, answer({ card: 'secret' }));
      expect(body).toEqual({ card: '[REDACTED]' });
    }
    expect(serverEvents.map(({ type }) => type)).toEqual(['redacted_without_key', 'redacted_without_key']);
  });

  it('is kept by no cache', async () => {
    const { client, server } = await ends();
    const seen = await server.decryptRequest(await client.encryptRequest(GET));
    const headers = { 'Cache-Control': 'max-age=60', etag: '"x"', 'x-a': 'b' };
    const answered = await server.protectResponse(seen, { status: 200, headers, body: { card: 1 } });
    expect(answered.headers).toEqual({
      'x-a': 'b',
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
  });

  it('to a request without a secret goes out as it did before', async () => {
    const { server, client, partner } = await twoEnds({ profile });
    const answered = await server.protectResponse(GET, answer({ card: 1 }));
    expect(headerIn(memberOf(answered.body, 'card')).alg).toBe('RSA-OAEP-256');
    expect(partner.response).toBe('encrypt');
    expect(client).toBeDefined();
    const alone = await ends({}, { recipient: CALLER });
    const redacted = await alone.server.protectResponse(GET, answer({ card: 1 }));
    expect(redacted.body).toEqual({ card: '[REDACTED]' });
  });

  it('is encrypted anew each time, also to the same request', async () => {
    const { client, server } = await ends();
    const seen = await server.decryptRequest(await client.encryptRequest(GET));
    const answers = await Promise.all(
      [1, 2].map(async () => {
        const { body } = await server.protectResponse(seen, answer({ card: 1 }));
        return headerIn(memberOf(body, 'card')).salt;
      }),
    );
    expect(new Set(answers).size).toBe(2);
  });

  it('is refused by another call, in another field, and in plain', async () => {
    const { client, server } = await ends();
    const request = post('/orders', BODY);
    const other = post('/orders', BODY);
    await client.encryptRequest(other);
    const seen = await server.decryptRequest(await client.encryptRequest(request));
    const answered = await server.protectResponse(seen, answer({ card: 'x', items: ['y', 'z'] }));
    expect(await refusal(client.decryptResponse(other, answered))).toMatchObject(BAD);
    const body = answered.body as { card: string; items: string[] };
    for (const wrong of [
      { ...body, items: [body.card, body.items[1]] },
      { ...body, items: body.items.toReversed() },
      { ...body, card: tampered(body.card) },
      { items: [body.card] },
    ])
      expect(await refusal(client.decryptResponse(request, { ...answered, body: wrong }))).toMatchObject(BAD);
    const plain = answer({ card: 'x' });
    expect((await refusal(client.decryptResponse(request, plain))).code).toBe('plaintext_refused');
  });

  it('cannot be opened by who has not made the call: it is left, and reported', async () => {
    const { client, server } = await ends();
    const seen = await server.decryptRequest(await client.encryptRequest(GET));
    const answered = await server.protectResponse(seen, answer({ card: 1 }));
    const stranger = await ends();
    expect(await stranger.client.decryptResponse({ ...GET }, answered)).toBe(answered);
    expect(stranger.clientEvents.map(({ type }) => type)).toEqual(['ciphertext_left']);
  });
});

describe('a token under the key of a call is refused', () => {
  /** Stands for a token to the server's key, with all the claims that it needs. */
  const RSA_PIN = 'a pin of their own';
  const pinOf = async (operation: string): Promise<string> => {
    const claims = profile.binding?.claims({ operation, direction: 'request', path: 'pin' });
    return encryptJwe(utf8('"9999"'), (await party('bank')).encryptionKey, { header: { ...claims } });
  };
  type Sent = { headers: Record<string, string>; body: typeof BODY & { items: unknown[] } };

  const WRONG: [what: string, change: (sent: Sent, other: Sent) => object][] = [
    ['in the place of another field', ({ body }) => ({ body: { ...body, pin: body.card } })],
    ['swapped', ({ body }) => ({ body: { ...body, pin: body.card, card: body.pin } })],
    [
      'in the place of another element',
      ({ body }) => ({ body: { ...body, items: body.items.toReversed() } }),
    ],
    ['with an element left out before it', ({ body }) => ({ body: { ...body, items: body.items.slice(1) } })],
    ['in another operation', () => ({ path: '/refunds' })],
    [
      'as a whole message',
      ({ body }) => ({
        path: '/messages',
        body: String(body.card),
        headers: { 'content-type': 'application/jose' },
      }),
    ],
    ['without the secret', () => ({ headers: {} })],
    ['with the secret of another call', (_, { headers }) => ({ headers })],
    ['with a value of another call', ({ body }, other) => ({ body: { ...body, card: other.body.card } })],
    ['altered', ({ body }) => ({ body: { ...body, pin: tampered(body.pin) } })],
    [
      'with its secret altered',
      ({ headers }) => ({ headers: { 'e2ee-key': tampered(headers['e2ee-key']) } }),
    ],
    [
      'with its secret twice',
      ({ headers }) => ({
        headers: { 'e2ee-key': `${headers['e2ee-key']}, ${headers['e2ee-key']}` },
      }),
    ],
    ['with an empty secret', () => ({ headers: { 'e2ee-key': '' } })],
    ['with a field for a secret', ({ body }) => ({ headers: { 'e2ee-key': String(body.pin) } })],
    [
      'beside a good token that was sealed to the server',
      ({ body }) => ({ body: { ...body, pin: RSA_PIN } }),
    ],
    [
      'in the place of its own secret',
      ({ headers, body }) => ({
        headers,
        body: { ...body, pin: headers['e2ee-key'] },
      }),
    ],
  ];

  it.each(WRONG)('%s', async (_, change) => {
    const { client, server } = await ends({}, { server: { replay: false } });
    const [sent, other] = [
      await client.encryptRequest(post('/orders', BODY)),
      await client.encryptRequest(post('/orders', BODY)),
    ];
    const changed = change(sent as never, other as never);
    const wrong = {
      ...sent,
      ...JSON.parse(JSON.stringify(changed).replace(RSA_PIN, await pinOf('POST /orders'))),
    };
    expect(await refusal(server.decryptRequest(wrong))).toMatchObject(BAD);
    expect((await server.decryptRequest(sent)).body).toEqual(BODY);
  });

  it.each([
    ['of another length', new Uint8Array(31), { typ: 'e2ee-key' }],
    ['of no length', new Uint8Array(), { typ: 'e2ee-key' }],
    ['without its type', new Uint8Array(32), {}],
    ['of another type', new Uint8Array(32), { typ: 'JWT' }],
  ])('with a secret %s', async (_, secret, header) => {
    const { server } = await ends(UNBOUND);
    const { encryptionKey } = await party('bank');
    const token = await encryptJwe(secret, encryptionKey, header);
    expect(await refusal(server.decryptRequest({ ...GET, headers: { 'e2ee-key': token } }))).toMatchObject(
      BAD,
    );
  });

  it.each([undefined, 5, '', 'AA', 'AAAAAAAAAAAAAAAAAAAAAA=', ['AAAAAAAAAAAAAAAAAAAAAA']])(
    'with the salt %j',
    async (salt) => {
      const { client, server } = await ends(UNBOUND);
      const sent = await client.encryptRequest(post('/orders', { pin: 1 }));
      const [, ...rest] = String(memberOf(sent.body, 'pin')).split('.');
      const head = btoa(JSON.stringify({ ...headerIn(memberOf(sent.body, 'pin')), salt }))
        .replace(/=+$/, '')
        .replaceAll('+', '-')
        .replaceAll('/', '_');
      const wrong = { ...sent, body: { pin: [head, ...rest].join('.') } };
      expect(await refusal(server.decryptRequest(wrong))).toMatchObject(BAD);
    },
  );

  it('by a profile that knows nothing of it, before any key is used', async () => {
    const { client } = await ends();
    const { server, operations } = await twoEnds({
      profile: { ...profile, perMessageKey: undefined } as never,
    });
    const sent = await client.encryptRequest(post('/orders', BODY));
    expect(await refusal(server.decryptRequest(sent))).toMatchObject(BAD);
    expect(operations()).toBe(0);
  });

  it('with too many others, before any key is used', async () => {
    const { client } = await ends({}, { client: { limits: { tokens: 10 } } });
    const { server, operations } = await ends({}, { server: { limits: { tokens: 6 } } });
    const sent = await client.encryptRequest(post('/orders', BODY));
    expect((await refusal(server.decryptRequest(sent))).code).toBe('limit_exceeded');
    expect(operations()).toBe(0);
  });
});

describe('a call with one key that comes again', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_790_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is refused, with or without a body, and needs one place in the store', async () => {
    const ids: string[] = [];
    const replay = { add: (id: string) => !ids.includes(id) && ids.push(id) > 0 };
    const { client, server } = await ends({}, { server: { replay } });
    for (const request of [GET, post('/orders', BODY)]) {
      const sent = await client.encryptRequest(request);
      await expect(server.decryptRequest(sent)).resolves.toBeDefined();
      expect(await refusal(server.decryptRequest(sent))).toMatchObject(BAD);
    }
    expect(ids).toHaveLength(2);
  });

  it('is refused when it is late', async () => {
    const { client, server } = await ends({}, { server: { replay: false } });
    const sent = await client.encryptRequest(GET);
    vi.setSystemTime(1_790_000_360_000);
    await expect(server.decryptRequest(sent)).resolves.toBeDefined();
    vi.setSystemTime(1_790_000_361_000);
    expect(await refusal(server.decryptRequest(sent))).toMatchObject(BAD);
  });
});

describe('the keys of a call', () => {
  const hex = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const range = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i);
  const SALT = 'oKGio6SlpqeoqaqrrK2urw';

  /* The vectors of docs/per-message-key.md, computed there with another implementation of HKDF. */
  it.each([
    ['A256GCM', 'request', 'card', '1307b61fed72b36cffaacbfad5cd69ef851d3c4f427dd16fb26f70bb8183a034'],
    ['A256GCM', 'response', 'card', '21bc7bc4e7ad82ef12e188c367872dac11ea9d74949628524e8a5e3259be7ceb'],
    [
      'A256GCM',
      'request',
      'items.1.note',
      'f6cc7c15cd979ba44181d6b36d7ebccd0c9f335e5602de90825c7a458b6641f3',
    ],
    ['A256GCM', 'request', '$', '715e3ebf7c3c676afa238b8cbe4b55c41db839477642cc43269bc7d9ebc14449'],
    [
      'A256CBC-HS512',
      'request',
      'card',
      '57a7d7543c31963461c4b17cbb8b0b825f089463fb8b772d3cde59ce42adcfdfd20ab82c6ae3f9fae9055fa7b7a973dea5c30d27133f127fc3cff285681f1060',
    ],
  ] as const)('are those of the vectors: %s %s %s', async (enc, direction, path, cek) => {
    const { openingKey } = await perMessageKey().keysFrom(range(0, 32), '2026-1');
    const place = { operation: 'POST /orders', direction, path };
    const header = { alg: 'dir', enc, salt: SALT };
    expect(hex(await openingKey(place).unwrap(new Uint8Array(), header))).toBe(cek);
  });

  it('open the token of the vectors', async () => {
    const { openingKey } = await perMessageKey().keysFrom(range(0, 32), '2026-1');
    const place = { operation: 'POST /orders', direction: 'request', path: 'card' } as const;
    const token =
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMjAyNi0xIiwic2FsdCI6Im9LR2lvNlNscHFlb3FhcXJySzJ1cncifQ..sLGys7S1tre4ubq7.1rYEqtfhqIurIL9OWmgy9oQCkKjt.J2AEATLe_hgJnBDEq-GYIg';
    const { plaintext } = await decryptJwe(token, openingKey(place), { algs: ['dir'] });
    expect(new TextDecoder().decode(plaintext)).toBe('"4111 1111 1111 1111"');
  });
});

describe('a profile with a key for each message', () => {
  it('has a header of its own name, if it likes', async () => {
    const { client, server } = await ends({ perMessageKey: perMessageKey({ header: 'x-call-key' }) });
    const sent = await client.encryptRequest(GET);
    expect(Object.keys(sent.headers)).toEqual(['x-call-key']);
    const upper = { ...sent, headers: { 'X-Call-Key': String(sent.headers['x-call-key']) } };
    await expect(server.decryptRequest(upper)).resolves.toBeDefined();
  });

  it.each(['', 'E2EE-Key', 'a b', 'a:b', 5, null])('refuses %j as the name of a header', (header) => {
    expect(() => perMessageKey({ header } as never)).toThrow(/`header`/);
  });

  it('is refused where it lists `dir`, or brings something else', () => {
    const keyRing = { find: () => undefined } as never;
    const lists = { ...profile, accept: { ...profile.accept, alg: ['dir', 'RSA-OAEP-256'] } } as Profile;
    expect(() => createE2eeServer({ profile: lists, keyRing })).toThrow(/must not list `dir`/);
    for (const perMessageKey of [null, true, {}, { newSecret: 1 }])
      expect(() => createE2eeServer({ profile: { ...profile, perMessageKey } as never, keyRing })).toThrow(
        /`profile.perMessageKey` must be made by perMessageKey/,
      );
  });
});
