import { afterEach, describe, expect, it, vi } from 'vitest';
import { decryptionKeyOf, encryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { createE2eeClient } from '../exchange/client.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import { remoteJwks } from '../keys/remote-jwks.js';
import { powens } from '../profiles/powens.js';
import { decryptJwe } from './decrypt.js';
import { encryptJwe } from './encrypt.js';

/* What a browser offers to a page that came by plain http: from another machine: random numbers, and no `subtle`. */

const UNAVAILABLE = {
  code: 'crypto_unavailable',
  status: 500,
  message: expect.stringContaining('https: or localhost'),
};

const BODY = { id_connector: 59, password: 'canary-0070' };

describe('without WebCrypto', async () => {
  const key = await encryptionKeyOf(RSA[0]);
  const own = await decryptionKeyOf(RSA[0]);
  const token = await encryptJwe(new Uint8Array(4), key);
  const insecure = (): void => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  };
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each<[what: string, use: () => Promise<unknown>]>([
    ['encrypting', () => encryptJwe(new Uint8Array(4), key)],
    ['decrypting', () => decryptJwe(token, own)],
    ['importing a key', () => importKey(RSA[0].publicJwk)],
  ])('%s says so', async (_what, use) => {
    insecure();
    expect(await errorOf(use)).toMatchObject(UNAVAILABLE);
  });

  it.each([
    ['known', () => staticKeys(key)],
    ['fetched', () => remoteJwks('https://bank.example/publickey', { fetch: neverCalled })],
  ])('a client end whose keys are %s says so, and encrypts nothing', async (_what, encryptionKeys) => {
    insecure();
    const client = createE2eeClient({ profile: powens, encryptionKeys: encryptionKeys() });
    const request = { method: 'POST', path: '/users/me/connections', headers: {}, body: BODY };
    const error = await errorOf(client.encryptRequest(request));
    expect(error).toMatchObject(UNAVAILABLE);
    expect(JSON.stringify(error)).not.toContain(BODY.password);
  });

  it('a client end passes what its policy leaves alone', async () => {
    insecure();
    const client = createE2eeClient({ profile: powens, encryptionKeys: staticKeys(key) });
    const request = { method: 'GET', path: '/connectors', headers: {} };
    expect(await client.encryptRequest(request)).toBe(request);
  });

  it('a key set that was fetched is not called bad', async () => {
    insecure();
    const errors: unknown[] = [];
    const fetch = async (): Promise<Response> => Response.json({ keys: [RSA[0].publicJwk] });
    const keys = remoteJwks('https://bank.example/publickey', {
      fetch,
      onEvent: ({ error }) => errors.push(error),
    });
    expect(await errorOf(keys.current())).toMatchObject({ code: 'keys_unavailable', cause: UNAVAILABLE });
    expect(errors).toMatchObject([UNAVAILABLE]);
  });
});

function neverCalled(): Promise<Response> {
  throw new Error('Nothing may be fetched');
}
