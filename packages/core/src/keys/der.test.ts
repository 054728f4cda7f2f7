import { describe, expect, it } from 'vitest';
import { concat, derOf } from '../../test/bytes.js';
import { CERTIFICATE, errorOf } from '../../test/keys-fixtures.js';
import { ENCRYPTED, RSA } from '../../test/stored-keys.js';
import { derForm, pkcs8OfPkcs1, spkiOfCertificate, spkiOfPkcs1 } from './der.js';

const [pair] = RSA;
const certificate = derOf(CERTIFICATE);
const [spki, pkcs8] = [derOf(pair.spki), derOf(pair.pkcs8)];
const [publicPkcs1, privatePkcs1] = [derOf(pair.publicPkcs1), derOf(pair.privatePkcs1)];

const tlv = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const value = concat(...parts);
  const { length } = value;
  return concat(Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 255, length & 255), value);
};

describe('derForm', () => {
  it('tells how a key is packed', () => {
    expect(derForm(spki)).toBe('spki');
    expect(derForm(pkcs8)).toBe('pkcs8');
    expect(derForm(publicPkcs1)).toBe('pkcs1-public');
    expect(derForm(privatePkcs1)).toBe('pkcs1-private');
    expect(derForm(certificate)).toBe('certificate');
    expect(derForm(derOf(ENCRYPTED.pkcs8))).toBe('pkcs8-encrypted');
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
    expect(spkiOfPkcs1(publicPkcs1)).toEqual(spki);
    expect(pkcs8OfPkcs1(privatePkcs1)).toEqual(pkcs8);
  });
});

describe('spkiOfCertificate', () => {
  const serial = tlv(2, Uint8Array.of(1));
  const empty = tlv(0x30);

  it('finds the key in a certificate of version 3 and of version 1', () => {
    expect(derForm(spkiOfCertificate(certificate))).toBe('spki');
    const version1 = tlv(
      0x30,
      tlv(0x30, serial, empty, empty, empty, empty, spki),
      empty,
      tlv(3, Uint8Array.of(0)),
    );
    expect(Uint8Array.from(spkiOfCertificate(version1))).toEqual(spki);
  });

  it('refuses a certificate that ends before its key, or holds something else there', async () => {
    const wraps = (...members: Uint8Array[]) => tlv(0x30, tlv(0x30, ...members), empty, tlv(3));
    const version = tlv(0xa0, tlv(2, Uint8Array.of(2)));
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
