import type { Flawed } from './flaw.js';
import type { Random } from './random.js';
import { goodHeader, type Place, sealed } from './sealer.js';
import type { ProfileName } from './setup.js';

/* Protected headers that are wrong, each authenticated like a good one. */

type Header = Record<string, unknown>;
type Expected = Flawed['expected'];

const OTHER_ALGS = [
  'RSA1_5',
  'RSA-OAEP',
  'dir',
  'A256KW',
  'A256GCMKW',
  'ECDH-ES',
  'ECDH-ES+A256KW',
  'PBES2-HS256+A128KW',
  'none',
  'rsa-oaep-256',
  'RSA-OAEP-256 ',
  '__proto__',
  5,
  null,
  ['RSA-OAEP-256'],
  {},
  undefined,
];
const OTHER_ENCS = ['A128GCM', 'A256CBC-HS512', 'A256gcm', 'constructor', 0, null, {}, undefined];
const REFUSED_MEMBERS: Header = {
  zip: 'DEF',
  crit: ['exp'],
  jku: 'http://127.0.0.1:1/',
  x5u: 'http://127.0.0.1:1/',
  jwk: {},
  x5c: [],
};
const OTHER_KIDS = [
  'none',
  '',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "' or 1=1 --",
  'a\r\nx-injected: 1',
  'ключ',
  '\ud800',
  'server ',
  'x'.repeat(1500),
];
const NO_TEXTS = [5, null, true, [], {}];
const OTHER_CLAIMS: readonly Header[] = [
  { op: 'POST /v2/mandates/x' },
  { op: 5 },
  { dir: 'elsewhere' },
  { path: 'payer' },
  { path: '__proto__' },
  { iat: 1 },
  { iat: 'now' },
  { iat: 1e300 },
  { exp: 1 },
  { exp: null },
  { jti: '' },
  { jti: 7 },
  { req: 'AAAA' },
];

type Edit = (header: Header, random: Random) => readonly [header: string | Uint8Array, expected: Expected];

const members =
  (change: (random: Random) => Header, expected: Expected): Edit =>
  (header, random) => [JSON.stringify({ ...header, ...change(random) }), expected];
const text =
  (change: (json: string, random: Random) => string | Uint8Array, expected: Expected): Edit =>
  (header, random) => [change(JSON.stringify(header), random), expected];

const EDITS: readonly Edit[] = [
  members((random) => ({ alg: random.pick(OTHER_ALGS) }), 'refused'),
  members((random) => ({ enc: random.pick(OTHER_ENCS) }), 'refused'),
  members((random) => {
    const name = random.pick(Object.keys(REFUSED_MEMBERS));
    return { [name]: REFUSED_MEMBERS[name] };
  }, 'refused'),
  members((random) => ({ kid: random.pick(OTHER_KIDS) }), 'refused or rejected'),
  members((random) => ({ kid: random.pick(NO_TEXTS) }), 'refused'),
  members((random) => ({ [random.pick(['typ', 'cty'])]: random.pick(NO_TEXTS) }), 'refused'),
  members(() => ({ kid: undefined }), 'anything'),
  members(() => ({ epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, apu: 'x', apv: 5 }), 'accepted'),
  members(() => ({ padding: 'x'.repeat(2100) }), 'refused'),
  members((random) => random.pick(OTHER_CLAIMS), 'anything'),
  text((json) => `{"alg":"RSA-OAEP-256",${json.slice(1)}`, 'refused'),
  text((json) => `{"\\u0061lg":"RSA-OAEP-256",${json.slice(1)}`, 'refused'),
  text((json) => `{"x":{"y":1,"y":2},${json.slice(1)}`, 'refused'),
  text((json) => `{"x":${'['.repeat(600)}${']'.repeat(600)},${json.slice(1)}`, 'accepted'),
  text(
    (json) => `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},${json.slice(1)}`,
    'accepted',
  ),
  text((json) => `${json} \n\t`, 'accepted'),
  text((json) => `\ufeff${json}`, 'refused'),
  text((json) => `[${json}]`, 'refused'),
  text((json) => `${json}${json}`, 'refused'),
  text((json) => json.slice(0, -1), 'refused'),
  text((_, random) => random.pick(['null', '5', '"x"', '[]', '{}', 'true', ' ']), 'refused'),
  text(
    (json) =>
      Buffer.concat([
        Buffer.from(json.slice(0, -1)),
        Buffer.from(',"x":"'),
        Buffer.of(0xff, 0xc0),
        Buffer.from('"}'),
      ]),
    'refused',
  ),
  text((_, random) => random.bytes(1 + random.below(80)), 'refused'),
];

/** A token that is good but for its header. */
export function badHeader(profile: ProfileName, place: Place, plaintext: string, random: Random): Flawed {
  const [header, expected] = random.pick(EDITS)(goodHeader(profile, place), random);
  return { value: sealed(place, header, plaintext), expected };
}
