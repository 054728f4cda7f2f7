import { describe, expect, it } from 'vitest';
import { headerOf, headersForBody, mediaType } from './message.js';

describe('headerOf', () => {
  it('finds a header in any letter case, and no member of Object.prototype', () => {
    expect(headerOf({ 'Content-TYPE': 'a/b' }, 'content-type')).toBe('a/b');
    expect(headerOf({}, 'content-type')).toBeUndefined();
    expect(headerOf({}, 'constructor')).toBeUndefined();
  });
});

describe('mediaType', () => {
  it.each([
    ['Application/JSON; charset=utf-8', 'application/json'],
    [' text/plain ', 'text/plain'],
    ['application/jose;', 'application/jose'],
    ['', undefined],
    [';charset=utf-8', undefined],
  ])('reads "%s" as %s', (header, type) => {
    expect(mediaType({ 'Content-Type': header })).toBe(type);
  });
});

describe('headersForBody', () => {
  const kept = { 'X-Id': '7', authorization: 'x', 'Content-Language': 'en' };

  it.each([
    'content-length',
    'content-encoding',
    'content-md5',
    'content-digest',
    'digest',
    'repr-digest',
    'etag',
  ])('drops %s in any letter case', (name) => {
    for (const spelling of [name, name.toUpperCase(), name.replace(/^./, (letter) => letter.toUpperCase())]) {
      expect(headersForBody({ ...kept, [spelling]: 'x' })).toEqual(kept);
    }
  });

  it('keeps the content type, unless another is given', () => {
    expect(headersForBody({ 'Content-Type': 'a/b', ...kept })).toEqual({ 'Content-Type': 'a/b', ...kept });
    expect(headersForBody({ 'Content-Type': 'a/b', ...kept }, 'c/d')).toEqual({
      ...kept,
      'content-type': 'c/d',
    });
  });

  it('does not touch its input, and keeps a header called __proto__ a header', () => {
    const headers = Object.freeze(JSON.parse('{"__proto__":"x","etag":"y"}'));
    const result = headersForBody(headers);
    expect(JSON.stringify(result)).toBe('{"__proto__":"x"}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });
});
