import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { textOf, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { importKey } from './import-key.js';

it('a KeyObject is refused', async () => {
  // What no type allows.
  const source = createPublicKey(RSA[0].spki) as unknown as string;
  expect(await errorOf(importKey(source))).toMatchObject({
    code: 'key_invalid',
    status: 500,
    message: expect.stringMatching(/not an RSA key/),
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('keys that the openssl command makes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'e2ee-openssl-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  };
  const read = (name: string): Buffer => readFileSync(join(directory, name));

  it('import, by the very commands of the provider’s page', async () => {
    openssl('genrsa', '-out', 'private.pem', '2048');
    openssl('rsa', '-in', 'private.pem', '-pubout', '-out', 'public.pem');
    openssl('rsa', '-in', 'private.pem', '-traditional', '-out', 'pkcs1.pem');
    openssl('rsa', '-in', 'private.pem', '-RSAPublicKey_out', '-out', 'pkcs1-public.pem');
    openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'private.pem', '-outform', 'DER', '-out', 'private.der');
    openssl('req', '-x509', '-key', 'private.pem', '-subj', '/CN=bank', '-days', '1', '-out', 'cert.pem');
    openssl('x509', '-in', 'cert.pem', '-text', '-out', 'cert-text.pem');
    const key = await importKey(read('private.pem'));
    for (const name of ['public.pem', 'pkcs1-public.pem', 'cert.pem', 'cert-text.pem']) {
      const bank = await importKey(read(name));
      expect(bank).toMatchObject({ kind: 'encryption', kid: key.kid });
      const token = await encryptJwe(utf8(name), bank);
      for (const form of ['private.pem', 'pkcs1.pem', 'private.der']) {
        const { plaintext } = await decryptJwe(token, await importKey(read(form)));
        expect(textOf(plaintext)).toBe(name);
      }
    }
    openssl('rsa', '-in', 'private.pem', '-aes256', '-passout', 'pass:secret', '-out', 'encrypted.pem');
    expect(await errorOf(importKey(read('encrypted.pem')))).toMatchObject({
      code: 'key_invalid',
      message: expect.stringMatching(/passphrase/),
    });
  });
});
