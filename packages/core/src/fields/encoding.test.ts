import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { runs } from '../../test/runs.js';
import { E2eeError } from '../errors.js';
import { decodeField, encodeField } from './encoding.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (plaintext: Uint8Array): string => new TextDecoder().decode(plaintext);
const REFUSED = new E2eeError('token_invalid', 'The encrypted payload is not acceptable');

describe('encodeField', () => {
  it.each([
    [0, '0'],
    [false, 'false'],
    ['', '""'],
    [null, 'null'],
    ['007', '"007"'],
    ['1234567890123456789', '"1234567890123456789"'],
    [{ b: 1, a: [] }, '{"b":1,"a":[]}'],
    ['\ud800', '"\\ud800"'],
    ['Zoë \u{1F511}', '"Zoë \u{1F511}"'],
  ])('writes %j as its JSON text', (value, plaintext) => {
    expect(text(encodeField(value, 'json', 'a'))).toBe(plaintext);
  });

  it.each(['', '007', '{"a":1}', ' Zoë\n\u{1F511}', '\ufeffBOM', 'a\0b'])(
    'writes the text %j as its own bytes',
    (value) => {
      expect([...encodeField(value, 'text', 'a')]).toEqual([...utf8(value)]);
    },
  );

  it.each([[0], [7], [false], [true], [null], [{}], [['x']], [undefined]])(
    'refuses %j as text, naming the path',
    (value) => {
      expect(() => encodeField(value, 'text', 'payee.name')).toThrow(
        expect.objectContaining({ code: 'field_invalid', path: 'payee.name' }),
      );
    },
  );

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])(
    'refuses a lone surrogate as text, which no UTF-8 can hold',
    (value) => {
      expect(() => encodeField(value, 'text', 'payee')).toThrow(
        expect.objectContaining({ code: 'field_invalid', path: 'payee' }),
      );
    },
  );

  it.each([
    [null, 'must be a text, not null'],
    [['x'], 'must be a text, not an array'],
    [{}, 'must be a text, not object'],
    [7, 'must be a text, not number'],
    [undefined, 'must be a text, not undefined'],
    ['\ud800', 'must be a well-formed text'],
  ])('says of %j what it must be', (value, message) => {
    expect(() => encodeField(value, 'text', 'payee')).toThrow(`Field \`payee\` ${message}`);
  });

  it('never repeats the value in its refusal', () => {
    for (const value of ['canary\ud800', { secret: 'canary' }]) {
      expect(() => encodeField(value, 'text', 'payee')).toThrow(expect.not.stringContaining('canary'));
    }
  });
});

describe('decodeField', () => {
  it('returns every JSON value exactly, in its order', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const back = decodeField(encodeField(value, 'json', 'a'), 'json', 1_000);
        expect(JSON.stringify(back)).toBe(JSON.stringify(value));
      }),
      runs(100),
    );
  });

  it('returns every well-formed text exactly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(decodeField(encodeField(value, 'text', 'a'), 'text', 1)).toBe(value);
      }),
      runs(100),
    );
  });

  it('returns a lone surrogate that went as JSON', () => {
    expect(decodeField(encodeField({ '\udc00': '\ud800' }, 'json', 'a'), 'json', 9)).toEqual({
      '\udc00': '\ud800',
    });
  });

  it.each(['', '{', '{"a":1}x', "{'a':1}", 'undefined', '[1,]', '\ufeff{}', 'NaN', '01', '"a\nb"'])(
    'refuses %j as JSON like any other bad token',
    (plaintext) => {
      expect(() => decodeField(bytes(plaintext), 'json', 64)).toThrow(REFUSED);
    },
  );

  it.each(['json', 'text'] as const)('refuses bytes that are not UTF-8 as %s', (as) => {
    for (const bad of [[0xff], [0x22, 0xc3, 0x22], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
      expect(() => decodeField(Uint8Array.from(bad), as, 64)).toThrow(REFUSED);
    }
  });

  it('keeps nothing of the syntax error, which quotes the plaintext', () => {
    try {
      decodeField(bytes('canary'), 'json', 64);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).cause).toBeUndefined();
      expect(String((error as Error).stack)).not.toContain('canary');
    }
  });

  it('refuses nesting over the limit, and allows the limit itself', () => {
    const nested = (depth: number): Uint8Array => bytes('['.repeat(depth) + ']'.repeat(depth));
    expect(decodeField(nested(64), 'json', 64)).toBeInstanceOf(Array);
    expect(() => decodeField(nested(65), 'json', 64)).toThrow(REFUSED);
    expect(() => decodeField(nested(50_000), 'json', 64)).toThrow(REFUSED);
  });

  it('leaves a member called __proto__ an inert member', () => {
    const value = decodeField(bytes('{"__proto__":{"polluted":1}}'), 'json', 64) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":1}}');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
