import { describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { createE2eeClient } from '../exchange/client.js';
import { createE2eeServer } from '../exchange/server.js';
import { powens } from '../profiles/powens.js';
import type { Profile } from '../profiles/profile.js';
import { staticKeys } from './encryption-keys.js';
import { createKeyRing } from './key-ring.js';
import { memoryKeyStore } from './key-store.js';
import { checkSecret, importSharedSecret, type SharedSecretAlgorithm } from './shared-secret.js';

/** Random, once and for all. */
const BYTES = Uint8Array.from({ length: 64 }, (_, i) => (i * 167 + 91) % 256);
const K = toBase64url(BYTES.subarray(0, 32));

/** A text in a buffer that it does not fill. */
function padded(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(utf8(text));
  return bytes;
}

describe('importSharedSecret', () => {
  it.each<[SharedSecretAlgorithm, number]>([
    ['A256KW', 32],
    ['A256GCMKW', 32],
    ['dir', 16],
    ['dir', 32],
    ['dir', 64],
  ])('takes a secret for %s of %i bytes, as bytes and as a JWK', async (alg, size) => {
    const bytes = BYTES.subarray(0, size);
    for (const source of [bytes, { kty: 'oct', k: toBase64url(bytes) }]) {
      const secret = await importSharedSecret(source, { kid: 'acme', alg });
      expect(secret.encryptionKey).toMatchObject({ kind: 'encryption', kid: 'acme', alg });
      expect(secret.decryptionKey).toMatchObject({ kind: 'decryption', kid: 'acme', alg });
    }
  });

  it('takes a JWK that says what it is for', async () => {
    const jwk = { kty: 'oct', k: K, use: 'enc', alg: 'A256KW', kid: 'ignored' };
    const { decryptionKey } = await importSharedSecret(jwk, { kid: 'acme', alg: 'A256KW' });
    expect(decryptionKey.kid).toBe('acme');
  });

  it('takes random bytes, whatever they look like at first', async () => {
    // Beginning as a DER sequence of just that length does, ending in zeros, counting as those of RFC 3394 do.
    const der = Uint8Array.from([0x30, 0x1e, ...BYTES.subarray(0, 30)]);
    const zeros = Uint8Array.from([...BYTES.subarray(0, 30), 0, 0]);
    for (const bytes of [der, zeros, Uint8Array.from({ length: 32 }, (_, i) => i)])
      await expect(importSharedSecret(bytes, { kid: 'acme', alg: 'A256KW' })).resolves.toBeDefined();
  });

  it('is not taken for monotonous because it is long', () => {
    const long = Uint8Array.from({ length: 4_096 }, (_, i) => (i * i * 151 + (i >> 8) * 67 + 13) % 251);
    expect(checkSecret(long)).toBe(long);
  });

  it('shows nothing of the secret', async () => {
    for (const alg of ['A256KW', 'A256GCMKW', 'dir'] as const) {
      const secret = await importSharedSecret(BYTES.subarray(0, 32), { kid: 'acme', alg });
      const shown =
        everythingOf(secret) + everythingOf(secret.encryptionKey) + everythingOf(secret.decryptionKey);
      expect(shown).not.toContain(K);
      expect(JSON.stringify(secret)).not.toMatch(/"k"|"d"/);
    }
  });

  it.each<[what: string, source: unknown, message: RegExp]>([
    ['31 bytes', BYTES.subarray(0, 31), /32 bytes, not 31/],
    ['33 bytes', BYTES.subarray(0, 33), /32 bytes, not 33/],
    ['no bytes', new Uint8Array(), /not 0/],
    ['a passphrase of the right length', utf8('correct horse battery staple 123'), /passphrase/],
    ['hexadecimal text of the right length', utf8('0123456789abcdef0123456789abcdef'), /passphrase/],
    ['a passphrase and the end of its line', utf8('correct horse battery staple 12\n'), /not random/],
    ['a passphrase with umlauts', utf8('pässwörter sind kein geheimnis'), /not random/],
    [
      'a passphrase in UTF-16',
      Uint8Array.from(Array.from('password12345678').flatMap((c) => [c.charCodeAt(0), 0])),
      /not random/,
    ],
    [
      'a passphrase in Latin-1',
      Uint8Array.from('pässwörter sind für die Katz, äh?', (c) => c.charCodeAt(0)).subarray(0, 32),
      /not random/,
    ],
    ['a passphrase in a buffer of its own', padded('hunter2!x', 32), /not random/],
    ['a passphrase at the end of a buffer', padded('hunter2!x', 32).toReversed(), /not random/],
    [
      'eight bytes again and again',
      Uint8Array.from({ length: 32 }, (_, i) => Number(BYTES[i % 8])),
      /not random/,
    ],
    ['sixteen bytes twice', Uint8Array.from({ length: 32 }, (_, i) => Number(BYTES[i % 16])), /not random/],
    ['zeros', new Uint8Array(32), /not random/],
    ['a JWK for signatures', { kty: 'oct', k: K, use: 'sig' }, /`use` or `alg` is not that of A256KW/],
    ['a JWK for another algorithm', { kty: 'oct', k: K, alg: 'dir' }, /`use` or `alg`/],
    ['a text', K, /bytes, or as a JWK/],
    ['a JWK of another type', { kty: 'RSA', k: K }, /type `oct`/],
    ['a JWK without `k`', { kty: 'oct' }, /type `oct`/],
    ['a JWK in base64', { kty: 'oct', k: `${K}=` }, /base64url/],
    ['nothing', undefined, /bytes, or as a JWK/],
    ['null', null, /bytes, or as a JWK/],
  ])('refuses %s', async (_what, source, message) => {
    const error = await errorOf(importSharedSecret(source as Uint8Array, { kid: 'acme', alg: 'A256KW' }));
    expect(error).toMatchObject({ code: 'key_invalid', message: expect.stringMatching(message) });
    expect(everythingOf(error)).not.toContain(K);
  });

  it.each([
    ['kid', { kid: '', alg: 'A256KW' }],
    ['kid', { alg: 'A256KW' }],
    ['alg', { kid: 'acme', alg: 'RSA-OAEP-256' }],
    ['alg', { kid: 'acme', alg: 'toString' }],
    ['kid', undefined],
  ])('names the option %s that is wrong', async (option, options) => {
    const error = await errorOf(importSharedSecret(BYTES.subarray(0, 32), options as never));
    expect(error).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(`\`${option}\``),
    });
  });
});

describe('a shared secret at both ends', async () => {
  const { encryptionKey, decryptionKey } = await importSharedSecret(BYTES.subarray(0, 32), {
    kid: 'acme',
    alg: 'A256GCMKW',
  });
  const profile: Profile = {
    ...powens,
    encrypt: { alg: 'A256GCMKW', enc: 'A128GCM' },
    accept: { alg: ['A256GCMKW'], enc: ['A128GCM'] },
  };
  const request = {
    method: 'POST',
    path: '/users/me/connections',
    headers: {},
    body: { password: ' 0070 ' },
  };

  it('carries a request there', async () => {
    const keyRing = await createKeyRing({ keys: decryptionKey, profile });
    const client = createE2eeClient({ profile, encryptionKeys: staticKeys(encryptionKey) });
    const server = createE2eeServer({ profile, keyRing });
    const sent = await client.encryptRequest(request);
    expect(JSON.stringify(sent)).not.toContain('0070');
    expect((await server.decryptRequest(sent)).body).toEqual(request.body);
  });

  it('is never published, alone or beside a key pair', async () => {
    const alone = await createKeyRing({ keys: decryptionKey });
    expect(alone.jwks()).toEqual({ keys: [] });
    const server = createE2eeServer({ profile, keyRing: alone });
    const asked = server.publishedKeys({ method: 'GET', path: profile.publication.path, headers: {} });
    expect(await errorOf(asked)).toMatchObject({ code: 'keys_unavailable' });
    const pair = (await createKeyRing()).decryptionKeys();
    const both = await createKeyRing({ keys: [decryptionKey, ...pair] });
    expect(both.jwks().keys.map(({ kty }) => kty)).toEqual(['RSA']);
    expect(both.find('acme')).toBe(decryptionKey);
  });

  it('is not what a ring misses whose profile is for SHA-1 and does not say so', async () => {
    const encrypt = { alg: 'RSA-OAEP', enc: 'A256GCM' } as const;
    expect(await errorOf(createKeyRing({ profile: { ...profile, encrypt } }))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('`alg`'),
    });
  });

  it('has to be given to a ring of its profile, which cannot make one', async () => {
    for (const options of [{}, { keys: decryptionKey, store: memoryKeyStore() }]) {
      expect(await errorOf(createKeyRing({ profile, ...options }))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('`keys` must be the shared secret for `A256GCMKW`'),
      });
    }
  });
});
