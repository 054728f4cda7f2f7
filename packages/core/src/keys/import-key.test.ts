import fc from 'fast-check';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { derOf, textOf, utf8 } from '../../test/bytes.js';
import {
  CERTIFICATE,
  CERTIFIED_MODULUS,
  errorOf,
  everythingOf,
  modulus,
  secretsOf,
} from '../../test/keys-fixtures.js';
import { runs } from '../../test/runs.js';
import { bufferOf } from '../../test/runtime.js';
import { ENCRYPTED, P384, RSA, RSA_1024, RSA_EXPONENT_3 } from '../../test/stored-keys.js';
import { E2eeError } from '../errors.js';
import type { KeyAlgorithm } from '../jwe/algorithms.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { importKey } from './import-key.js';
import { asDecryptionKey, type ImportedKey } from './key.js';

type Source = Parameters<typeof importKey>[0];

const [pair] = RSA;
const { publicJwk, privateJwk } = pair;
const own = await importKey(privateJwk);
const theirs = await importKey(publicJwk);

/** Proves by use that an imported key is the pair's own. */
async function expectWorks(key: ImportedKey): Promise<void> {
  const isPublic = key.kind === 'encryption';
  const token = await encryptJwe(utf8('works'), isPublic ? key : theirs);
  const { plaintext } = await decryptJwe(token, isPublic ? own : key);
  expect(textOf(plaintext)).toBe('works');
}

async function expectInvalid(source: unknown, message: RegExp = /./): Promise<void> {
  const error = await errorOf(importKey(source as Source)); // also what no type allows
  expect(error).toBeInstanceOf(E2eeError);
  expect(error).toMatchObject({ code: 'key_invalid', status: 500, message: expect.stringMatching(message) });
  expect(error).not.toHaveProperty('cause');
}

const PUBLIC_FORMS: readonly (readonly [name: string, pem: string])[] = [
  ['SPKI', pair.spki],
  ['PKCS#1 public', pair.publicPkcs1],
];
const PRIVATE_FORMS: readonly (readonly [name: string, pem: string])[] = [
  ['PKCS#8', pair.pkcs8],
  ['PKCS#1 private', pair.privatePkcs1],
];
const FORMS = [...PUBLIC_FORMS, ...PRIVATE_FORMS];

describe('importKey of PEM and DER', () => {
  describe.each(FORMS)('%s', (name, text) => {
    const kind = PUBLIC_FORMS.some(([form]) => form === name) ? 'encryption' : 'decryption';

    it.each<[what: string, source: Source]>([
      ['PEM text', text],
      ['PEM bytes in a Buffer', bufferOf(utf8(text))],
      ['PEM bytes in a Uint8Array', new TextEncoder().encode(text)],
      ['DER bytes in a Buffer', bufferOf(derOf(text))],
      ['DER bytes in a Uint8Array', derOf(text)],
      ['a view into a larger buffer', Uint8Array.of(7, 7, ...derOf(text), 7, 7).subarray(2, -2)],
      ['CRLF lines', text.replaceAll('\n', '\r\n')],
      ['no newline at the end', text.trim()],
      ['one long line', text.replace(/(?<=[\w+/=])\n(?=[\w+/=])/g, '')],
      ['indented lines', text.replace(/^/gm, '    ')],
      ['a byte order mark', `\ufeff${text}`],
      ['text before and after', `0 Bag Attributes\n    friendlyName: bank\n\n${text}\ntrailing words\n`],
      ['the same as bytes', utf8(`0 Bag Attributes\n    friendlyName: bank\n\n${text}\ntrailing`)],
    ])('imports from %s', async (_what, source) => {
      const key = await importKey(source);
      expect(key.kind).toBe(kind);
      expect(key.kid).toBe(own.kid);
      await expectWorks(key);
    });

    it('is refused as key_invalid wherever it is cut off', async () => {
      const whole = derOf(text);
      for (let length = 0; length < whole.length; length += 1) {
        await expectInvalid(whole.subarray(0, length));
      }
      for (let length = 0; length < text.trim().length; length += 37) {
        await expectInvalid(text.slice(0, length));
      }
    });

    it('is never misread when a byte of its structure is changed', async () => {
      const whole = derOf(text);
      // The tags and lengths are at the front; the numbers behind them can be anything.
      for (let at = 0; at < 40; at += 1) {
        for (const value of [0x00, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff]) {
          if (whole[at] === value) continue;
          const result = await importKey(Uint8Array.from(whole).with(at, value)).catch((error) => error);
          if (result instanceof Error) expect(result).toMatchObject({ code: 'key_invalid' });
          else expect(result.kind).toBe(kind);
        }
      }
    });
  });

  it('imports a certificate from PEM and DER as the public key inside it', async () => {
    const expected: JWK = { kty: 'RSA', n: CERTIFIED_MODULUS, e: 'AQAB' };
    const sources = [CERTIFICATE, utf8(CERTIFICATE), derOf(CERTIFICATE), `Subject: CN = x\r\n${CERTIFICATE}`];
    for (const source of sources) {
      const key = await importKey(source);
      expect(key.kind).toBe('encryption');
      expect(key.kid).toBe(await calculateJwkThumbprint(expected));
    }
  });

  it('refuses a certificate wherever it is cut off', async () => {
    const whole = derOf(CERTIFICATE);
    for (let length = 0; length < whole.length; length += 1) await expectInvalid(whole.subarray(0, length));
  });

  it('takes the first of several blocks', async () => {
    expect((await importKey(pair.pkcs8 + CERTIFICATE)).kind).toBe('decryption');
    expect((await importKey(CERTIFICATE + pair.pkcs8)).kind).toBe('encryption');
  });

  it.each<[what: string, source: Source]>([
    ['PKCS#8 in PEM', ENCRYPTED.pkcs8],
    ['PKCS#8 in DER', derOf(ENCRYPTED.pkcs8)],
    ['PKCS#1 in PEM', ENCRYPTED.pkcs1],
  ])('says what to do about an encrypted %s', async (_what, source) => {
    await expectInvalid(source, /encrypted with a passphrase; decrypt it first/);
  });

  it.each<[what: string, source: unknown, message: RegExp]>([
    ['an EC public key', P384.spki, /not an RSA key/],
    ['an EC private key', P384.pkcs8, /not an RSA key/],
    ['an EC private key in SEC1', P384.sec1, /not valid DER of a kind/],
    ['a public exponent of 3', RSA_EXPONENT_3.spki, /exponent is not 65537/],
    ['a private key with the exponent 3', RSA_EXPONENT_3.privatePkcs1, /exponent is not 65537/],
    ['1024 bits', RSA_1024.spki, /has 1024 bits/],
    ['1024 bits in PKCS#1', RSA_1024.publicPkcs1, /has 1024 bits/],
    ['1024 bits, private', RSA_1024.pkcs8, /has 1024 bits/],
    ['the empty text', '', /no BEGIN and END lines/],
    ['no bytes', new Uint8Array(), /no BEGIN and END lines/],
    ['text without lines', 'MIIB', /no BEGIN and END lines/],
    ['BEGIN without END', '-----BEGIN PUBLIC KEY-----\nMIIB', /no BEGIN and END lines/],
    ['labels that differ', '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PRIVATE KEY-----', /no BEGIN and END/],
    ['bad base64', '-----BEGIN PUBLIC KEY-----\nMI*B\n-----END PUBLIC KEY-----', /valid base64/],
    ['an empty block', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----', /not valid DER/],
    ['an OpenSSH key', 'ssh-rsa AAAAB3NzaC1yc2E user@host', /no BEGIN and END lines/],
    ['undefined', undefined, /PEM text, DER bytes or a JWK/],
    ['null', null, /PEM text, DER bytes or a JWK/],
    ['a number', 5, /PEM text, DER bytes or a JWK/],
    ['an array', [publicJwk], /PEM text, DER bytes or a JWK/],
    ['a certificate request', derOf(CERTIFICATE).subarray(4), /not valid DER/],
  ])('refuses %s', async (_what, source, message) => {
    await expectInvalid(source, message);
  });

  it('refuses a DER length of which the bytes are missing or too many, whatever it claims', async () => {
    for (const bytes of [
      [0x30],
      [0x30, 0x80],
      [0x30, 0x81],
      [0x30, 0x84, 255, 255, 255, 255],
      [0x30, 0x85, 0, 0, 0, 0, 0],
    ]) {
      await expectInvalid(Uint8Array.from([...bytes, 0xa0]));
    }
  });
});

describe('importKey of a JWK', () => {
  it.each<[what: string, source: Source]>([
    ['an object', publicJwk],
    ['JSON text', JSON.stringify(publicJwk)],
    ['indented JSON text', `\n  ${JSON.stringify(publicJwk, null, 2)}\r\n`],
    ['JSON text with a byte order mark', `\ufeff${JSON.stringify(publicJwk)}`],
    ['JSON bytes', bufferOf(utf8(JSON.stringify(publicJwk)))],
    ['an object of no prototype', Object.assign(Object.create(null), publicJwk)],
    [
      'use, alg and key_ops that agree',
      { ...publicJwk, use: 'enc', alg: 'RSA-OAEP-256', key_ops: ['encrypt'] },
    ],
    ['key_ops with wrapKey among others', { ...publicJwk, key_ops: ['verify', 'wrapKey'] }],
    ['members that nobody knows', { ...publicJwk, x5t: 'a', 'x5t#S256': 'b', bank: { name: 1 } }],
  ])('imports a public key from %s', async (_what, source) => {
    const key = await importKey(source);
    expect(key.kind).toBe('encryption');
    await expectWorks(key);
  });

  it('imports a private key from an object and from text', async () => {
    for (const source of [
      privateJwk,
      JSON.stringify(privateJwk),
      { ...privateJwk, key_ops: ['unwrapKey'] },
    ]) {
      const key = await importKey(source);
      expect(key.kind).toBe('decryption');
      await expectWorks(key);
    }
  });

  it('leaves the JWK as it was', async () => {
    const frozen = Object.freeze({ ...privateJwk, key_ops: Object.freeze(['decrypt']) as string[] });
    const before = structuredClone(frozen);
    await importKey(frozen);
    expect(frozen).toEqual(before);
  });

  it('reads issue and expiry times', async () => {
    expect(await importKey({ ...publicJwk, iat: 5, exp: 9 } as JWK)).toMatchObject({
      issuedAt: 5,
      expiresAt: 9,
    });
    expect(await importKey(publicJwk)).not.toHaveProperty('expiresAt');
  });

  const size = (bits: number): JWK => ({ kty: 'RSA', n: modulus(bits), e: 'AQAB' });

  it.each([2048, 2049, 4096, 8192])('accepts %i bits', async (bits) => {
    expect((await importKey(size(bits))).kind).toBe('encryption');
  });

  it.each<[what: string, jwk: unknown, message: RegExp]>([
    ['2047 bits', size(2047), /has 2047 bits/],
    ['1024 bits', size(1024), /has 1024 bits/],
    ['2040 bits that zeros fill up', { ...size(2040), n: `AAAA${size(2040).n}` }, /has 2040 bits/],
    ['no bits', { ...publicJwk, n: 'AAAA' }, /has 0 bits/],
    ['8193 bits', size(8193), /has 8193 bits/],
    ['a million bits', size(1_000_000), /has 1000000 bits/],
    ['a modulus that is not base64url', { ...publicJwk, n: '***' }, /not base64url/],
    ['a modulus in base64', { ...publicJwk, n: `+/${publicJwk.n}` }, /not base64url/],
    // RFC 7518 §2: Base64urlUInt has no padding.
    ['a modulus with padding', { ...publicJwk, n: `${publicJwk.n}==` }, /not base64url/],
    ['no modulus', { kty: 'RSA', e: 'AQAB' }, /modulus or exponent is missing/],
    ['a modulus that is a number', { ...publicJwk, n: 5 }, /modulus or exponent is missing/],
    ['no exponent', { kty: 'RSA', n: publicJwk.n }, /modulus or exponent is missing/],
    ['the exponent 3', { ...publicJwk, e: 'Aw' }, /exponent is not 65537/],
    ['the exponent 1', { ...publicJwk, e: 'AQ' }, /exponent is not 65537/],
    ['the exponent 65537 spelt otherwise', { ...publicJwk, e: 'AAEAAQ' }, /exponent is not 65537/],
    ['the exponent 65537 as a number', { ...publicJwk, e: 65537 }, /modulus or exponent is missing/],
    ['use sig', { ...publicJwk, use: 'sig' }, /`use` is not "enc"/],
    ['use that is not a text', { ...publicJwk, use: ['enc'] }, /`use` is not "enc"/],
    ['another alg', { ...publicJwk, alg: 'RSA-OAEP' }, /`alg` is not supported/],
    ['a signature alg', { ...publicJwk, alg: 'RS256' }, /`alg` is not supported/],
    ['alg in other letters', { ...publicJwk, alg: 'rsa-oaep-256' }, /`alg` is not supported/],
    ['alg __proto__', { ...publicJwk, alg: '__proto__' }, /`alg` is not supported/],
    ['alg null', { ...publicJwk, alg: null }, /`alg`/],
    ['alg in an array', { ...publicJwk, alg: ['RSA-OAEP-256'] }, /`alg` is not supported/],
    ['alg that cannot be a text', { ...publicJwk, alg: { toString: null } }, /`alg` is not supported/],
    ['key_ops for signatures', { ...publicJwk, key_ops: ['verify'] }, /`key_ops`/],
    ['key_ops of a private key', { ...publicJwk, key_ops: ['decrypt', 'unwrapKey'] }, /`key_ops`/],
    ['key_ops of a public key on a private one', { ...privateJwk, key_ops: ['encrypt'] }, /`key_ops`/],
    ['no key_ops', { ...publicJwk, key_ops: [] }, /`key_ops`/],
    ['key_ops that are null', { ...publicJwk, key_ops: null }, /`key_ops`/],
    ['key_ops that are a text', { ...publicJwk, key_ops: 'encrypt' }, /`key_ops`/],
    ['key_ops that are an object', { ...publicJwk, key_ops: { some: 1 } }, /`key_ops`/],
    ['x5u', { ...publicJwk, x5u: 'https://example.com/cert' }, /`x5u`/],
    ['oth', { ...privateJwk, oth: [] }, /more than two primes/],
    ['oth on a public key', { ...publicJwk, oth: [] }, /more than two primes/],
    ['an EC key', P384.publicJwk, /not an RSA key/],
    ['a private EC key', P384.privateJwk, /not an RSA key/],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }, /importSharedSecret/],
    ['kty in other letters', { ...publicJwk, kty: 'rsa' }, /not an RSA key/],
    ['an empty object', {}, /not an RSA key/],
    ['a key set', { keys: [publicJwk] }, /not an RSA key/],
    ['a private key without its primes', { ...publicJwk, d: privateJwk.d }, /numbers do not make up/],
    ['an empty kid', { ...publicJwk, kid: '' }, /`kid`/],
    ['a kid that is a number', { ...publicJwk, kid: 5 }, /`kid`/],
    ['a kid that is an object', { ...publicJwk, kid: {} }, /`kid`/],
    ['JSON text that is cut off', JSON.stringify(publicJwk).slice(0, -1), /not valid JSON/],
  ])('refuses %s', async (_what, jwk, message) => {
    await expectInvalid(jwk, message);
    if (typeof jwk === 'object') await expectInvalid(JSON.stringify(jwk), message);
  });
});

describe('the options of importKey', () => {
  it('kid goes before the own kid of a JWK, and that before the thumbprint', async () => {
    expect((await importKey({ ...publicJwk, kid: 'a' }, { kid: 'b' })).kid).toBe('b');
    expect((await importKey({ ...publicJwk, kid: 'a' })).kid).toBe('a');
    expect((await importKey(publicJwk)).kid).toBe(await calculateJwkThumbprint(publicJwk));
    expect((await importKey(pair.pkcs8, { kid: 'c' })).kid).toBe('c');
    expect((await importKey(privateJwk)).kid).toBe(await calculateJwkThumbprint(publicJwk));
  });

  it('an empty kid is refused', async () => {
    expect(await errorOf(importKey(publicJwk, { kid: '' }))).toMatchObject({ code: 'key_invalid' });
  });

  it('alg must agree with the key and be known', async () => {
    expect((await importKey(publicJwk, { alg: 'RSA-OAEP-256' })).alg).toBe('RSA-OAEP-256');
    for (const alg of ['RSA-OAEP', 'RSA1_5', 'dir', '__proto__', 'toString', '']) {
      const options = { alg: alg as KeyAlgorithm };
      expect(await errorOf(importKey(publicJwk, options))).toMatchObject({ code: 'key_invalid' });
    }
    const asked = importKey({ ...publicJwk, alg: 'RSA-OAEP' }, { alg: 'RSA-OAEP-256' });
    expect(await errorOf(asked)).toMatchObject({ message: expect.stringContaining('asked for') });
  });
});

describe('importKey is total', () => {
  it('for any bytes: a key, or key_invalid', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.uint8Array({ maxLength: 400 }).map((rest) => Uint8Array.of(0x30, rest.length & 0x7f, ...rest)),
      fc.tuple(fc.constantFrom(...FORMS), fc.nat(), fc.nat(255)).map(([[, text], at, value]) => {
        const whole = Uint8Array.from(derOf(text));
        return whole.with(at % 60, value);
      }),
    );
    await expectTotal(bytes);
  });

  it('for any text: a key, or key_invalid', async () => {
    const block = fc
      .tuple(
        fc.constantFrom('PUBLIC KEY', 'PRIVATE KEY', 'RSA PRIVATE KEY', 'CERTIFICATE'),
        fc.base64String(),
      )
      .map(([label, body]) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`);
    const text = fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes));
    await expectTotal(fc.oneof(text, block, fc.json()));
  });

  it('for any JSON value in the place of any member: a key, or key_invalid', async () => {
    const members = [
      'kty',
      'n',
      'e',
      'd',
      'p',
      'q',
      'dp',
      'dq',
      'qi',
      'oth',
      'alg',
      'use',
      'key_ops',
      'kid',
      'x5u',
    ];
    const jwk = fc
      .tuple(fc.constantFrom(publicJwk, privateJwk), fc.constantFrom(...members), fc.jsonValue())
      .map(([base, member, value]) => ({ ...base, [member]: value }));
    await expectTotal(fc.oneof(jwk, fc.object()));
  });

  async function expectTotal(sources: fc.Arbitrary<unknown>): Promise<void> {
    await fc.assert(
      fc.asyncProperty(sources, async (source) => {
        const result = await importKey(source as Source).catch((error: unknown) => error);
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(E2eeError);
          expect(result).toMatchObject({ code: 'key_invalid' });
        } else expect(result).toMatchObject({ kid: expect.any(String), alg: 'RSA-OAEP-256' });
      }),
      runs(150, 7517),
    );
  }
});

describe('an imported private key', () => {
  it('shows nothing secret to a log, to JSON, or to a walk over its members', async () => {
    for (const [, text] of PRIVATE_FORMS) {
      const key = asDecryptionKey(await importKey(text));
      const shown = everythingOf(key) + everythingOf({ ...key }) + everythingOf(key.publicJwk);
      for (const secret of secretsOf(pair)) expect(shown).not.toContain(secret);
      expect(Object.keys(key.publicJwk).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(shown).toContain(String(publicJwk.n)); // the walk does reach the members
    }
  });

  it('is frozen, also its public half', async () => {
    expect(Object.isFrozen(own)).toBe(true);
    expect(Object.isFrozen(asDecryptionKey(own).publicJwk)).toBe(true);
    expect(Object.isFrozen(theirs)).toBe(true);
  });

  it('does not appear in the errors about it', async () => {
    const text = pair.privatePkcs1;
    const broken = [
      text.replace('-----END', '----END'),
      text.replace('\n', '\n*'),
      derOf(text).subarray(0, -1),
      JSON.stringify(privateJwk).slice(0, -2),
      { ...privateJwk, alg: 'RS256' },
      { ...privateJwk, use: 'sig' },
      { ...privateJwk, qi: undefined },
      { ...privateJwk, kid: 7 },
    ];
    for (const source of broken) {
      const shown = everythingOf(await errorOf(importKey(source as Source)));
      for (const secret of secretsOf(pair))
        expect(shown.replace(/RSA PRIVATE KEY/g, '')).not.toContain(secret);
    }
  });
});
