import { describe, expect, it } from 'vitest';
import { errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { answer, party, post, twoEnds } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { banked } from '../profiles/banked.js';
import { leakGuard } from './leak-guard.js';

const SECRET = 'Zoë & "Söhne" 12345678';
const BODY = { payee: { name: SECRET, currency: 'GBP', amount: 1_234_567 }, reference: 'order 7' };
const PATH = '/v2/payment_sessions';
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

  it('does not look into credentials, at short values, or at the names of members', async () => {
    const { client } = await twoEnds({ client: guarded });
    const body = { payee: { name: 'reference', iban: 'AB 12', token: 'secret-token' }, reference: 'AB 12' };
    await client.encryptRequest(
      post(PATH, body, { Authorization: 'Bearer secret-token', cookie: 'secret-token' }),
    );
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
});

it('is the one of this package, or none', async () => {
  for (const ends of [{ client: { leakGuard: 1 as never } }, { server: { leakGuard: 'yes' as never } }]) {
    expect(await errorOf(twoEnds(ends))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`leakGuard`'),
    });
  }
});
