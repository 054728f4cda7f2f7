import { describe, expect, it } from 'vitest';
import { errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { answer, party, post, twoEnds } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import { leakGuard } from './leak-guard.js';

const SECRET = 'Zoë & "Söhne" 12345678';
const BODY = { payee: { name: SECRET, currency: 'GBP', amount: 1_234_567 }, reference: 'order 7' };
const PATH = '/v2/payment_sessions';
const WHOLE: PolicyDocument = {
  'POST /encrypt': { $: { request: 'encrypt', response: 'encrypt' } },
  'POST /redact': { $: { response: 'redact' } },
};
const guarded = { leakGuard };

describe('the leak guard of a client end', () => {
  it('lets a request through that keeps its secrets', async () => {
    const { client, server } = await twoEnds({ client: guarded });
    const sent = await client.encryptRequest(post(`${PATH}?page=1`, BODY, { 'x-currency': 'GBP' }));
    expect((await server.decryptRequest(sent)).body).toEqual(BODY);
  });

  it.each<[place: string, request: ReturnType<typeof post>]>([
    ['the body', post(PATH, { ...BODY, reference: `for ${SECRET}` })],
    ['the body', post(PATH, { ...BODY, note: { deep: [SECRET] } })],
    ['the body', post(PATH, { ...BODY, [SECRET]: 1 })],
    ['the body', post(PATH, { ...BODY, total: 1_234_567 })],
    ['the body', post(PATH, JSON.stringify({ ...BODY, reference: SECRET }))],
    ['the URL', post(`${PATH}?name=${encodeURIComponent(SECRET)}`, BODY)],
    ['the URL', post(`${PATH}?amount=1234567`, BODY)],
    ['the header `x-name`', post(PATH, BODY, { 'X-Name': SECRET })],
  ])('refuses one whose secret also stands in %s', async (place, request) => {
    const { client } = await twoEnds({ client: guarded });
    const error = await errorOf(client.encryptRequest(request));
    expect(error).toMatchObject({
      code: 'leak_refused',
      status: 500,
      path: 'payee',
      message: `The value of field \`payee\` also stands in the clear in ${place}`,
    });
    expect(everythingOf(error)).not.toMatch(/12345678|1234567/);
    const { client: unguarded } = await twoEnds({ leakGuard: false });
    await unguarded.encryptRequest(request);
  });

  it('does not look into credentials', async () => {
    const { client } = await twoEnds({ client: guarded });
    const body = { payee: { token: 'secret-token' } };
    await client.encryptRequest(
      post(PATH, body, { Authorization: 'Bearer secret-token', cookie: 'secret-token' }),
    );
  });

  it.each<[what: string, payee: unknown, rest: object, query?: string]>([
    ['a word that members and parameters are called', { a: 'account' }, { account: 1 }, 'account=1'],
    ['a word that is a part of longer ones', { a: 'account' }, { address: 'to some accountants' }],
    ['a word that names of members begin with', { a: 'account' }, { account_1: 1, 'account ': 1 }],
    ['what validation errors speak of', { a: 'string' }, { type: 'string' }],
    [
      'a short word of an enumeration',
      { a: ['iban', 'SEPA', 'true', 'JPY'] },
      { b: ['iban', 'SEPA', 'true', 'JPY'] },
    ],
    ['less than four characters', { a: [1, 100, '123', 'Zoë'] }, { b: [1, 100, '123', 'Zoë'] }, 'a=100'],
    [
      'a short value within another',
      { a: ['1234', 'Smith'] },
      { b: ['12345', '1234 5', 'Smithers'], c: 51_234 },
    ],
    ['a place in an array', { a: '1001' }, { list: Array.from({ length: 1_100 }, () => 0) }],
    ['a short number', { a: 1000 }, { total: 1000, code: '1000' }, 'page=1000'],
    ['a number within longer ones', { a: 123_456 }, { b: ['1712345678', 1_712_345_678] }, 't=1712345678'],
    ['a letter that only resembles', { a: 'Zoë Söhne' }, { b: 'Zoe Sohne' }],
  ])('lets through %s', async (_, payee, rest, query = '') => {
    const { client } = await twoEnds({ client: guarded });
    await client.encryptRequest(post(`${PATH}?${query}`, { payee, ...rest }));
  });

  it.each<[what: string, value: unknown, rest: object]>([
    [
      'a member is called, where no API would call one so',
      'john@example.com',
      { prefs: { 'john@example.com': true } },
    ],
    ['a member is called, in part', '12345678', { prefs: { 'account 12345678': true } }],
    ['another is also called', 'account', { account: 1, type: 'account' }],
    ['stands in a sentence', 123_456, { note: 'to 123456.' }],
    ['is short, and all of another', '1234', { pin: '1234' }],
    ['is short, and all of another, which is a number', '1234', { pin: 1234 }],
    ['is short, and all of a name', '1234', { pins: { 1234: true } }],
    ['is a short name', 'Smith', { shipping: { last_name: 'Smith' } }],
    ['Unicode writes in another way', 'Zoë Söhne', { note: 'for Zoë Söhne'.normalize('NFD') }],
    ['Unicode writes in another way there', 'Zoë Söhne'.normalize('NFD'), { note: 'for Zoë Söhne' }],
    ['is a URL', 'Zoë Söhne', { next: '/x?name=Zo%c3%ab+S%C3%B6hne' }],
    ['is JSON text', 'Zoë "Söhne"', { raw: '{"name":"Zo\\u00eb \\"Söhne\\""}' }],
    ['is HTML', 'Zoë & Söhne', { html: '<b>Zo&#xeb; &amp; S&#246;hne</b>' }],
  ])('refuses what %s', async (_, value, rest) => {
    const { client } = await twoEnds({ client: guarded });
    const error = await errorOf(client.encryptRequest(post(PATH, { payee: { value }, ...rest })));
    expect(error).toMatchObject({ code: 'leak_refused', message: expect.stringMatching(/ in the body$/) });
  });

  it.each<[value: unknown, written: string]>([
    ['John Doe', 'John+Doe'],
    ['John Doe', '%4aohn%20Doe'],
    ['Jürgen', 'J%c3%bcrgen'],
    ["O'Connor", 'O%27Connor'],
    ["O'Connor", "O'Connor"],
    ['John Doe', '100%+for+%FFJohn Doe%4'],
    [123_456, '%20123456'],
    ['1234', '12%334'],
    ['Smith', 'Smith'],
    ['AC/DC & Co', 'AC%2FDC+%26+Co'],
    ['AC/DC & Co', 'AC/DC & Co'],
  ])('refuses %j that is written %j in a URL or a header', async (value, written) => {
    const { client } = await twoEnds({ client: guarded });
    const body = { payee: { value } };
    for (const request of [
      post(`${PATH}?a=b&n=${written}&c=d#e`, body),
      post(PATH, body, { 'x-n': written }),
    ])
      expect(await errorOf(client.encryptRequest(request))).toMatchObject({ code: 'leak_refused' });
  });

  it('looks into the path, the names of parameters and the fragment', async () => {
    const { client } = await twoEnds({ client: guarded });
    for (const path of [
      `${PATH}/John+Doe/..`,
      `${PATH}?John%20Doe`,
      `${PATH}?John%20Doe=1`,
      `${PATH}#/John%20Doe/`,
    ])
      expect(await errorOf(client.encryptRequest(post(path, { payee: 'John Doe' })))).toMatchObject({
        code: 'leak_refused',
        message: expect.stringMatching(/ in the URL$/),
      });
  });

  it('looks at the head of a request whose whole body is encrypted', async () => {
    const { client } = await twoEnds({ client: guarded, policy: WHOLE });
    const body = { name: 'John Doe', pin: '1234' };
    await client.encryptRequest(post('/encrypt?page=1', body, { 'x-currency': 'GBP' }));
    for (const request of [
      post('/encrypt?n=John%20Doe', body),
      post('/encrypt?pin=1234', body),
      post('/encrypt', JSON.stringify(body), { 'x-n': 'John Doe' }),
      post('/encrypt#John%20Doe', body),
    ])
      expect(await errorOf(client.encryptRequest(request))).toMatchObject({
        code: 'leak_refused',
        status: 500,
        path: '$',
      });
  });
});

describe('the leak guard of an end', () => {
  it('lets a body that is protected as a whole say where it is', async () => {
    const policy = { 'PUT /orders/:id': { $: { request: 'encrypt', response: 'encrypt' } } } as const;
    const { client, server } = await twoEnds({ client: guarded, server: guarded, policy });
    const body = { kind: 'orders', id: 'ord_123456' };
    const put = { method: 'PUT', path: '/orders/ord_123456', headers: {}, body };
    const seen = await server.decryptRequest(await client.encryptRequest(put));
    const location = '/orders/ord_123456';
    await server.protectResponse(seen, answer(body, 201, { location, 'Content-Location': location }));
  });

  it('is told of to adapters, which then give it the whole URL', async () => {
    expect((await twoEnds({ client: guarded })).client.guardsLeaks).toBe(true);
    expect((await twoEnds({ leakGuard: false })).client.guardsLeaks).toBe(false);
  });

  it('does not look into what platforms write in headers', async () => {
    const { client } = await twoEnds({ client: guarded, policy: WHOLE });
    const body = { os: 'Windows', locale: 'en-GB', site: 'https://a.example', type: 'application/json' };
    await client.encryptRequest(
      post('/encrypt', body, {
        'User-Agent': 'Mozilla/5.0 (Windows NT 10.0)',
        'accept-language': 'en-GB',
        origin: 'https://a.example',
        accept: 'application/json',
        'content-type': 'application/json',
      }),
    );
  });

  it('refuses what would take too long to search, and says so', async () => {
    const { client } = await twoEnds({ client: guarded });
    const payee = Array.from({ length: 100 }, (_, i) => 'a'.repeat(6 + i));
    const sent = client.encryptRequest(post(PATH, { payee, note: 'a'.repeat(100_000) }));
    expect(await errorOf(sent)).toMatchObject({
      code: 'leak_refused',
      message: 'The message is too large to be searched for protected values',
    });
  });
});

describe('the leak guard of a server end', () => {
  it('lets a response through that keeps its secrets, encrypted, redacted or as a message', async () => {
    const { encryptionKey } = await party('partner');
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      const recipient = { id: 'partner', response, encryptionKeys: staticKeys(encryptionKey) };
      const { server } = await twoEnds({ server: guarded, recipient });
      const sent = await server.protectResponse(post(PATH), answer(BODY));
      expect(JSON.stringify(sent)).not.toContain('12345678');
    }
  });

  it('refuses one whose secret also stands elsewhere', async () => {
    const { server, serverEvents } = await twoEnds({ server: guarded });
    for (const response of [
      answer({ ...BODY, reference: SECRET }),
      answer({ ...BODY, reference: SECRET }, 422),
      answer(BODY, 201, { location: `/payees/${encodeURIComponent(SECRET)}` }),
    ]) {
      const error = await errorOf(server.protectResponse(post(PATH), response));
      expect(error).toMatchObject({ code: 'leak_refused', status: 500, path: 'payee' });
      expect(JSON.stringify(server.errorResponse(error))).not.toContain('12345678');
    }
    expect(serverEvents.filter(({ type }) => type === 'response_refused')).toHaveLength(3);
  });

  it('looks into the head of a message as well', async () => {
    const { encryptionKey } = await party('partner');
    const recipient = {
      id: 'partner',
      response: 'message',
      encryptionKeys: staticKeys(encryptionKey),
    } as const;
    const { server } = await twoEnds({ profile: banked, server: guarded, recipient });
    const sent = server.protectResponse(post(PATH), answer(BODY, 201, { 'x-payee': SECRET }));
    expect(await errorOf(sent)).toMatchObject({ code: 'leak_refused' });
  });

  it('looks at the head of a response whose whole body is encrypted or redacted', async () => {
    const { encryptionKey } = await party('partner');
    const body = { name: 'John Doe' };
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      const recipient = { id: 'partner', response, encryptionKeys: staticKeys(encryptionKey) };
      const { server } = await twoEnds({ policy: WHOLE, server: guarded, recipient });
      for (const path of ['/encrypt', '/redact']) {
        await server.protectResponse(post(path), answer(body, 201, { location: '/payees/1' }));
        const sent = server.protectResponse(post(path), answer(body, 201, { 'x-n': 'John Doe' }));
        expect(await errorOf(sent)).toMatchObject({ code: 'leak_refused', path: '$' });
        const masks = { name: banked.redaction };
        await server.protectResponse(post(path), answer(masks, 201, { 'x-n': banked.redaction }));
      }
    }
  });

  it('searches what is large as well, and refuses nothing for its size', async () => {
    const { server } = await twoEnds({
      policy: { 'POST /list': { payees: { response: 'redact' } } },
      server: guarded,
    });
    const payees = Array.from({ length: 3_000 }, (_, i) => `payee number ${i} of many`);
    await server.protectResponse(post('/list'), answer({ payees, note: 'payee number' }));
    const leaking = answer({ payees, note: 'to payee number 2999 of many' });
    const sent = server.protectResponse(post('/list'), leaking);
    expect(await errorOf(sent)).toMatchObject({ code: 'leak_refused' });
  });
});

it('is the one of this package, or none', async () => {
  for (const ends of [{ client: { leakGuard: 1 as never } }, { server: { leakGuard: 'yes' as never } }]) {
    expect(await errorOf(twoEnds(ends))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`leakGuard`'),
    });
  }
});
