import { describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../test/bytes.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { createE2eeClient } from '../exchange/client.js';
import type { E2eeRequest } from '../exchange/message.js';
import { createE2eeServer } from '../exchange/server.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import { powens } from './powens.js';
import { checkProfile } from './profile.js';

const [pair] = RSA;
const keyRing = await createKeyRing({ keys: await decryptionKeyOf(pair, 'powens-1') });
const key = await importKey({ ...pair.publicJwk, kid: 'powens-1' });
const client = createE2eeClient({ profile: powens, encryptionKeys: staticKeys(key) });
const server = createE2eeServer({ profile: powens, keyRing });

const post = (path: string, body: unknown, method = 'POST'): E2eeRequest => ({
  method,
  path,
  headers: {},
  body,
});
const bodyOf = (request: E2eeRequest) => request.body as Record<string, unknown>;

describe('the powens profile', () => {
  it('is a profile, and its policy compiles', () => {
    expect(checkProfile(powens)).toBe(powens);
    expect(definePolicy(powens.policy)).toBeDefined();
  });

  it.each(['/users/me/connections', '/users/42/connections/7', '/user/me/connections'])(
    'encrypts every credential in its place, as text: POST %s',
    async (path) => {
      const body = { id_connector: 33, username: 'john', password: '  pä$$ 0070 ', website: 'par' };
      const sent = await client.encryptRequest(post(path, body));
      const { id_connector, ...tokens } = bodyOf(sent);
      expect(id_connector).toBe(33);
      expect(Object.keys(tokens)).toEqual(['username', 'password', 'website']);
      const { plaintext, header } = await decryptJwe(String(tokens.password), keyRing);
      expect(new TextDecoder().decode(plaintext)).toBe(body.password); // no quotes: text, not JSON
      expect(header).toMatchObject({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'powens-1' });
      expect((await server.decryptRequest(sent)).body).toEqual(body);
    },
  );

  it.each(['/users/me/transfers/5', '/payments/5'])(
    'encrypts the additional fields of POST %s',
    async (path) => {
      const body = { validated: true, fields: { otp: '012345', device: '' } };
      const sent = await client.encryptRequest(post(path, body));
      expect(JSON.stringify(sent.body)).not.toContain('012345');
      expect(bodyOf(sent).validated).toBe(true);
      expect((await server.decryptRequest(sent)).body).toEqual(body);
    },
  );

  it('lets no credential arrive in plain, whatever it is called', async () => {
    for (const name of ['password', 'login', 'code_du_client', '__proto__', 'constructor', 'fields']) {
      const body = JSON.parse(`{"id_connector": 33, ${JSON.stringify(name)}: "secret"}`);
      expect(await errorOf(server.decryptRequest(post('/users/me/connections', body)))).toMatchObject({
        code: 'plaintext_refused',
      });
    }
  });

  it('sends nothing that is no text: the user interface must say what it means', async () => {
    for (const value of [12345, true, null, { a: 'b' }, ['x']]) {
      const request = post('/users/me/connections', { id_connector: 33, password: value });
      expect(await errorOf(client.encryptRequest(request))).toMatchObject({ code: 'field_invalid' });
    }
  });

  it('accepts no token that does not name its key', async () => {
    const token = await encryptJwe(utf8('x'), key);
    const [, ...rest] = token.split('.');
    const bare = toBase64url(utf8('{"alg":"RSA-OAEP-256","enc":"A256GCM"}'));
    const request = post('/users/me/connections', { password: [bare, ...rest].join('.') });
    const { status, body } = server.errorResponse(await errorOf(server.decryptRequest(request)));
    expect([status, body]).toEqual([400, expect.objectContaining({ code: 'token_invalid' })]);
  });

  it('publishes one JWK at /publickey', async () => {
    const answer = await server.publishedKeys({ method: 'GET', path: '/publickey', headers: {} });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(answer?.body).toMatchObject({ kty: 'RSA', kid: 'powens-1', use: 'enc' });
  });

  it('answers an unknown key so that the client end knows it, and nothing else so', async () => {
    const stranger = await importKey({ ...pair.publicJwk, kid: 'gone' });
    const sent = await createE2eeClient({
      profile: powens,
      encryptionKeys: staticKeys(stranger),
    }).encryptRequest(post('/users/me/connections', { password: 'x' }));
    const answer = server.errorResponse(await errorOf(server.decryptRequest(sent)));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalidEncryptionKey' } });
    expect(
      await client.recoverFrom(sent, { status: 400, headers: {}, body: { code: 'token_invalid' } }),
    ).toBe(false);
    expect(await client.recoverFrom(sent, answer)).toBe(false); // `client` has no other key than this one
  });
});
