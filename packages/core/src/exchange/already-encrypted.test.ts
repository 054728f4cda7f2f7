import { describe, expect, it } from 'vitest';
import { fromBase64url, toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { party, post, twoEnds } from '../../test/two-ends.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { banked } from '../profiles/banked.js';
import { powens } from '../profiles/powens.js';

/* What may stay as it is because it is encrypted already, and what only looks so. */

const PATH = '/users/me/connections';
const SECRET = 'hunter2-my-secret';
const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank' };
const encoded = (text: string): string => toBase64url(utf8(text));

/** A secret in the outward form of a token: well-formed but for what a case changes. */
async function disguised(change: {
  header?: string;
  parts?: (parts: string[]) => string[];
}): Promise<string> {
  const { encryptionKey } = await party('bank');
  const parts = (await encryptJwe(utf8('x'), encryptionKey)).split('.');
  const made = [
    change.header === undefined ? parts[0] : encoded(change.header),
    ...parts.slice(1),
  ] as string[];
  return (change.parts?.(made) ?? made).join('.');
}

describe('a value that only looks like a token', () => {
  it.each<[what: string, change: Parameters<typeof disguised>[0]]>([
    ['with `zip`', { header: JSON.stringify({ ...HEADER, zip: 'DEF' }) }],
    ['with `crit`', { header: JSON.stringify({ ...HEADER, crit: ['x'], x: 1 }) }],
    ['with `jku`', { header: JSON.stringify({ ...HEADER, jku: 'https://a.example' }) }],
    ['with a member twice', { header: '{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}' }],
    ['with a `kid` that is a number', { header: JSON.stringify({ ...HEADER, kid: 5 }) }],
    ['for an algorithm that is not accepted', { header: JSON.stringify({ ...HEADER, alg: 'dir' }) }],
    ['with a very long header', { header: JSON.stringify({ ...HEADER, x: 'y'.repeat(200_000) }) }],
    [
      'with a header that is not UTF-8',
      { parts: ([, ...more]) => [toBase64url(Uint8Array.of(0x7b, 0xff, 0x7d)), ...more] },
    ],
    ['with a length that no bytes have', { parts: ([head = '']) => [head, 'U', SECRET, 'U', 'U'] }],
    [
      'with another spelling of its last bits',
      { parts: (parts) => parts.with(4, `${parts[4]?.slice(0, -1)}_`) },
    ],
    ['with an IV of another length', { parts: (parts) => parts.with(2, encoded(SECRET)) }],
    ['with a tag of another length', { parts: (parts) => parts.with(4, encoded(SECRET)) }],
    ['without an encrypted key', { parts: (parts) => parts.with(1, '') }],
  ])('is encrypted as every other: %s', async (_what, change) => {
    const { client, server } = await twoEnds({
      profile: powens,
      client: { limits: { tokenLength: 1_000_000 } },
      server: { limits: { tokenLength: 1_000_000 } },
    });
    const password = await disguised(change);
    const sent = await client.encryptRequest(post(PATH, { password }));
    expect(Object(sent.body).password).not.toBe(password);
    expect((await server.decryptRequest(sent)).body).toEqual({ password });
  });
});

describe('a genuine token', async () => {
  const { encryptionKey } = await party('bank');
  const token = await encryptJwe(utf8(SECRET), encryptionKey);

  it('is left as it is', async () => {
    const { client, server } = await twoEnds({ profile: powens });
    const sent = await client.encryptRequest(post(PATH, { login: 'a', password: token }));
    expect(Object(sent.body).password).toBe(token);
    expect((await server.decryptRequest(sent)).body).toEqual({ login: 'a', password: SECRET });
  });

  it('is a value like any other where whoever chooses values is not trusted', async () => {
    const { client, server } = await twoEnds({ profile: powens, client: { alreadyEncrypted: 'encrypt' } });
    const sent = await client.encryptRequest(post(PATH, { login: token, password: 'b' }));
    expect(JSON.stringify(sent)).not.toContain(token);
    expect((await server.decryptRequest(sent)).body).toEqual({ login: token, password: 'b' });
  });

  it('is not taken under the name of an encrypted field there', async () => {
    const { client } = await twoEnds({ profile: banked, client: { alreadyEncrypted: 'encrypt' } });
    const request = post('/v2/payment_sessions', { encrypted_payee: token });
    expect(await errorOf(client.encryptRequest(request))).toMatchObject({
      code: 'field_invalid',
      path: 'payee',
    });
  });

  it('is no whole message there', async () => {
    const policy = { 'POST /messages': { $: { request: 'encrypt' } } } as const;
    const { client, server } = await twoEnds({ policy, client: { alreadyEncrypted: 'encrypt' } });
    const request = post('/messages', JSON.stringify(token));
    const sent = await client.encryptRequest(request);
    expect(sent.body).not.toBe(token);
    expect((await server.decryptRequest(sent)).body).toBe(token);
  });
});

it('the option is one of two', async () => {
  const made = twoEnds({ client: { alreadyEncrypted: 'yes' as never } });
  expect(await errorOf(made)).toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining('`alreadyEncrypted`'),
  });
});

it('what a key has to unwrap is a memory of its own, of which nothing else is part', async () => {
  const { encryptionKey, decryptionKey } = await party('bank');
  const token = await encryptJwe(utf8('x'), encryptionKey);
  const { decryptJwe } = await import('../jwe/decrypt.js');
  let sizes: number[] = [];
  const key = {
    ...decryptionKey,
    unwrap: (encryptedKey: Uint8Array<ArrayBuffer>, header: never) => {
      sizes = [encryptedKey.byteLength, encryptedKey.buffer.byteLength];
      return decryptionKey.unwrap(encryptedKey, header);
    },
  };
  await decryptJwe(token, key);
  expect(sizes).toEqual([256, 256]);
  expect(fromBase64url(token.split('.')[1] ?? '')).toHaveLength(256);
});
