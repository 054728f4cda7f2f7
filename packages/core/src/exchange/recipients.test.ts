import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  CERTIFICATE,
  decryptionKeyOf,
  encryptionKeyOf,
  errorOf,
  everythingOf,
  type RsaPair,
  rsaPair,
  secretsOf,
} from '../../test/keys-fixtures.js';
import { answer, memberOf, post } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { createE2eeClient } from './client.js';
import type { E2eeEvent } from './events.js';
import { type PublicKeySource, type RecipientEntry, type Recipients, recipients } from './recipients.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const [first, second] = [rsaPair(), rsaPair()];
const pems = {
  first: first.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  second: second.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
};

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
    ['PKCS#1 in PEM', first.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), first.publicJwk.n],
    ['SPKI in PEM', pems.first, first.publicJwk.n],
    ['a certificate', CERTIFICATE, new X509Certificate(CERTIFICATE).publicKey.export({ format: 'jwk' }).n],
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
    const url = await serve((_, res) => {
      fetches += 1;
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
    });
    const partners = await recipients({ globex: { response: 'encrypt', jwks: url } });
    expect(fetches).toBe(0);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect(fetches).toBe(1);
    keys = [second.publicJwk];
    await partners.get('globex')?.encryptionKeys?.refresh();
    expect(await inUse(partners, 'globex')).toBe(second.publicJwk.n);
  });

  it('is fetched from with the options of the registry', async () => {
    const seen: unknown[] = [];
    const url = await serve((req, res) => {
      seen.push(req.headers.authorization);
      res.end(JSON.stringify(first.publicJwk)); // the form of a single JWK
    });
    const options = { headers: { authorization: 'Bearer of-our-own' } };
    const partners = await recipients({ globex: { response: 'encrypt', jwks: url } }, options);
    expect(await inUse(partners, 'globex')).toBe(first.publicJwk.n);
    expect(seen).toEqual(['Bearer of-our-own']);
  });

  it('is sent nothing, with a 503, while the URL is out of reach', async () => {
    const url = await serve((_, res) => void res.writeHead(500).end());
    const partners = await recipients({ globex: { response: 'encrypt', jwks: url } });
    const server = serverFor(partners);
    const error = await errorOf(server.protectResponse(request('globex'), answer(BODY)));
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
    expect(everythingOf(error)).not.toContain('canary-4711');
    expect(server.errorResponse(error).headers['retry-after']).toBeDefined();
  });
});

describe('an entry that is wrong', () => {
  const privatePem = first.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const weak = rsaPair(1024).publicJwk;
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

const ownRing = await createKeyRing({ keys: await decryptionKeyOf(rsaPair()) });

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

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`; // a TCP server has no other address
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
