import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { errorOf, everythingOf, modulus, secretsOf } from '../../test/keys-fixtures.js';
import { P256, RSA } from '../../test/stored-keys.js';
import { newestValidKey } from './encryption-keys.js';
import { jwkTimes } from './jwk.js';
import { readJwkSet } from './jwk-set.js';

const [pair] = RSA;
const { publicJwk, privateJwk } = pair;
const good: JWK = { ...publicJwk, kid: 'good', use: 'enc', alg: 'RSA-OAEP-256' };
const another = (kid: string): JWK => ({ kty: 'RSA', kid, n: modulus(2048), e: 'AQAB' });
const ec = P256.publicJwk;

async function kids(document: unknown): Promise<string[]> {
  const keys = await readJwkSet(document);
  return keys.map(({ kid }) => kid);
}

async function expectRefused(document: unknown, why: RegExp): Promise<void> {
  expect(await errorOf(readJwkSet(document))).toMatchObject({
    code: 'key_invalid',
    message: expect.stringMatching(why),
  });
}

describe('readJwkSet', () => {
  it('reads a set, and a single key', async () => {
    expect(await kids({ keys: [good, another('b')] })).toEqual(['good', 'b']);
    expect(await kids(good)).toEqual(['good']);
    expect(await kids({ keys: [good], cache: 'anything else' })).toEqual(['good']);
  });

  it.each<[what: string, jwk: unknown]>([
    ['for signatures', { ...another('x'), use: 'sig' }],
    ['for another algorithm', { ...another('x'), alg: 'RSA-OAEP' }],
    ['for a signature algorithm', { ...another('x'), alg: 'RS256' }],
    ['with key_ops that leave out encryption', { ...another('x'), key_ops: ['verify'] }],
    ['with key_ops of an odd type', { ...another('x'), key_ops: null }],
    ['with the exponent 3', { ...another('x'), e: 'Aw' }],
    ['under 2048 bits', { ...another('x'), n: modulus(2047) }],
    ['over 8192 bits', { ...another('x'), n: modulus(8193) }],
    ['with x5u', { ...another('x'), x5u: 'https://example.com' }],
    ['on an elliptic curve', { ...ec, kid: 'x' }],
    ['of an unknown type', { kty: 'AKP', kid: 'x', pub: 'AA' }],
    ['without a type', { kid: 'x' }],
    ['that is malformed', { ...another('x'), n: 5 }],
    ['with a kid that is no text', { ...another('x'), kid: 5 }],
    ['that is null', null],
    ['that is a text', 'RSA'],
    ['that is an array', [good]],
  ])('ignores a key %s, and the others work', async (_what, jwk) => {
    expect(await kids({ keys: [jwk, good] })).toEqual(['good']);
    expect(await kids({ keys: [good, jwk] })).toEqual(['good']);
    await expectRefused({ keys: [jwk] }, /no key that can be used/);
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'refuses a set with the private member %s',
    async (member) => {
      await expectRefused({ keys: [good, { ...another('x'), [member]: 'AQAB' }] }, /publishes a private key/);
      await expectRefused(
        { keys: [good, { ...another('x'), use: 'sig', [member]: 'AQAB' }] },
        /publishes a private key/,
      );
      await expectRefused({ ...good, [member]: 'AQAB' }, /publishes a private key/);
    },
  );

  it('refuses private keys of other types too, without showing them', async () => {
    await expectRefused({ keys: [good, { kty: 'oct', k: 'c2VjcmV0' }] }, /publishes a private key/);
    const shown = everythingOf(await errorOf(readJwkSet({ keys: [privateJwk] })));
    for (const secret of secretsOf(pair)) expect(shown).not.toContain(secret);
  });

  it('refuses two different keys with one kid, in whatever order', async () => {
    await expectRefused({ keys: [good, another('good')] }, /two different keys/);
    await expectRefused({ keys: [another('good'), another('b'), good] }, /two different keys/);
  });

  it('accepts one key twice, and one kid on a key that is ignored', async () => {
    expect(await kids({ keys: [good, good] })).toEqual(['good', 'good']);
    expect(await kids({ keys: [{ ...another('good'), use: 'sig' }, good] })).toEqual(['good']);
  });

  it('is not confused by the names of a prototype', async () => {
    const odd = ['__proto__', 'constructor', 'toString'];
    const keys = odd.map((kid) => ({ ...publicJwk, kid }));
    expect(await kids(JSON.parse(JSON.stringify({ keys })))).toEqual(odd);
    await expectRefused(JSON.parse('{"__proto__":{"keys":[]}}'), /no key that can be used/);
  });

  it.each<[what: string, document: unknown, why: RegExp]>([
    ['null', null, /not a JSON object/],
    ['a text', 'keys', /not a JSON object/],
    ['a number', 5, /not a JSON object/],
    ['undefined', undefined, /not a JSON object/],
    ['an empty object', {}, /no key that can be used/],
    ['an array of keys', [good], /refused/],
    ['no keys', { keys: [] }, /no key that can be used/],
    ['keys that are null', { keys: null }, /`keys` is not an array/],
    ['keys that are an object', { keys: { good } }, /`keys` is not an array/],
    ['an error document', { error: 'not found' }, /no key that can be used/],
  ])('refuses %s', async (_what, document, why) => {
    await expectRefused(document, why);
  });

  it('reads up to 64 keys', async () => {
    const many = (count: number) => ({ keys: Array.from({ length: count }, () => good) });
    expect(await kids(many(64))).toHaveLength(64);
    await expectRefused(many(65), /more than 64/);
  });

  it('gives a key without a kid its thumbprint', async () => {
    const { kid: _, ...anonymous } = good;
    expect(await kids({ keys: [anonymous] })).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  });
});

describe('the times of a published key', () => {
  it.each(['iat', 'bknd.iat', 'bnkd.iat'])('%s is when it was issued', async (member) => {
    const [key] = await readJwkSet({ keys: [{ ...good, [member]: 1664205757 }] });
    expect(key?.issuedAt).toBe(1664205757);
    expect(key).not.toHaveProperty('expiresAt');
  });

  it.each(['exp', 'bknd.exp', 'bnkd.exp'])('%s is when it expires', async (member) => {
    const [key] = await readJwkSet({ keys: [{ ...good, [member]: 1666797757 }] });
    expect(key?.expiresAt).toBe(1666797757);
    expect(key).not.toHaveProperty('issuedAt');
  });

  it('are read as the provider’s page spells them, and the newest valid key is chosen', async () => {
    const keys = await readJwkSet({
      keys: [
        { ...good, kid: 'expired', 'bknd.exp': 1666797757, 'bnkd.iat': 1664205757 },
        { ...good, kid: 'valid', 'bnkd.exp': 1669389757, 'bknd.iat': 1664205757 },
        { ...good, kid: 'older', 'bnkd.exp': 1669389757, 'bknd.iat': 1661613757 },
      ],
    });
    expect(newestValidKey(keys, 1_668_000_000_000)?.kid).toBe('valid');
    expect(newestValidKey(keys, 1_669_389_757_000)).toBeUndefined();
  });

  it('that are not finite numbers are left out, also inherited ones', () => {
    for (const value of ['1666797757', null, {}, [], true, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(jwkTimes({ ...good, exp: value, iat: value } as JWK)).toEqual({});
    }
    expect(jwkTimes(Object.create({ exp: 1, iat: 1 }))).toEqual({});
    expect(jwkTimes({ ...good, exp: 0, iat: 0 } as JWK)).toEqual({ issuedAt: 0, expiresAt: 0 });
  });
});
