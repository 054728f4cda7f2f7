import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { answer, type Ends, type EndsOptions, party, post, twoEnds } from '../../test/two-ends.js';
import type { E2eeError } from '../errors.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { type BindingClaim, type BindingOptions, bindTokens } from '../profiles/binding.js';
import type { Profile } from '../profiles/profile.js';
import { strict } from '../profiles/strict.js';
import type { E2eeRequest } from './message.js';

const FIELDS = {
  card: { request: 'encrypt', response: 'encrypt' },
  pin: { request: 'encrypt' },
  'items.#': { request: 'encrypt', response: 'encrypt' },
  'meta.*.note': { request: 'encrypt' },
} as const;

const POLICY = {
  'POST /orders': FIELDS,
  'POST /refunds': FIELDS,
  'POST /messages': { $: { request: 'encrypt', response: 'encrypt' } },
} as const;

const BODY = {
  card: { number: '4111' },
  pin: '0070',
  items: ['a', 'b'],
  meta: { 'x.y': { note: 1 }, z: { note: 2 } },
};

const profile: Profile = { ...strict, policy: POLICY };
const REFUSED = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };

/** Without a memory of tokens, so that only their place and time count. */
const ends = (options: EndsOptions = {}): Promise<Ends> =>
  twoEnds({ profile, ...options, server: { replay: false, ...options.server } });

type Body = typeof BODY;
const bodyOf = ({ body }: E2eeRequest): Body => structuredClone(body) as Body;

async function refusalOf({ server }: Ends, request: E2eeRequest): Promise<void> {
  expect(await errorOf(server.decryptRequest(request))).toMatchObject(REFUSED);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_790_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a request whose tokens are bound', () => {
  it('goes through, and says where its tokens belong', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(post('/orders', BODY));
    expect((await server.decryptRequest(sent)).body).toEqual(BODY);
    const { decryptionKey } = await party('bank');
    const said = async (token: unknown): Promise<object> =>
      (await decryptJwe(String(token), decryptionKey)).header;
    const claims = { op: 'POST /orders', dir: 'request', iat: 1_790_000_000, exp: 1_790_000_300 };
    const { card, pin, items, meta } = bodyOf(sent);
    expect(await said(card)).toMatchObject({
      ...claims,
      path: 'card',
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(await said(pin)).toMatchObject({ ...claims, path: 'pin' });
    expect(await said(items[1])).toMatchObject({ ...claims, path: 'items.1' });
    expect(await said(meta['x.y'].note)).toMatchObject({ ...claims, path: 'meta.x\\.y.note' });
  });

  it.each<[what: string, move: (body: Body) => object]>([
    ['two fields swapped', (body) => ({ ...body, card: body.pin, pin: body.card })],
    ['one field in the place of another', (body) => ({ ...body, pin: body.card })],
    ['two elements swapped', (body) => ({ ...body, items: body.items.toReversed() })],
    ['an element left out', (body) => ({ ...body, items: body.items.slice(1) })],
    ['an element added', (body) => ({ ...body, items: [...body.items, body.items[0]] })],
    [
      'members of one rule swapped',
      (body) => ({ ...body, meta: { 'x.y': body.meta.z, z: body.meta['x.y'] } }),
    ],
    ['a member under another name', (body) => ({ ...body, meta: { z: body.meta.z, y: body.meta['x.y'] } })],
  ])('is refused with %s', async (_what, move) => {
    const both = await ends();
    const sent = await both.client.encryptRequest(post('/orders', BODY));
    const before = both.operations();
    await refusalOf(both, { ...sent, body: move(bodyOf(sent)) });
    expect(both.operations()).toBe(before);
  });

  it('is refused where an element is due in place of a member called like its index, and the other way round', async () => {
    const both = await ends({
      policy: { 'POST /orders': { 'a.*': { request: 'encrypt' }, 'a.#': { request: 'encrypt' } } },
    });
    for (const [plain, turned] of [
      [{ a: { '0': 'x' } }, (a: object) => Object.values(a)],
      [{ a: ['x'] }, (a: object) => ({ ...a })],
    ] as const) {
      const sent = await both.client.encryptRequest(post('/orders', plain));
      expect((await both.server.decryptRequest(sent)).body).toEqual(plain);
      await refusalOf(both, { ...sent, body: { a: turned(Object(sent.body).a) } });
    }
  });

  it('is refused as a whole message when it is of a member called $', async () => {
    const policy = { 'POST /orders': { '*': { request: 'encrypt' } } } as const;
    const both = await ends({ policy });
    const sent = await both.client.encryptRequest(post('/orders', { $: { admin: true } }));
    expect((await both.server.decryptRequest(sent)).body).toEqual({ $: { admin: true } });
    const whole = await ends({ policy: { 'POST /orders': { $: { request: 'encrypt' } } } });
    const headers = { 'content-type': 'application/jose' };
    await refusalOf(whole, { ...sent, headers, body: Object(sent.body).$ });
  });

  it('is refused in another operation', async () => {
    const both = await ends();
    const sent = await both.client.encryptRequest(post('/orders', BODY));
    await refusalOf(both, { ...sent, path: '/refunds' });
  });

  it('is refused as a whole message of another operation, and as a field', async () => {
    const both = await ends({ policy: { ...POLICY, 'POST /notes': POLICY['POST /messages'] } });
    const sent = await both.client.encryptRequest(post('/messages', BODY));
    expect((await both.server.decryptRequest(sent)).body).toEqual(BODY);
    await refusalOf(both, { ...sent, path: '/notes' });
    await refusalOf(both, post('/orders', { card: sent.body }));
  });

  it('is good for its lifetime, give or take the difference of clocks', async () => {
    const both = await ends();
    const sent = await both.client.encryptRequest(post('/orders', BODY));
    const after = (seconds: number): void => void vi.setSystemTime((1_790_000_000 + seconds) * 1000);
    for (const seconds of [-60, 0, 300, 360]) {
      after(seconds);
      expect((await both.server.decryptRequest(sent)).body, `after ${seconds} s`).toEqual(BODY);
    }
    for (const seconds of [-61, 361, 86_400]) {
      after(seconds);
      await refusalOf(both, sent);
    }
  });

  it('is refused without any one of the claims, or with one of another type', async () => {
    const { encryptionKey } = await party('bank');
    const both = await ends({ policy: { 'POST /orders': { pin: { request: 'encrypt' } } } });
    const claims = {
      op: 'POST /orders',
      dir: 'request',
      path: 'pin',
      iat: 1_790_000_000,
      exp: 1_790_000_300,
      jti: 'x',
    };
    const request = async (header: object): Promise<E2eeRequest> =>
      post('/orders', { pin: await encryptJwe(utf8('"0070"'), encryptionKey, { header: { ...header } }) });
    expect((await both.server.decryptRequest(await request(claims))).body).toEqual({ pin: '0070' });
    for (const [name, value] of Object.entries(claims)) {
      for (const other of [
        undefined,
        null,
        '',
        [value],
        { value },
        typeof value === 'number' ? String(value) : 7,
      ]) {
        await refusalOf(both, await request({ ...claims, [name]: other }));
      }
    }
    for (const exp of [1_790_000_361 + 1e9, Number.MAX_VALUE, 1_789_999_000]) {
      await refusalOf(both, await request({ ...claims, exp }));
    }
  });

  it('is read by a peer that knows nothing of bindings', async () => {
    const { client } = await ends();
    const { server } = await twoEnds({ profile: withBinding(undefined), policy: POLICY });
    const sent = await client.encryptRequest(post('/orders', BODY));
    expect((await server.decryptRequest(sent)).body).toEqual(BODY);
  });

  it('is required of a peer that does not bind its own', async () => {
    const { client } = await twoEnds({ profile: withBinding(undefined), policy: POLICY });
    await refusalOf(await ends(), await client.encryptRequest(post('/orders', BODY)));
  });
});

describe('a response whose tokens are bound', () => {
  const exchange = async (both: Ends, path = '/orders'): Promise<[E2eeRequest, E2eeRequest]> => {
    const request = post(path, BODY);
    return [request, await both.server.decryptRequest(await both.client.encryptRequest(request))];
  };

  it('goes through, and says which request it answers', async () => {
    const both = await ends();
    const [request, opened] = await exchange(both);
    const sent = await both.server.protectResponse(opened, answer(BODY));
    const { decryptionKey } = await party('partner');
    const { header } = await decryptJwe(String((sent.body as Body).card), decryptionKey);
    expect(header).toMatchObject({
      op: 'POST /orders',
      dir: 'response',
      path: 'card',
      req: expect.any(String),
    });
    expect((await both.client.decryptResponse(request, sent)).body).toMatchObject({ card: BODY.card });
  });

  it('says nothing of a request without tokens', async () => {
    const both = await ends();
    const request = await both.server.decryptRequest(post('/orders', {}));
    const sent = await both.server.protectResponse(request, answer({ card: 1 }));
    const { decryptionKey } = await party('partner');
    const { header } = await decryptJwe(String((sent.body as Body).card), decryptionKey);
    expect(header).not.toHaveProperty('req');
    expect((await both.client.decryptResponse(post('/orders', {}), sent)).body).toEqual({ card: 1 });
  });

  it('goes through as a whole message', async () => {
    const both = await ends();
    const [request, opened] = await exchange(both, '/messages');
    const sent = await both.server.protectResponse(opened, answer(BODY));
    expect((await both.client.decryptResponse(request, sent)).body).toEqual(BODY);
  });

  it('is refused as the answer to another request, also of the same operation', async () => {
    const both = await ends();
    const [, opened] = await exchange(both);
    const sent = await both.server.protectResponse(opened, answer(BODY));
    const [other] = await exchange(both);
    for (const request of [other, post('/orders')]) {
      expect(await errorOf(both.client.decryptResponse(request, sent))).toMatchObject(REFUSED);
    }
  });

  it('may come with its request in another order of members', async () => {
    const both = await ends();
    const request = post('/orders', BODY);
    const sent = await both.client.encryptRequest(request);
    const reordered = Object.fromEntries(Object.entries(bodyOf(sent)).reverse());
    const opened = await both.server.decryptRequest({ ...sent, body: reordered });
    const back = await both.server.protectResponse(opened, answer(BODY));
    expect((await both.client.decryptResponse(request, back)).body).toMatchObject({ card: BODY.card });
  });

  it('is refused as a request', async () => {
    const same = await party('bank');
    const both = await ends({
      recipient: { id: 'self', response: 'encrypt', encryptionKeys: staticKeys(same.encryptionKey) },
    });
    const [, opened] = await exchange(both);
    const sent = await both.server.protectResponse(opened, answer({ card: BODY.card }));
    await refusalOf(both, post('/orders', sent.body));
  });

  it('without a request that had tokens is bound to its operation, field and time', async () => {
    const policy = { 'GET /orders/:id': { card: { response: 'encrypt' } } } as const;
    const both = await ends({ policy });
    const request: E2eeRequest = { method: 'GET', path: '/orders/1', headers: {} };
    const opened = await both.server.decryptRequest(request);
    const sent = await both.server.protectResponse(opened, answer({ card: BODY.card }));
    expect((await both.client.decryptResponse(request, sent)).body).toEqual({ card: BODY.card });
    vi.setSystemTime(1_790_000_361_000);
    expect(await errorOf(both.client.decryptResponse(request, sent))).toMatchObject(REFUSED);
  });
});

describe('why a bound token was refused', () => {
  it('is told to the operator, and not to the peer', async () => {
    const both = await ends();
    const sent = await both.client.encryptRequest(post('/orders', BODY));
    const refused = async (request: E2eeRequest): Promise<[reason: unknown, answer: unknown]> => {
      const error = (await errorOf(both.server.decryptRequest(request))) as E2eeError;
      expect(both.serverEvents.at(-1)).toMatchObject({ type: 'request_refused', error });
      return [(error.cause as Error | undefined)?.message, both.server.errorResponse(error)];
    };
    const moved = await refused({ ...sent, path: '/refunds' });
    const broken = await refused({ ...sent, body: { ...bodyOf(sent), pin: 'e30.a.b.c.d' } });
    vi.setSystemTime(1_790_000_361_000);
    const late = await refused(sent);
    expect(moved[0]).toBe('Its `operation` is not what this place and time ask for');
    expect(late[0]).toBe('Its `issued` is not what this place and time ask for');
    expect(broken[0]).toBeUndefined();
    expect(moved[1]).toEqual(broken[1]);
    expect(late[1]).toEqual(broken[1]);
  });
});

describe('a binding', () => {
  it('goes by the names and the unit that a profile gives', async () => {
    const options: BindingOptions = {
      add: ['issued', 'audience'],
      names: { audience: 'for' },
      unit: 'ms',
      audience: 'https://api.example',
    };
    const both = await ends({ profile: withBinding(options) });
    const sent = await both.client.encryptRequest(post('/orders', { pin: '0070' }));
    const { decryptionKey } = await party('bank');
    const { header } = await decryptJwe(String((sent.body as Body).pin), decryptionKey);
    expect({ ...header }).toEqual({
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      kid: 'bank',
      iat: 1_790_000_000_000,
      for: 'https://api.example',
    });
    expect((await both.server.decryptRequest(sent)).body).toEqual({ pin: '0070' });
    const other = await ends({ profile: withBinding({ ...options, audience: 'https://other.example' }) });
    await refusalOf(other, sent);
  });

  it.each<[option: string, wrong: object]>([
    ['add', { add: ['where'] }],
    ['add', { add: 'path' }],
    ['add', { add: null }],
    ['require', { require: ['__proto__'] }],
    ['add', { audience: 'https://api.example', add: ['issued'] }],
    ['audience', { add: ['audience'] }],
    ['audience', { require: ['audience'], audience: '' }],
    ['audience', { audience: '' }],
    ['names', { names: { path: '' } }],
    ['names', { names: { path: '__proto__' } }],
    ['names', { names: { path: 'kid' } }],
    ['names', { names: { path: 'op' } }],
    ['names', { names: { path: 5 } }],
    ['names', { names: { place: 'place' } }],
    ['unit', { unit: 'minutes' }],
    ['lifetime', { lifetime: -1 }],
    ['lifetime', { lifetime: Number.POSITIVE_INFINITY }],
    ['tolerance', { tolerance: '60' }],
  ])('is refused by the name of %s: %j', async (option, wrong) => {
    expect(await errorOf(() => bindTokens(wrong))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(`\`${option}\``),
    });
  });

  it('is not what a profile makes up', async () => {
    const made = ends({ profile: { ...profile, binding: { require: [] } as never } });
    expect(await errorOf(made)).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`profile.binding` must be made by bindTokens()'),
    });
  });

  it('requires only what it lists', async () => {
    const claims: BindingClaim[] = ['operation', 'direction', 'path', 'issued', 'expires', 'id'];
    for (const claim of claims) {
      const { client } = await ends({ profile: withBinding({ add: [claim], require: [] }) });
      const sent = await client.encryptRequest(post('/orders', { pin: '0070' }));
      const only = await ends({ profile: withBinding({ require: [claim] }) });
      expect((await only.server.decryptRequest(sent)).body).toEqual({ pin: '0070' });
    }
  });
});

function withBinding(options: BindingOptions | undefined): Profile {
  const { binding: _, ...bare } = profile;
  return options ? { ...bare, binding: bindTokens(options) } : bare;
}
