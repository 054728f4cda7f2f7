import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  CERTIFICATE,
  CERTIFIED_MODULUS,
  decryptionKeyOf,
  encryptionKeyOf,
  errorOf,
  everythingOf,
  secretsOf,
} from '../../test/keys-fixtures.js';
import { RSA, RSA_1024, type RsaPair } from '../../test/stored-keys.js';
import { answer, memberOf, post } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { createE2eeClient } from './client.js';
import type { E2eeEvent } from './events.js';
import {
  type PublicKeySource,
  type RecipientEntry,
  type Recipients,
  type RecipientsOptions,
  recipients,
} from './recipients.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const [first, second, third] = RSA;
const pems = { first: first.spki, second: second.spki };

afterEach(() => {
  vi.useRealTimers();
});

/** The modulus of the key that is now encrypted to. */
async function inUse(partners: Recipients, id: string): Promise<unknown> {
  return (await partners.get(id)?.encryptionKeys?.current())?.publicJwk.n;
}

function at(time: string): void {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(time) });
}

describe('a registered partner', () => {
  it.each<[string, PublicKeySource, unknown]>([
    ['PKCS#1 in PEM', first.publicPkcs1, first.publicJwk.n],
    ['SPKI in PEM', pems.first, first.publicJwk.n],
    ['a certificate', CERTIFICATE, CERTIFIED_MODULUS],
    ['a JWK', first.publicJwk, first.publicJwk.n],
    ['a JWK as text', JSON.stringify(first.publicJwk), first.publicJwk.n],
  ])('hands in its key as %s', async (_, keys, n) => {
    const partners = await recipients({
      acme: { response: 'encrypt', keys },
      listed: { response: 'message', keys: [keys] },
      timed: { response: 'redact', keys: [{ key: keys }] },
    });
    for (const id of ['acme', 'listed', 'timed']) expect(await inUse(partners, id), id).toBe(n);
    expect(partners.get('acme')).toMatchObject({ id: 'acme', response: 'encrypt' });
  });

  it('needs no key when it chose redaction', async () => {
    const partners = await recipients({ initech: { response: 'redact' } });
    expect(partners.get('initech')).toEqual({ id: 'initech', response: 'redact' });
  });

  it('is found by its exact id only, and nobody without one', async () => {
    const partners = await recipients({ acme: { response: 'redact' } });
    for (const id of [undefined, '', 'ACME', 'acme ', 'globex', '__proto__', 'constructor', 'toString']) {
      expect(partners.get(id), id).toBeUndefined();
    }
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty', ''])('may be called `%s`', async (id) => {
    const entries = JSON.parse(`{${JSON.stringify(id)}:{"response":"redact"}}`);
    const partners = await recipients(entries);
    expect(partners.get(id)).toEqual({ id, response: 'redact' });
    await partners.set(id, { response: 'encrypt', keys: pems.first });
    expect(partners.get(id)).toMatchObject({ id, response: 'encrypt' });
    expect(Object.hasOwn(Object.prototype, 'response')).toBe(false);
    expect(({} as Record<string, unknown>).response).toBeUndefined();
    partners.delete(id);
    expect(partners.get(id)).toBeUndefined();
  });

  it('is replaced by `set`, forgotten by `delete`, and what was found before stays as it was', async () => {
    const partners = await recipients({ acme: { response: 'encrypt', keys: pems.first } });
    const before = partners.get('acme');
    await partners.set('acme', { response: 'message', keys: pems.second });
    expect(partners.get('acme')).toMatchObject({ response: 'message' });
    expect(await inUse(partners, 'acme')).toBe(second.publicJwk.n);
    expect(before).toMatchObject({ response: 'encrypt' });
    await partners.set('globex', { response: 'redact' });
    partners.delete('acme');
    partners.delete('never seen');
    expect([partners.get('acme'), partners.get('globex')?.id]).toEqual([undefined, 'globex']);
  });

  it('can be nobody at all: an empty registry fills up later', async () => {
    const partners = await recipients();
    expect(partners.get('acme')).toBeUndefined();
    await partners.set('acme', { response: 'redact' });
    expect(partners.get('acme')?.id).toBe('acme');
  });
});

describe('a partner that changes keys', () => {
  it('is encrypted to with the old key until the time of the new one', async () => {
    const partners = await recipients({
      acme: { response: 'encrypt', keys: [pems.first, { key: pems.second, from: '2027-01-01T00:00:00Z' }] },
    });
    at('2026-12-31T23:59:59Z');
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    at('2027-01-01T00:00:00Z');
    expect(await inUse(partners, 'acme')).toBe(second.publicJwk.n);
  });

  it('may end the old key in place of beginning the new one', async () => {
    const partners = await recipients({
      acme: { response: 'encrypt', keys: [{ key: pems.first, until: '2027-01-01' }, pems.second] },
    });
    at('2026-12-31T23:59:59Z');
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    at('2027-01-01T00:00:00Z');
    expect(await inUse(partners, 'acme')).toBe(second.publicJwk.n);
  });

  it('may say so in seconds since the epoch, in any order of the keys, JWK or not', async () => {
    const change = Date.parse('2027-01-01T00:00:00Z') / 1000;
    const partners = await recipients({
      acme: {
        response: 'encrypt',
        keys: [
          { key: second.publicJwk, from: change },
          { key: pems.first, from: 0, until: change + 60 },
        ],
      },
    });
    at('2026-12-31T23:59:59Z');
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    at('2027-01-01T00:00:30Z'); // both are good: the newer one is used
    expect(await inUse(partners, 'acme')).toBe(second.publicJwk.n);
  });

  it('has the times of its entry before those of its JWK', async () => {
    const key = { ...first.publicJwk, exp: Date.parse('2026-01-01') / 1000 };
    const partners = await recipients({
      acme: { response: 'encrypt', keys: [{ key, until: '2027-01-01' }] },
    });
    at('2026-06-01T00:00:00Z');
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
  });

  it('is sent nothing once every key has ended: not in plain, and not redacted as if that were its data', async () => {
    const partners = await recipients({
      acme: { response: 'encrypt', keys: [{ key: pems.first, until: '2027-01-01' }] },
    });
    at('2027-01-01T00:00:01Z');
    const error = await errorOf(serverFor(partners).protectResponse(request('acme'), answer(BODY)));
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
    expect(everythingOf(error)).not.toContain('canary-4711');
  });

  it('keeps the responses readable on both sides of the change', async () => {
    const partners = await recipients({
      acme: { response: 'encrypt', keys: [pems.first, { key: pems.second, from: '2027-01-01' }] },
    });
    const server = serverFor(partners);
    for (const [time, owner] of [
      ['2026-12-31T23:00:00Z', first],
      ['2027-01-01T01:00:00Z', second],
    ] as const) {
      at(time);
      const sent = await server.protectResponse(request('acme'), answer(BODY));
      const { body } = await (await clientOf(owner)).decryptResponse(request('acme'), sent);
      expect(body).toEqual(BODY);
    }
  });
});

describe('a partner that publishes its keys', () => {
  it('is encrypted to with what its URL says, which is fetched once, at first use', async () => {
    let [fetches, keys] = [0, [first.publicJwk]];
    const fetch = async (): Promise<Response> => {
      fetches += 1;
      return Response.json({ keys });
    };
    const partners = await recipients({ globex: { response: 'encrypt', jwks: URL_ } }, { fetch });
    expect(fetches).toBe(0);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect(fetches).toBe(1);
    keys = [second.publicJwk];
    await partners.get('globex')?.encryptionKeys?.refresh();
    expect(await inUse(partners, 'globex')).toBe(second.publicJwk.n);
  });

  it('is fetched from with headers of its own, which no other partner gets', async () => {
    const seen: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (url, init) => {
      seen.push([new URL(String(url)).search, new Headers(init?.headers).get('authorization')]);
      return Response.json(first.publicJwk); // the form of a single JWK
    };
    const entries: Record<string, RecipientEntry> = {
      acme: { response: 'encrypt', jwks: { url: `${URL_}?acme`, headers: { authorization: 's3cr3t' } } },
      globex: { response: 'encrypt', jwks: { url: `${URL_}?globex` } },
      initech: { response: 'encrypt', jwks: `${URL_}?initech` },
    };
    const partners = await recipients(entries, { fetch });
    for (const id of ['acme', 'globex', 'initech']) expect(await inUse(partners, id)).toBe(first.publicJwk.n);
    expect(seen).toEqual([
      ['?acme', 's3cr3t'],
      ['?globex', null],
      ['?initech', null],
    ]);
    expect(everythingOf([partners, partners.get('acme')])).not.toContain('s3cr3t');
  });

  it('is fetched from with the options of the registry, which are checked at once', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(first.publicJwk));
    const events: unknown[] = [];
    const options = { fetch, onEvent: ({ type }: { type: string }) => void events.push(type) };
    const partners = await recipients({ globex: { response: 'encrypt', jwks: URL_ } }, options);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect([fetch.mock.calls.length, events]).toEqual([1, ['refreshed']]);
    expect(await errorOf(recipients({}, { timeout: 0 }))).toMatchObject({ code: 'option_invalid' });
  });

  it.each<[string, object, string]>([
    ['headers', { headers: { authorization: 's3cr3t' } }, 'jwks: { url, headers }'],
    ['headers', { headers: {} }, 'jwks: { url, headers }'],
    ['preset', { preset: {} }, 'one URL'],
    ['maxSources', { maxSources: -1 }, 'a whole number'],
    ['maxSources', { maxSources: 1.5 }, 'a whole number'],
    ['maxSources', { maxSources: Number.POSITIVE_INFINITY }, 'a whole number'],
    ['maxSources', { maxSources: '5' }, 'a whole number'],
  ])('cannot be fetched from with the option %s of the registry: %j', async (option, options, hint) => {
    const error = await errorOf(recipients({ initech: { response: 'redact' } }, options));
    expect(error).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(`\`${option}\``),
    });
    expect(error).toMatchObject({ message: expect.stringContaining(hint) });
    expect(everythingOf(error)).not.toContain('s3cr3t');
  });

  it('has no place for such headers in the type either', async () => {
    // @ts-expect-error: what is for one partner is not for all
    await errorOf(recipients({}, { headers: {} }));
  });

  it('is sent nothing, with a 503, while the URL is out of reach', async () => {
    const fetch = async (): Promise<Response> => new Response(null, { status: 500 });
    const partners = await recipients({ globex: { response: 'encrypt', jwks: URL_ } }, { fetch });
    const server = serverFor(partners);
    const error = await errorOf(server.protectResponse(request('globex'), answer(BODY)));
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
    expect(everythingOf(error)).not.toContain('canary-4711');
    expect(server.errorResponse(error).headers['retry-after']).toBeDefined();
  });
});

const URL_ = 'https://globex.example/jwks.json';

/** A registry whose partners publish keys, with the fetches that were made: which URL, and with which credential. */
async function watched(entries: Record<string, RecipientEntry>, options: RecipientsOptions = {}) {
  const fetches: string[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    fetches.push(`${url} ${new Headers(init?.headers).get('authorization') ?? '-'}`);
    return Response.json({ keys: [first.publicJwk] });
  };
  return { partners: await recipients(entries, { fetch, ...options }), fetches };
}

const publishing = (jwks: NonNullable<RecipientEntry['jwks']>): RecipientEntry => ({
  response: 'encrypt',
  jwks,
});
const keysOf = (partners: Recipients, id: string) => partners.get(id)?.encryptionKeys;
const CLOSED = { code: 'keys_unavailable', message: 'The key source is closed' };

describe('sources of published keys', () => {
  it('are shared by partners with one URL and the same headers, and by no others', async () => {
    const { partners, fetches } = await watched({
      plain: publishing(URL_),
      spelled: publishing({ url: 'HTTPS://globex.example:443/jwks.json', headers: {} }),
      one: publishing({ url: URL_, headers: { Authorization: '1', 'x-b': 'b' } }),
      same: publishing({ url: URL_, headers: { 'X-B': 'b', authorization: '1' } }),
      two: publishing({ url: URL_, headers: { authorization: '2', 'x-b': 'b' } }),
      other: publishing(`${URL_}?other`),
    });
    for (const id of ['plain', 'spelled', 'one', 'same', 'two', 'other']) await inUse(partners, id);
    expect(fetches).toEqual([`${URL_} -`, `${URL_} 1`, `${URL_} 2`, `${URL_}?other -`]);
    expect(keysOf(partners, 'plain')).toBe(keysOf(partners, 'spelled'));
    expect(keysOf(partners, 'one')).toBe(keysOf(partners, 'same'));
  });

  it('are closed when their last partner goes', async () => {
    const { partners } = await watched({ acme: publishing(URL_), globex: publishing(URL_) });
    const keys = keysOf(partners, 'acme');
    partners.delete('acme');
    partners.delete('acme');
    expect((await keys?.current())?.publicJwk.n).toBe(first.publicJwk.n);
    partners.delete('globex');
    expect(await errorOf(async () => keys?.current())).toMatchObject(CLOSED);
  });

  it('are closed when their last partner is registered anew, once its new source is in place', async () => {
    const { partners, fetches } = await watched({ acme: publishing(URL_) });
    await inUse(partners, 'acme');
    const old = keysOf(partners, 'acme');
    await partners.set('acme', publishing(`${URL_}?new`));
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    expect(await errorOf(async () => old?.current())).toMatchObject(CLOSED);
    await partners.set('acme', { response: 'encrypt', keys: pems.second });
    expect(await inUse(partners, 'acme')).toBe(second.publicJwk.n);
    expect(fetches).toHaveLength(2);
  });

  it('stay, with what they fetched, when a partner is registered anew at the same URL', async () => {
    const { partners, fetches } = await watched({ acme: publishing(URL_) });
    await inUse(partners, 'acme');
    await partners.set('acme', { response: 'message', jwks: { url: URL_ } });
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    expect(partners.get('acme')).toMatchObject({ response: 'message' });
    expect(fetches).toHaveLength(1);
    partners.delete('acme'); // its only part in it
    await partners.set('acme', publishing(URL_));
    await inUse(partners, 'acme');
    expect(fetches).toHaveLength(2);
  });

  it('stay as they are when an entry is refused', async () => {
    const { partners } = await watched({ acme: publishing(URL_) }, { maxSources: 2 });
    for (const jwks of ['http://globex.example/', { url: `${URL_}?x`, headers: { 'a b': 'c' } }]) {
      await errorOf(partners.set('acme', publishing(jwks)));
    }
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
    await partners.set('globex', publishing(`${URL_}?y`)); // the refused ones take no room
  });

  it('are limited in number', async () => {
    const { partners } = await watched({ a: publishing(URL_), b: publishing(URL_) }, { maxSources: 2 });
    await partners.set('c', publishing(`${URL_}?c`));
    const error = await errorOf(partners.set('d', publishing(`${URL_}?d`)));
    expect(error).toMatchObject({
      code: 'option_invalid',
      message: expect.stringMatching(/`d`.*`maxSources` = 2/),
    });
    expect(partners.get('d')).toBeUndefined();
    await partners.set('d', publishing(URL_)); // one more partner, and no more sources
    await partners.set('e', { response: 'encrypt', keys: pems.first });
    await partners.set('c', publishing(`${URL_}?new`)); // in place of the old one
    await errorOf(partners.set('a', publishing(`${URL_}?a`))); // its old one stays, for b and d
    expect(await inUse(partners, 'a')).toBe(first.publicJwk.n);
    partners.delete('c');
    await partners.set('a', publishing(`${URL_}?a`));
    await errorOf(recipients({ a: publishing(URL_) }, { maxSources: 0 }));
  });

  it('are 1,000 at the most by default', async () => {
    const entries = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, publishing(`${URL_}?${i}`)]));
    const { partners } = await watched(entries(1_000));
    await errorOf(partners.set('one-more', publishing(URL_)));
    const error = await errorOf(recipients(entries(1_001)));
    expect(error).toMatchObject({ code: 'option_invalid', message: expect.stringContaining('= 1000') });
  });

  it('are all closed with the registry, which takes no partner from then on', async () => {
    const { partners, fetches } = await watched({
      acme: publishing(URL_),
      globex: publishing(`${URL_}?globex`),
      listed: { response: 'encrypt', keys: pems.first },
    });
    await inUse(partners, 'acme');
    const setting = errorOf(partners.set('late', { response: 'encrypt', keys: pems.first }));
    partners.close();
    partners.close();
    expect(await setting).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('closed'),
    });
    for (const id of ['acme', 'globex']) expect(await errorOf(inUse(partners, id))).toMatchObject(CLOSED);
    expect(await inUse(partners, 'listed')).toBe(first.publicJwk.n);
    await errorOf(partners.set('new', publishing(`${URL_}?new`)));
    expect([partners.get('late'), partners.get('new')]).toEqual([undefined, undefined]);
    partners.delete('acme');
    expect(fetches).toHaveLength(1);
  });
});

describe('changes that overlap', () => {
  it('end with the one that was asked for last, however long each takes', async () => {
    const partners = await recipients();
    const setting = partners.set('acme', { response: 'encrypt', keys: pems.first });
    const quick = partners.set('acme', { response: 'redact' });
    await quick;
    await setting;
    expect(partners.get('acme')).toEqual({ id: 'acme', response: 'redact' });
  });

  it('do not bring back a partner that was deleted meanwhile', async () => {
    const partners = await recipients({ acme: { response: 'redact' } });
    const setting = partners.set('acme', { response: 'encrypt', keys: pems.first });
    partners.delete('acme');
    await setting;
    expect(partners.get('acme')).toBeUndefined();
    await partners.set('acme', { response: 'redact' });
    expect(partners.get('acme')?.id).toBe('acme');
  });

  it('apply, although a later one is refused', async () => {
    const partners = await recipients();
    const setting = partners.set('acme', { response: 'encrypt', keys: pems.first });
    await errorOf(partners.set('acme', { response: 'encrypt', keys: 'MIIB…' }));
    await setting;
    expect(await inUse(partners, 'acme')).toBe(first.publicJwk.n);
  });
});

describe('an entry that is wrong', () => {
  const privatePem = first.pkcs8;
  const weak = RSA_1024.publicJwk;
  const WRONG: Record<string, [unknown, string]> = {
    null: [null, 'option_invalid'],
    'a bare key': [pems.first, 'option_invalid'],
    'no choice': [{ keys: pems.first }, 'option_invalid'],
    'another choice': [{ response: 'plain', keys: pems.first }, 'option_invalid'],
    'encryption without a key': [{ response: 'encrypt' }, 'option_invalid'],
    'a message without a key': [{ response: 'message' }, 'option_invalid'],
    'both keys and a URL': [
      { response: 'encrypt', keys: pems.first, jwks: 'https://example.com' },
      'option_invalid',
    ],
    'a URL that is none': [{ response: 'encrypt', jwks: 'globex' }, 'option_invalid'],
    'a URL without TLS': [{ response: 'encrypt', jwks: 'http://globex.example/jwks' }, 'option_invalid'],
    'a URL with a password': [{ response: 'encrypt', jwks: 'https://a:b@globex.example' }, 'option_invalid'],
    'null for a URL': [{ response: 'encrypt', jwks: null }, 'option_invalid'],
    'an object without a URL': [{ response: 'encrypt', jwks: {} }, 'option_invalid'],
    'a number for a URL': [{ response: 'encrypt', jwks: { url: 5 } }, 'option_invalid'],
    'headers that are none': [
      { response: 'encrypt', jwks: { url: 'https://globex.example', headers: 5 } },
      'option_invalid',
    ],
    'a header that HTTP does not allow': [
      {
        response: 'encrypt',
        jwks: { url: 'https://globex.example', headers: { a: `b\n${privatePem.trim()}` } },
      },
      'option_invalid',
    ],
    'null for keys': [{ response: 'encrypt', keys: null }, 'key_invalid'],
    'a number for a key': [{ response: 'encrypt', keys: 5 }, 'key_invalid'],
    'an empty list': [{ response: 'encrypt', keys: [] }, 'key_invalid'],
    'null in the list': [{ response: 'encrypt', keys: [pems.first, null] }, 'key_invalid'],
    'a text that is no key': [{ response: 'encrypt', keys: 'MIIB…' }, 'key_invalid'],
    'a private key': [{ response: 'encrypt', keys: privatePem }, 'key_invalid'],
    'a private JWK': [{ response: 'encrypt', keys: [{ key: first.privateJwk }] }, 'key_invalid'],
    'a weak key': [{ response: 'encrypt', keys: weak }, 'key_invalid'],
    'a signing key': [{ response: 'encrypt', keys: { ...first.publicJwk, use: 'sig' } }, 'key_invalid'],
    'one good and one bad key': [{ response: 'encrypt', keys: [pems.first, weak] }, 'key_invalid'],
    'a time that is none': [
      { response: 'encrypt', keys: [{ key: pems.first, from: 'soon' }] },
      'key_invalid',
    ],
    'a time that is not finite': [
      { response: 'encrypt', keys: [{ key: pems.first, until: Number.POSITIVE_INFINITY }] },
      'key_invalid',
    ],
    'a time in milliseconds': [
      { response: 'encrypt', keys: [{ key: pems.first, until: Date.parse('2027-01-01') }] },
      'key_invalid',
    ],
  };

  it.each(Object.entries(WRONG))('is refused, naming the partner: %s', async (_, [entry, code]) => {
    const entries = { initech: { response: 'redact' }, acme: entry } as Record<string, RecipientEntry>;
    const error = await errorOf(recipients(entries));
    expect(error).toMatchObject({ code, status: 500, message: expect.stringContaining('acme') });
    for (const secret of secretsOf(first)) expect(everythingOf(error)).not.toContain(secret);
  });

  it.each(Object.entries(WRONG))('changes nothing when it is set: %s', async (_, [entry]) => {
    const partners = await recipients({ acme: { response: 'encrypt', keys: pems.first } });
    const before = partners.get('acme');
    await errorOf(partners.set('acme', entry as RecipientEntry));
    expect(partners.get('acme')).toBe(before);
    await errorOf(partners.set('other', entry as RecipientEntry));
    expect(partners.get('other')).toBeUndefined();
  });
});

const BODY = { id: 'ps_1', payee: { name: 'canary-4711' }, mandate_id: 'canary-4711' };

function request(client?: string): ReturnType<typeof post> {
  return post('/v2/payment_sessions', undefined, client === undefined ? {} : { 'x-client': client });
}

const ownRing = await createKeyRing({ keys: await decryptionKeyOf(third) });

function serverFor(partners: Recipients, onEvent: (event: E2eeEvent) => void = () => {}): E2eeServer {
  const recipient: Parameters<typeof createE2eeServer>[0]['recipient'] = ({ headers }) =>
    partners.get(headers['x-client']);
  return createE2eeServer({ profile: banked, keyRing: ownRing, recipient, onEvent });
}

async function clientOf(owner: RsaPair): Promise<ReturnType<typeof createE2eeClient>> {
  return createE2eeClient({
    profile: banked,
    encryptionKeys: staticKeys(await encryptionKeyOf(owner)),
    keyRing: await createKeyRing({ keys: await decryptionKeyOf(owner) }),
    onEvent: () => {},
  });
}

describe('a response goes out', () => {
  const entries: Record<string, RecipientEntry> = {
    fields: { response: 'encrypt', keys: pems.first },
    whole: { response: 'message', keys: pems.first },
    masked: { response: 'redact' },
    'masked-with-key': { response: 'redact', keys: pems.first },
  };

  it('with its fields encrypted to the partner who asked, and to no other', async () => {
    const server = serverFor(await recipients(entries));
    const sent = await server.protectResponse(request('fields'), answer(BODY));
    expect(Object.keys(sent.body as object).sort()).toEqual([
      'encrypted_mandate_id',
      'encrypted_payee',
      'id',
    ]);
    expect(JSON.stringify(sent)).not.toContain('canary-4711');
    const opened = await (await clientOf(first)).decryptResponse(request('fields'), sent);
    expect(opened.body).toEqual(BODY);
    const other = await clientOf(second);
    expect(await errorOf(other.decryptResponse(request('fields'), sent))).toMatchObject({
      code: 'key_rejected',
    });
  });

  it('as one message to a partner who chose that', async () => {
    const server = serverFor(await recipients(entries));
    const sent = await server.protectResponse(request('whole'), answer(BODY));
    expect(sent.headers['content-type']).toBe('application/jose');
    expect(String(sent.body).split('.')).toHaveLength(5);
    const opened = await (await clientOf(first)).decryptResponse(request('whole'), sent);
    expect(opened.body).toEqual(BODY);
  });

  it.each<[string | undefined, readonly string[]]>([
    ['masked', ['redacted_without_key']], // `mandate_id` is to be encrypted, whatever the recipient chose
    [undefined, ['redacted_without_key']],
    ['nobody', ['redacted_without_key']],
    ['__proto__', ['redacted_without_key']],
  ])('redacted to %s', async (client, events) => {
    const seen: E2eeEvent[] = [];
    const server = serverFor(await recipients(entries), (event) => seen.push(event));
    const sent = await server.protectResponse(request(client), answer(BODY));
    expect(sent.body).toEqual({ id: 'ps_1', payee: { name: '[REDACTED]' }, mandate_id: '[REDACTED]' });
    expect(seen.map(({ type }) => type)).toEqual(events);
  });

  it('to one who chose redaction and has a key, with what must always be encrypted encrypted', async () => {
    const server = serverFor(await recipients(entries));
    const { body } = await server.protectResponse(request('masked-with-key'), answer(BODY));
    expect(memberOf(body, 'payee')).toEqual({ name: '[REDACTED]' });
    expect(String(memberOf(body, 'encrypted_mandate_id')).split('.')).toHaveLength(5);
  });

  it('as the registry is at that moment', async () => {
    const partners = await recipients(entries);
    const server = serverFor(partners);
    await partners.set('fields', { response: 'message', keys: pems.second });
    const sent = await server.protectResponse(request('fields'), answer(BODY));
    expect((await (await clientOf(second)).decryptResponse(request('fields'), sent)).body).toEqual(BODY);
    partners.delete('fields');
    const { body } = await server.protectResponse(request('fields'), answer(BODY));
    expect(memberOf(body, 'mandate_id')).toBe('[REDACTED]');
  });
});
