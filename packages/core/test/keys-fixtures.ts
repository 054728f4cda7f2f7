import { importKey } from '../src/keys/import-key.js';
import { asDecryptionKey, asEncryptionKey, type DecryptionKey, type EncryptionKey } from '../src/keys/key.js';
import { fromBase64url, toBase64url, toHex } from './bytes.js';
import { inspected } from './runtime.js';
import type { RsaPair, StoredPair } from './stored-keys.js';

export async function encryptionKeyOf({ publicJwk }: RsaPair, kid?: string): Promise<EncryptionKey> {
  return asEncryptionKey(await importKey(kid === undefined ? publicJwk : { ...publicJwk, kid }));
}

export async function decryptionKeyOf({ privateJwk }: RsaPair, kid?: string): Promise<DecryptionKey> {
  return asDecryptionKey(await importKey(kid === undefined ? privateJwk : { ...privateJwk, kid }));
}

/** A modulus of a given size that nobody knows the factors of. It imports, it only decrypts nowhere. */
export function modulus(bits: number): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xa5);
  bytes[0] = 2 ** ((bits - 1) % 8);
  return toBase64url(bytes);
}

/** The error that a promise rejects with, or that a function throws. Fails when there is none. */
export async function errorOf(work: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    return error;
  }
  throw new Error('This should have failed');
}

/** Everything a log could show of a value: inspected to the bottom, as JSON, as text, with its stack and its cause. */
export function everythingOf(value: unknown): string {
  const stack = value instanceof Error ? `${value.stack}${everythingOf(value.cause)}` : '';
  return `${inspected(value)}\n${JSON.stringify(value)}\n${String(value)}\n${stack}`;
}

/** Recognisable parts of a private key, in each spelling in which they could leak. */
export function secretsOf({ pkcs8, privateJwk }: Pick<StoredPair, 'pkcs8' | 'privateJwk'>): string[] {
  const { d, p, q, dp, dq, qi } = privateJwk;
  const members = [d, p, q, dp, dq, qi].map(String);
  const hex = members.map((member) => toHex(fromBase64url(member)));
  const spaced = hex.map((text) => text.slice(0, 40).replace(/(..)(?=.)/g, '$1 '));
  return [...members, ...hex, ...spaced, ...pkcs8.split('\n').slice(5, 10), 'PRIVATE KEY'];
}

/** A self-signed X.509 v3 certificate (RSA 2048, e = 65537). Its private key was thrown away. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIDLTCCAhWgAwIBAgIUJw12XCrIbh7ih9JktuLj45Fryt8wDQYJKoZIhvcNAQEL
BQAwJjESMBAGA1UEAwwJZTJlZSB0ZXN0MRAwDgYDVQQKDAdFeGFtcGxlMB4XDTI2
MTEyMjAyNTcwNFoXDTM2MTExOTAyNTcwNFowJjESMBAGA1UEAwwJZTJlZSB0ZXN0
MRAwDgYDVQQKDAdFeGFtcGxlMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC
AQEAvvG8IT+5Jf/LKfj4crrP67IOZBEE5Yrk6T0YiLFErEyTcDAVT2vJVi5DHuv3
KDOgUsyHOn111Y3Zf+nASCWpEve0wOMxOz4ebAIYuuyd1o3OB2cFYFKutAGFlWEw
h3lYJMpMDJRn4v1fTpXE7aWoRSOcWpsYFtoIQW8DdnRDxruDM8l7Wg3zflzsmgio
zZuPkrOXfG26vK2uaBFH0DU52KoJ+gqdhSl70/WyilA9GngONcTYXOlu0fj7Jilw
feRLaMeXouVdaUOVynAp88hAuO4QBcKSrLqHu80WhutLXxLkSqrq2pJNJIXZjIBd
Xq9MaaZ0gwEe0WYBtLlom9FkWQIDAQABo1MwUTAdBgNVHQ4EFgQULrabMP66Zawq
8E1pWhFHMq1VMjwwHwYDVR0jBBgwFoAULrabMP66Zawq8E1pWhFHMq1VMjwwDwYD
VR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAnTkFhzl4gfF+09ZyTwIr
d3nqxuIXLwqPVU+4ey/X05hgNah8IFA8ELArYUyZy6vYqKRwG2+mPoTIO4XMOU43
fJA3YD9xIcwJ/DfSKmK2eWp4UuJn1JEMh6FBNpUS5jKq+kps/s1BwfZFLPe7i6vq
0bBi3NNYQAsST8XS3HiROnYItggbS0OcRfEFHxXOUcDHGO2UAcEuI1tHMWMszust
3X/g0tZMninKwzNddNLGO0/difEfUUHe7UPoU4NRgmBETEG+hBV6cRTPGelzLsh8
Ko6riPATMBuaPwIB2I+NmHP9RUfgVZ1L8MpfpjIraCwWnVfsWBXE/Nth+hfJHLtF
nw==
-----END CERTIFICATE-----
`;

/** The modulus of its public key, whose exponent is 65537. */
export const CERTIFIED_MODULUS =
  'vvG8IT-5Jf_LKfj4crrP67IOZBEE5Yrk6T0YiLFErEyTcDAVT2vJVi5DHuv3KDOgUsyHOn111Y3Zf-nASCWpEve0wOMxOz4ebAIYuuyd1o3OB2cFYFKutAGFlWEwh3lYJMpMDJRn4v1fTpXE7aWoRSOcWpsYFtoIQW8DdnRDxruDM8l7Wg3zflzsmgiozZuPkrOXfG26vK2uaBFH0DU52KoJ-gqdhSl70_WyilA9GngONcTYXOlu0fj7JilwfeRLaMeXouVdaUOVynAp88hAuO4QBcKSrLqHu80WhutLXxLkSqrq2pJNJIXZjIBdXq9MaaZ0gwEe0WYBtLlom9FkWQ';
