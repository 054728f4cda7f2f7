import { E2eeError } from '../errors.js';

/** How a key is packed in DER. */
export type DerForm = 'spki' | 'pkcs8' | 'pkcs8-encrypted' | 'pkcs1-public' | 'pkcs1-private' | 'certificate';

/** One tag-length-value of DER (X.690): the tag, the bytes of the value, the bytes of the whole. */
interface Element {
  readonly tag: number;
  readonly value: Uint8Array;
  readonly whole: Uint8Array;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
const CONTEXT_0 = 0xa0;

/** AlgorithmIdentifier { rsaEncryption, NULL } (RFC 8017 appendix A.1). */
const RSA_ALGORITHM = Uint8Array.of(
  0x30,
  0x0d,
  0x06,
  0x09,
  0x2a,
  0x86,
  0x48,
  0x86,
  0xf7,
  0x0d,
  0x01,
  0x01,
  0x01,
  0x05,
  0x00,
);
const VERSION_0 = Uint8Array.of(INTEGER, 1, 0);

/** The kinds of the first three members tell the forms apart. `undefined` matches anything, also absence. */
const SHAPES: readonly (readonly [form: DerForm, ...tags: (number | undefined)[]])[] = [
  ['pkcs8', INTEGER, SEQUENCE, OCTET_STRING],
  ['pkcs8-encrypted', SEQUENCE, OCTET_STRING, undefined],
  ['pkcs1-private', INTEGER, INTEGER, INTEGER],
  ['pkcs1-public', INTEGER, INTEGER, undefined],
  ['certificate', SEQUENCE, SEQUENCE, BIT_STRING],
  ['spki', SEQUENCE, BIT_STRING, undefined],
];

/** Tells how a key in DER is packed. Throws `key_invalid` when it is none of these. */
export function derForm(der: Uint8Array): DerForm {
  const members = children(readElement(der, SEQUENCE));
  const shape = SHAPES.find(([, ...tags]) =>
    tags.every((tag, i) => tag === undefined || members[i]?.tag === tag),
  );
  return shape?.[0] ?? malformed();
}

/** The SubjectPublicKeyInfo inside an X.509 certificate (RFC 5280 §4.1). */
export function spkiOfCertificate(der: Uint8Array): Uint8Array {
  const tbs = children(readElement(der, SEQUENCE))[0] ?? malformed();
  const members = children(tbs);
  // version [0] OPTIONAL, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  const spki = members[members[0]?.tag === CONTEXT_0 ? 6 : 5];
  return spki?.tag === SEQUENCE ? spki.whole : malformed();
}

/** Wraps an RSAPublicKey (PKCS#1) into a SubjectPublicKeyInfo, which WebCrypto can import. */
export function spkiOfPkcs1(der: Uint8Array): Uint8Array {
  return encode(SEQUENCE, RSA_ALGORITHM, encode(BIT_STRING, Uint8Array.of(0), der));
}

/** Wraps an RSAPrivateKey (PKCS#1) into a PrivateKeyInfo (PKCS#8). */
export function pkcs8OfPkcs1(der: Uint8Array): Uint8Array {
  return encode(SEQUENCE, VERSION_0, RSA_ALGORITHM, encode(OCTET_STRING, der));
}

/** What a SubjectPublicKeyInfo or PrivateKeyInfo says its key is for: the value of its AlgorithmIdentifier. */
export function algorithmOf(der: Uint8Array): Uint8Array {
  const algorithm = children(readElement(der, SEQUENCE)).find(({ tag }) => tag === SEQUENCE);
  return algorithm?.value ?? malformed();
}

function children(parent: Element): Element[] {
  const elements: Element[] = [];
  for (let rest = parent.value; rest.length > 0; ) {
    const element = readElement(rest);
    elements.push(element);
    rest = rest.subarray(element.whole.length);
  }
  return elements;
}

function readElement(bytes: Uint8Array, expectedTag?: number): Element {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) malformed();
  if (expectedTag !== undefined && tag !== expectedTag) malformed();
  // Long form: the low bits count the bytes of the length. Four are more than any key needs.
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) malformed();
  const start = 2 + lengthBytes;
  const length = first < 0x80 ? first : bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  if (start + length > bytes.length) malformed();
  return { tag, value: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

function encode(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [tag, ...lengthOctets(length)];
  const whole = new Uint8Array(header.length + length);
  whole.set(header);
  let offset = header.length;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** In the one form that DER allows, the shortest (X.690 §10.1). No key has 64 kB. */
function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function malformed(): never {
  throw new E2eeError('key_invalid', 'The key is not valid DER of a kind that can be imported (truncated?)');
}
