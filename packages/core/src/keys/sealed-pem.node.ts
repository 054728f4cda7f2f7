import { createPrivateKey } from 'node:crypto';
import { E2eeError } from '../errors.js';

const ENCRYPTED = 'BEGIN ENCRYPTED PRIVATE KEY';

/** OpenSSL encrypts with a longer one, but does not decrypt. */
export const MAX_PASSPHRASE_BYTES = 1024;

export function isPassphrase(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_PASSPHRASE_BYTES;
}

/** A PKCS#8 private key in PEM, encrypted with a passphrase (PBES2, RFC 8018 §6.2). */
export function sealPem(pem: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(pem).export(options).toString();
}

/** The private key in plain PEM, whether it was encrypted or not. Throws `key_invalid`, naming `place`. */
export function openPem(pem: string, passphrase: string | undefined, place: string): string {
  if (!pem.includes(ENCRYPTED)) return pem;
  if (passphrase === undefined) {
    throw new E2eeError('key_invalid', `${place} is encrypted; open it with the \`passphrase\` option`);
  }
  try {
    return createPrivateKey({ key: pem, passphrase }).export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    throw new E2eeError(
      'key_invalid',
      `${place} cannot be decrypted: the passphrase is wrong, or the file damaged`,
    );
  }
}
