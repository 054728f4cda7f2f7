import { constants, createHash, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import type { Lock } from './lock.js';

const HASH_BYTES = 32;

/** RSAES-OAEP with SHA-256. */
export function rsaLock(key: KeyObject, kid: string): Lock {
  return {
    header: { alg: 'RSA-OAEP-256', kid },
    wrap: (cek) => ({ encryptedKey: publicEncrypt({ key, oaepHash: 'sha256' }, cek), header: {} }),
  };
}

/** What of an OAEP encoding is wrong (RFC 8017 §7.1.2, step 3 g). A Manger oracle would tell these apart. */
export type OaepFlaw = 'first byte' | 'label hash' | 'separator';

/** An encrypted key below the modulus whose decryption is badly padded in just that way. */
export function badlyPadded(key: KeyObject, flaw: OaepFlaw): Buffer {
  const size = Number(key.asymmetricKeyDetails?.modulusLength) / 8;
  const labelHash = flaw === 'label hash' ? randomBytes(HASH_BYTES) : sha256(Buffer.alloc(0));
  const padding = Buffer.alloc(size - 2 * HASH_BYTES - 1); // with no 1 after it where the separator is missing
  if (flaw !== 'separator') padding[padding.length - 33] = 1;
  const block = Buffer.concat([labelHash, padding]);
  const seed = randomBytes(HASH_BYTES);
  const maskedBlock = xor(block, mask(seed, block.length));
  const maskedSeed = xor(seed, mask(maskedBlock, HASH_BYTES));
  // Below the modulus: its first byte is 128 or more.
  const first = flaw === 'first byte' ? 1 + (Number(randomBytes(1)[0]) >> 2) : 0;
  const message = Buffer.concat([Buffer.of(first), maskedSeed, maskedBlock]);
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, message);
}

/** MGF1 with SHA-256 (RFC 8017 §B.2.1). */
function mask(seed: Buffer, length: number): Buffer {
  const rounds = Array.from({ length: Math.ceil(length / HASH_BYTES) }, (_, i) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(i);
    return sha256(Buffer.concat([seed, counter]));
  });
  return Buffer.concat(rounds).subarray(0, length);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ Number(other[i])));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
