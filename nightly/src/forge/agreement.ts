import { createCipheriv, createHash, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Lock } from './lock.js';

export type Curve = 'P-256' | 'X25519';

const KEK_BYTES = 32;
/** RFC 3394 §2.2.3.1. */
const KEY_WRAP_IV = Buffer.alloc(8, 0xa6);

export function curvePair(curve: Curve): { publicKey: KeyObject; privateKey: KeyObject } {
  return curve === 'P-256' ? generateKeyPairSync('ec', { namedCurve: curve }) : generateKeyPairSync('x25519');
}

/** ECDH-ES+A256KW (RFC 7518 §4.6). AES key wrap takes CEKs of 16 bytes and more, in steps of 8. */
export function agreementLock(publicKey: KeyObject, curve: Curve, kid: string): Lock {
  const alg = 'ECDH-ES+A256KW';
  return {
    header: { alg, kid },
    wrap: (cek) => {
      const ephemeral = curvePair(curve);
      const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
      const cipher = createCipheriv('id-aes256-wrap', concatKdf(secret, alg), KEY_WRAP_IV);
      const encryptedKey = Buffer.concat([cipher.update(cek), cipher.final()]);
      return { encryptedKey, header: { epk: ephemeral.publicKey.export({ format: 'jwk' }) } };
    },
  };
}

/** One round of the Concat KDF, without party info (RFC 7518 §4.6.2). */
function concatKdf(secret: Buffer, alg: string): Buffer {
  const nothing = uint32(0);
  const info = [uint32(alg.length), Buffer.from(alg), nothing, nothing, uint32(KEK_BYTES * 8)];
  return createHash('sha256')
    .update(Buffer.concat([uint32(1), secret, ...info]))
    .digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
