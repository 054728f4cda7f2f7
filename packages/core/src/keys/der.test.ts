import { describe, expect, it } from 'vitest';
import { CERTIFICATE, errorOf, rsaPair } from '../../test/keys-fixtures.js';
import { derForm, pkcs8OfPkcs1, spkiOfCertificate, spkiOfPkcs1 } from './der.js';

const { publicKey, privateKey } = rsaPair();
const certificate = Buffer.from(CERTIFICATE.replace(/-----[^-]+-----|\s/g, ''), 'base64');
const spki = publicKey.export({ type: 'spki', format: 'der' });
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
const encryption = { cipher: 'aes-256-cbc', passphrase: 'x' };

const tlv = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const value = Buffer.concat(parts);
  return Buffer.concat([
    Buffer.of(tag, 0x83, value.length >> 16, (value.length >> 8) & 255, value.length & 255),
    value,
  ]);
};

describe('derForm', () => {
  it('tells how a key is packed', () => {
    expect(derForm(spki)).toBe('spki');
    expect(derForm(pkcs8)).toBe('pkcs8');
    expect(derForm(publicKey.export({ type: 'pkcs1', format: 'der' }))).toBe('pkcs1-public');
    expect(derForm(privateKey.export({ type: 'pkcs1', format: 'der' }))).toBe('pkcs1-private');
    expect(derForm(certificate)).toBe('certificate');
    expect(derForm(privateKey.export({ type: 'pkcs8', format: 'der', ...encryption }))).toBe(
      'pkcs8-encrypted',
    );
  });

  it('refuses everything else', async () => {
    const others = [
      ...[[], [0x30], [0x30, 0], [0x31, 0], [0x30, 2, 5, 0], [0x30, 3, 2, 1], [0x30, 0x80, 0, 0]],
      [0x30, 6, 2, 0x80, 0x30, 0, 4, 0], // a member of indefinite length
      [0x30, 11, 2, 0x85, 0, 0, 0, 0, 0, 0x30, 0, 4, 0], // a length of five bytes
    ];
    for (const bytes of others) {
      expect(await errorOf(() => derForm(Uint8Array.from(bytes)))).toMatchObject({ code: 'key_invalid' });
    }
  });
});

describe('the wrapping of PKCS#1', () => {
  it('makes exactly what node:crypto makes', () => {
    expect(Buffer.from(spkiOfPkcs1(publicKey.export({ type: 'pkcs1', format: 'der' })))).toEqual(spki);
    expect(Buffer.from(pkcs8OfPkcs1(privateKey.export({ type: 'pkcs1', format: 'der' })))).toEqual(pkcs8);
  });
});

describe('spkiOfCertificate', () => {
  const serial = tlv(2, Buffer.of(1));
  const empty = tlv(0x30);

  it('finds the key in a certificate of version 3 and of version 1', () => {
    expect(derForm(spkiOfCertificate(certificate))).toBe('spki');
    const version1 = tlv(
      0x30,
      tlv(0x30, serial, empty, empty, empty, empty, spki),
      empty,
      tlv(3, Buffer.of(0)),
    );
    expect(Buffer.from(spkiOfCertificate(version1))).toEqual(spki);
  });

  it('refuses a certificate that ends before its key, or holds something else there', async () => {
    const wraps = (...members: Uint8Array[]) => tlv(0x30, tlv(0x30, ...members), empty, tlv(3));
    const version = tlv(0xa0, tlv(2, Buffer.of(2)));
    const bad = [
      wraps(),
      wraps(serial, empty, empty, empty, empty),
      wraps(version, serial, empty, empty, empty, empty),
      wraps(serial, empty, empty, empty, empty, tlv(4, spki)),
      tlv(0x30),
      tlv(0x31, empty, empty),
    ];
    for (const der of bad) {
      expect(await errorOf(() => spkiOfCertificate(der))).toMatchObject({ code: 'key_invalid' });
    }
  });
});
