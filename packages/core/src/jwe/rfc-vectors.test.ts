import { describe, expect, it } from 'vitest';
import { fromBase64url, textOf, toBase64url, utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { importSharedSecret } from '../keys/shared-secret.js';
import { openCbc } from './aes-cbc-hmac.js';
import { decryptJwe } from './decrypt.js';
import { reagree } from './ecdh.js';

/* Examples that the RFCs publish, for what jwe-vectors.ts has none of. */

const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/[\da-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('RFC 7518', () => {
  const KERCKHOFFS = {
    cek: Uint8Array.from({ length: 64 }, (_, i) => i),
    plaintext:
      'A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience',
    iv: hex('1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04'),
    aad: Uint8Array.from(utf8('The second principle of Auguste Kerckhoffs')),
    ciphertext: hex(`
      4a ff aa ad b7 8c 31 c5 da 4b 1b 59 0d 10 ff bd 3d d8 d5 d3 02 42 35 26 91 2d a0 37 ec bc c7 bd
      82 2c 30 1d d6 7c 37 3b cc b5 84 ad 3e 92 79 c2 e6 d1 2a 13 74 b7 7f 07 75 53 df 82 94 10 44 6b
      36 eb d9 70 66 29 6a e6 42 7e a7 5c 2e 08 46 a1 1a 09 cc f5 37 0d c8 0b fe cb ad 28 c7 3f 09 b3
      a3 b7 5e 66 2a 25 94 41 0a e4 96 b2 e2 e6 60 9e 31 e6 e0 2c c8 37 f0 53 d2 1f 37 ff 4f 51 95 0b
      be 26 38 d0 9d d7 a4 93 09 30 80 6d 07 03 b1 f6`),
    tag: hex(
      '4d d3 b4 c0 88 a7 f4 5c 21 68 39 64 5b 20 12 bf 2e 62 69 a8 c5 6a 81 6d bc 1b 26 77 61 95 5b c5',
    ),
  };

  it('appendix B.3: A256CBC-HS512', async () => {
    expect(textOf(await openCbc(KERCKHOFFS.cek, KERCKHOFFS))).toBe(KERCKHOFFS.plaintext);
  });

  it('appendix B.3 with one bit changed anywhere', async () => {
    for (const part of ['iv', 'aad', 'ciphertext', 'tag'] as const) {
      const bytes = KERCKHOFFS[part];
      for (const at of [0, bytes.length - 1]) {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
        const opened = openCbc(KERCKHOFFS.cek, { ...KERCKHOFFS, [part]: changed });
        expect(await errorOf(opened), part).toMatchObject({ code: 'token_invalid' });
      }
    }
  });

  it('appendix C: the key that ECDH-ES agrees on', async () => {
    const bob = {
      kty: 'EC',
      crv: 'P-256',
      x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
      y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck',
      d: 'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw',
    };
    const header = {
      alg: 'ECDH-ES',
      enc: 'A128GCM',
      apu: 'QWxpY2U',
      apv: 'Qm9i',
      epk: {
        kty: 'EC',
        crv: 'P-256',
        x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
        y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
      },
    } as const;
    const params = { name: 'ECDH', namedCurve: 'P-256' };
    const key = await crypto.subtle.importKey('jwk', bob, params, false, ['deriveBits']);
    const agreed = await reagree(key, new Uint8Array(), header, { alg: 'ECDH-ES', enc: 'A128GCM', size: 16 });
    expect(toBase64url(agreed)).toBe('VqqN6vgjbSBcIijNcacQGg');
  });
});

it('RFC 7520 §5.6: dir with A128GCM', async () => {
  const { decryptionKey } = await importSharedSecret(fromBase64url('XctOhJAkA-pD9Lh7ZgW_2A'), {
    kid: '77c7e2b8-6e13-45cf-8672-617b5b45243a',
    alg: 'dir',
  });
  const token = [
    'eyJhbGciOiJkaXIiLCJraWQiOiI3N2M3ZTJiOC02ZTEzLTQ1Y2YtODY3Mi02MTdiNWI0NTI0M2EiLCJlbmMiOiJBMTI4R0NNIn0',
    '',
    'refa467QzzKx6QAB',
    'JW_i_f52hww_ELQPGaYyeAB6HYGcR559l9TYnSovc23XJoBcW29rHP8yZOZG7YhLpT1bjFuvZPjQS-m0IFtVcXkZXdH_lr_FrdYt9HRUYkshtrMmIUAyGmUnd9zMDB2n0cRDIHAzFVeJUDxkUwVAE7_YGRPdcqMyiBoCO-FBdE-Nceb4h3-FtBP-c_BIwCPTjb9o0SbdcdREEMJMyZBH8ySWMVi1gPD9yxi-aQpGbSv_F9N4IZAxscj5g-NJsUPbjk29-s7LJAGb15wEBtXphVCgyy53CoIKLHHeJHXex45Uz9aKZSRSInZI-wjsY0yu3cT4_aQ3i1o-tiE-F8Ios61EKgyIQ4CWao8PFMj8TTnp',
    'vbb32Xvllea2OtmHAdccRQ',
  ].join('.');
  const { plaintext } = await decryptJwe(token, decryptionKey, { algs: ['dir'], encs: ['A128GCM'] });
  expect(textOf(plaintext)).toMatch(/^You can trust us to stick with you through thick and thin/);
});
