import { describe, expect, it } from 'vitest';
import { isAbsent, parsedJson, readableJson, requireJsonType, serialisedJson } from './json-body.js';

describe('isAbsent', () => {
  it('is true of undefined and of a text of no length only', () => {
    expect([undefined, ''].map((body) => isAbsent(body))).toEqual([true, true]);
    expect([null, 0, false, ' ', '""', [], {}, new Uint8Array()].filter((body) => isAbsent(body))).toEqual(
      [],
    );
  });
});

describe('parsedJson', () => {
  it.each([
    ['"text"', 'text'],
    ['7', 7],
    ['null', null],
    [' {"a":[1]}\n', { a: [1] }],
  ])('reads the text %j', (text, value) => {
    expect(parsedJson(text)).toEqual(value);
  });

  it.each([null, 0, false, 7, [1], { a: 1 }, new Date(0)])('returns the value %j as it is', (value) => {
    expect(parsedJson(value)).toBe(value);
  });

  it.each(['a', '{', '{"canary-1":', "{'a':1}", ' ', 'undefined', '\ufeff{}'])(
    'refuses the text %j without quoting it',
    (text) => {
      const error = attempt(() => parsedJson(text));
      expect(error).toMatchObject({
        code: 'body_unreadable',
        message: 'The body cannot be read as JSON: it is not JSON',
      });
      expect((error as Error).cause).toBeUndefined();
    },
  );

  it.each<[string, unknown]>([
    ['bytes', new Uint8Array()],
    ['bytes', new DataView(new ArrayBuffer(1))],
    ['bytes', new ArrayBuffer(1)],
    ['a stream that no parser has read', { pipe: () => {} }],
    ['a stream that no parser has read', new ReadableStream()],
    ['a stream that no parser has read', { [Symbol.asyncIterator]: () => {} }],
    ['a form', new URLSearchParams()],
    ['a form', new FormData()],
    ['a blob', new Blob([])],
  ])('says that it is %s', (kind, body) => {
    expect(attempt(() => parsedJson(body))).toMatchObject({
      code: 'body_unreadable',
      message: `The body cannot be read as JSON: it is ${kind}`,
    });
  });
});

describe('readableJson', () => {
  it('wraps the value, so that undefined can say that there is none', () => {
    expect(readableJson('null')).toEqual({ value: null });
    expect(readableJson({ a: 1 })).toEqual({ value: { a: 1 } });
    expect(readableJson('a')).toBeUndefined();
    expect(readableJson(new Uint8Array())).toBeUndefined();
  });
});

describe('serialisedJson', () => {
  it('shares nothing with its input', () => {
    const inner = { a: [1] };
    const copy = serialisedJson({ one: inner, two: inner }) as { one: object; two: object };
    expect(copy).toEqual({ one: inner, two: inner });
    expect(copy.one).not.toBe(inner);
    expect(copy.one).not.toBe(copy.two);
  });

  it('keeps no error of the application, which may hold anything', () => {
    const body = {
      toJSON: () => {
        throw new Error('canary');
      },
    };
    const error = attempt(() => serialisedJson(body));
    expect(error).toMatchObject({
      code: 'body_unreadable',
      message: 'The body cannot be read as JSON: it has no JSON form',
    });
    expect((error as Error).cause).toBeUndefined();
  });

  it('keeps __proto__ members as members', () => {
    const copy = serialisedJson(JSON.parse('{"__proto__":{"a":1}}')) as object;
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });
});

describe('requireJsonType', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/merge-patch+json',
    ' application/json ',
    '',
  ])('accepts "%s"', (type) => {
    expect(() => requireJsonType({ 'Content-type': type })).not.toThrow();
  });

  it('accepts that nothing is announced', () => {
    expect(() => requireJsonType({ accept: 'text/html' })).not.toThrow();
  });

  it.each([
    'text/json',
    'application/x-json',
    'json',
    'application/json5',
    'application/+json',
    'application/json; charset=utf-7',
    'application/json; charset="utf-32"',
  ])('refuses "%s" with 415', (type) => {
    expect(attempt(() => requireJsonType({ 'content-type': type }))).toMatchObject({
      code: 'media_type_unsupported',
      status: 415,
    });
  });
});

function attempt(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was refused');
}
