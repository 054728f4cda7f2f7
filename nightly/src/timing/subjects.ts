import { generateKeyPairSync, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import { banked, type ImportedKey, importKey, type KeyAlgorithm, type Profile } from '@e2ee/core';
import { agreementLock, type Curve, curvePair } from '../forge/agreement.js';
import { badlyPadded, rsaLock } from '../forge/rsa.js';
import type { Subject } from './classes.js';

const KID = 'bank';
const RSA_BYTES = 256;

/** A kind of key, with one of that kind. */
export interface TimedSubject extends Subject {
  readonly key: ImportedKey;
  readonly profile: Profile;
}

export async function timedSubjects(): Promise<readonly TimedSubject[]> {
  return Promise.all([rsaSubject(), curveSubject('P-256'), curveSubject('X25519')]);
}

async function rsaSubject(): Promise<TimedSubject> {
  const [ours, other] = [rsaPair(), rsaPair()].sort(byModulus) as [RsaPair, RsaPair]; // two of two
  const { publicKey, privateKey } = ours;
  return {
    name: 'RSA-OAEP-256, 2048 bits',
    ...(await held(privateKey, 'RSA-OAEP-256')),
    lock: rsaLock(publicKey, KID),
    stranger: rsaLock(other.publicKey, KID),
    cekLengths: [16, 0, 33],
    badKeys: {
      'random encrypted key below the modulus': () => randomBelow(publicKey),
      'OAEP: first byte is not 0': () => badlyPadded(publicKey, 'first byte'),
      'OAEP: first byte is 0, wrong label hash': () => badlyPadded(publicKey, 'label hash'),
      'OAEP: first byte is 0, label hash is right, no separator': () => badlyPadded(publicKey, 'separator'),
    },
    openlyBadKeys: {
      'encrypted key one byte short': () => randomBytes(RSA_BYTES - 1),
      'encrypted key not below the modulus': () => Buffer.alloc(RSA_BYTES, 0xff),
      'encrypted key 0': () => Buffer.alloc(RSA_BYTES),
    },
  };
}

async function curveSubject(curve: Curve): Promise<TimedSubject> {
  const { publicKey, privateKey } = curvePair(curve);
  return {
    name: `ECDH-ES+A256KW, ${curve}`,
    ...(await held(privateKey, 'ECDH-ES+A256KW')),
    lock: agreementLock(publicKey, curve, KID),
    stranger: agreementLock(curvePair(curve).publicKey, curve, KID),
    cekLengths: [16, 24, 40],
    badKeys: { 'random encrypted key': () => randomBytes(40) },
    openlyBadKeys: { 'encrypted key one byte short': () => randomBytes(39) },
  };
}

async function held(
  privateKey: KeyObject,
  alg: KeyAlgorithm,
): Promise<Pick<TimedSubject, 'key' | 'profile'>> {
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const profile = { ...banked, accept: { ...banked.accept, alg: [alg] } };
  return { key: await importKey(pem, { kid: KID, alg }), profile };
}

interface RsaPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function rsaPair(): RsaPair {
  return generateKeyPairSync('rsa', { modulusLength: RSA_BYTES * 8 });
}

/** The larger one first: what is encrypted to the other is below its modulus then, as the sender could see otherwise. */
function byModulus(one: RsaPair, other: RsaPair): number {
  const [a, b] = [one, other].map(({ publicKey }) =>
    Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url'),
  ) as [Buffer, Buffer];
  return Buffer.compare(b, a);
}

/** As an attacker would make it who tries his luck. */
function randomBelow(publicKey: KeyObject): Buffer {
  const number = randomBytes(RSA_BYTES);
  number[0] = Number(number[0]) & 0x7f;
  return publicEncrypt({ key: publicKey, padding: 3 }, number); // 3: no padding
}
