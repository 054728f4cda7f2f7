import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { type EndsOptions, party, post, twoEnds } from '../../test/two-ends.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { refuseToken } from '../jwe/refusal.js';
import { bindTokens } from '../profiles/binding.js';
import { powens } from '../profiles/powens.js';
import type { Profile } from '../profiles/profile.js';
import { strict } from '../profiles/strict.js';
import type { E2eeRequest } from './message.js';
import { memoryReplayStore, type ReplayStore } from './replay.js';

const profile: Profile = {
  ...strict,
  policy: { 'POST /orders': { card: { request: 'encrypt' }, pin: { request: 'encrypt' } } },
};
const REQUEST = post('/orders', { card: '4111', pin: '0070' });
const REFUSED = { code: 'token_invalid', message: 'The encrypted payload is not acceptable' };
const START = 1_790_000_000;

const ends = (server: EndsOptions['server'] = {}) => twoEnds({ profile, server });
const after = (seconds: number): void => void vi.setSystemTime((START + seconds) * 1000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a server end of the strict profile', () => {
  it('accepts a request once', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(REQUEST);
    expect((await server.decryptRequest(sent)).body).toEqual(REQUEST.body);
    for (const seconds of [0, 360]) {
      after(seconds);
      expect(await errorOf(server.decryptRequest(sent))).toMatchObject(REFUSED);
    }
    const again = await client.encryptRequest(REQUEST);
    expect((await server.decryptRequest(again)).body).toEqual(REQUEST.body);
  });

  it('accepts exactly one of a hundred that come at once', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(REQUEST);
    const calls = Array.from({ length: 100 }, () => server.decryptRequest(sent));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each(['issued', 'expires'] as const)(
    'may require no other time than when tokens are %s',
    async (claim) => {
      const binding = bindTokens({ require: [claim] });
      const both = await twoEnds({
        profile: { ...profile, binding },
        server: { replay: memoryReplayStore() },
      });
      const sent = await both.client.encryptRequest(REQUEST);
      expect((await both.server.decryptRequest(sent)).body).toEqual(REQUEST.body);
      const error = await errorOf(both.server.decryptRequest(sent));
      expect(error).toMatchObject({ ...REFUSED, cause: { message: 'It came before' } });
    },
  );

  it('does not count a token as used that came in a request which is refused', async () => {
    const { client, server } = await ends();
    const good = await client.encryptRequest(REQUEST);
    const { encryptionKey } = await party('bank');
    const place = { operation: 'POST /orders', direction: 'request', path: 'pin' } as const;
    const header = strict.binding?.claims(place) ?? {};
    const pin = await encryptJwe(utf8('no JSON'), encryptionKey, { header });
    const mixed = { ...good, body: { ...Object(good.body), pin } };
    expect(await errorOf(server.decryptRequest(mixed))).toMatchObject(REFUSED);
    expect((await server.decryptRequest(good)).body).toEqual(REQUEST.body);
  });

  it('refuses a request in which one token came before', async () => {
    const { client, server } = await ends();
    const first = await client.encryptRequest(REQUEST);
    await server.decryptRequest(first);
    const second = await client.encryptRequest(REQUEST);
    const mixed = { ...second, body: { ...Object(second.body), pin: Object(first.body).pin } };
    expect(await errorOf(server.decryptRequest(mixed))).toMatchObject(REFUSED);
  });

  it('does not remember a token that it could not open', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(REQUEST);
    const [head, key, iv, ciphertext, tag] = String(Object(sent.body).card).split('.');
    const spoiled = [head, String(key).replace(/^../, 'AA'), iv, ciphertext, tag].join('.');
    const body = { ...Object(sent.body), card: spoiled };
    expect(await errorOf(server.decryptRequest({ ...sent, body }))).toMatchObject(REFUSED);
    expect((await server.decryptRequest(sent)).body).toEqual(REQUEST.body);
  });

  it('has one memory for all its handlers', async () => {
    const { client, server } = await ends();
    const sent = await client.encryptRequest(REQUEST);
    await server.decryptRequest(sent);
    const bound = server.bind('order', { pin: { required: true, request: 'encrypt' } });
    expect(await errorOf(bound.decryptRequest(sent))).toMatchObject(REFUSED);
  });

  it('forgets nothing where it is told to remember nothing', async () => {
    const { client, server } = await ends({ replay: false });
    const sent = await client.encryptRequest(REQUEST);
    for (let i = 0; i < 2; i += 1) expect((await server.decryptRequest(sent)).body).toEqual(REQUEST.body);
  });
});

describe('a store of its own', () => {
  it('is given ids that hold nothing of a token, for as long as the token can be good', async () => {
    const seen: [string, number][] = [];
    const replay: ReplayStore = { add: async (...one) => seen.push(one) > 0 };
    const { client, server } = await ends({ replay });
    const sent = await client.encryptRequest(REQUEST);
    await server.decryptRequest(sent);
    expect(seen).toEqual([
      [expect.stringMatching(/^[\w-]{43}$/), START + 480],
      [expect.stringMatching(/^[\w-]{43}$/), START + 480],
    ]);
    expect(seen[0]?.[0]).not.toBe(seen[1]?.[0]);
    expect(JSON.stringify(sent)).not.toContain(seen[0]?.[0]);
  });

  it.each<[what: string, add: ReplayStore['add']]>([
    ['rejects', async () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('that %s lets no request through, and says so with a 503', async (_what, add) => {
    const { client, server } = await ends({ replay: { add } });
    const error = await errorOf(server.decryptRequest(await client.encryptRequest(REQUEST)));
    expect(error).toMatchObject({ code: 'store_unavailable', status: 503, expose: false });
    const answer = server.errorResponse(error);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    expect(JSON.stringify(answer)).not.toContain('down');
  });

  it('that answers no boolean has said nothing: 503, and the log tells what it answered', async () => {
    for (const said of [undefined, 1, 'OK', null, {}]) {
      const { client, server } = await ends({ replay: { add: () => said as boolean } });
      const sent = await client.encryptRequest(REQUEST);
      const error = await errorOf(server.decryptRequest(sent));
      expect(error).toMatchObject({ code: 'store_unavailable', status: 503 });
      expect(String(Object(error).cause)).toContain(typeof said);
    }
  });

  it('is asked for all tokens at once', async () => {
    let waiting = 0;
    const add = async (): Promise<boolean> => {
      waiting += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return waiting === 2;
    };
    const { client, server } = await ends({ replay: { add } });
    expect((await server.decryptRequest(await client.encryptRequest(REQUEST))).body).toEqual(REQUEST.body);
  });

  it.each<[what: string, options: EndsOptions, message: string]>([
    ['is none', { profile, server: { replay: {} as ReplayStore } }, '`replay`'],
    ['is null', { profile, server: { replay: null as never } }, '`replay`'],
    ['could never forget', { profile: powens, server: { replay: memoryReplayStore() } }, 'requires a time'],
    [
      'could never forget either',
      {
        profile: { ...profile, binding: bindTokens({ require: ['path'] }) },
        server: { replay: memoryReplayStore() },
      },
      'requires a time',
    ],
    [
      'is only there because ids are required',
      { profile: { ...profile, binding: bindTokens({ add: ['id'] }) } },
      'which is on where ids are required',
    ],
    [
      'could take two values for one',
      {
        profile: {
          ...profile,
          binding: bindTokens({ audience: 'x', require: ['issued', 'audience', 'recipient'] }),
        },
        server: { replay: memoryReplayStore(), verifyWith: { verify: async () => refuseToken() } },
      },
      'requires an id',
    ],
  ])('is refused when it %s', async (_what, options, message) => {
    expect(await errorOf(twoEnds(options))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('memoryReplayStore', () => {
  it('knows an id until its time has come, and no other', () => {
    const store = memoryReplayStore();
    expect(store.add('a', START + 10)).toBe(true);
    expect(store.add('a', START + 10)).toBe(false);
    for (const id of ['b', '__proto__', 'constructor']) {
      expect(store.add(id, START + 10)).toBe(true);
      expect(store.add(id, START + 10)).toBe(false);
    }
    after(10);
    expect(store.add('a', START + 20)).toBe(true);
    expect(store.add('a', START + 20)).toBe(false);
  });

  it('holds so many and no more, and makes room of what is over', () => {
    const store = memoryReplayStore({ capacity: 3 });
    for (const [i, id] of ['a', 'b', 'c'].entries()) expect(store.add(id, START + 10 + i)).toBe(true);
    expect(() => store.add('d', START + 10)).toThrow(/full: 3/);
    expect(store.add('a', START + 10)).toBe(false);
    after(11);
    expect(store.add('d', START + 20)).toBe(true);
    expect(store.add('e', START + 20)).toBe(true);
    expect(() => store.add('f', START + 20)).toThrow(/full/);
    expect(store.add('c', START + 20)).toBe(false);
  });

  it('makes room of what is over also where that does not end in the order in which it came', () => {
    const store = memoryReplayStore({ capacity: 2 });
    expect(store.add('long', START + 1000)).toBe(true);
    expect(store.add('short', START + 1)).toBe(true);
    expect(() => store.add('new', START + 10)).toThrow(/full/);
    after(5);
    expect(store.add('new', START + 10)).toBe(true);
    expect(store.add('long', START + 1000)).toBe(false);
    expect(() => store.add('newer', START + 10)).toThrow(/full/);
  });

  it('knows an id that came again after its time to the end of its new one', () => {
    const store = memoryReplayStore({ capacity: 3 });
    expect(store.add('a', START + 1)).toBe(true);
    expect(store.add('b', START + 1000)).toBe(true);
    after(2);
    expect(store.add('a', START + 1000)).toBe(true);
    after(3);
    expect(store.add('a', START + 1000)).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, '5', null])('has no capacity of %j', async (capacity) => {
    expect(await errorOf(() => memoryReplayStore({ capacity: capacity as number }))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`capacity` must be a whole number from 1'),
    });
  });

  it('may hold a single id', () => {
    const store = memoryReplayStore({ capacity: 1 });
    expect(store.add('a', START + 10)).toBe(true);
    expect(() => store.add('b', START + 10)).toThrow(/full: 1/);
  });

  it('that is full refuses requests with a 503 until tokens have expired', async () => {
    const { client, server } = await ends({ replay: memoryReplayStore({ capacity: 2 }) });
    const send = async (): Promise<E2eeRequest> =>
      server.decryptRequest(await client.encryptRequest(REQUEST));
    expect((await send()).body).toEqual(REQUEST.body);
    expect(await errorOf(send())).toMatchObject({ code: 'store_unavailable', status: 503 });
    after(481);
    expect((await send()).body).toEqual(REQUEST.body);
  });
});
