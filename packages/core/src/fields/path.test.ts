import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { type PathSegment, parseFieldPath } from './path.js';

const member = (name: string): PathSegment => ({ kind: 'member', name });
const ANY: PathSegment = { kind: 'any' };
const ELEMENT: PathSegment = { kind: 'element' };

/** Strings of any UTF-16 units, lone surrogates too, with the characters that mean something made frequent. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('.', '\\', '#', '*', '$', 'a'),
    fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
  ),
});

describe('parseFieldPath', () => {
  it.each<[path: string, segments: PathSegment[]]>([
    ['payee', [member('payee')]],
    ['payee.account_number', [member('payee'), member('account_number')]],
    ['actions.#.source', [member('actions'), ELEMENT, member('source')]],
    ['#', [ELEMENT]],
    ['#.#.a', [ELEMENT, ELEMENT, member('a')]],
    ['meta.*', [member('meta'), ANY]],
    ['*.*', [ANY, ANY]],
    ['$', []],
    ['a\\.b', [member('a.b')]],
    ['a\\.b.c', [member('a.b'), member('c')]],
    ['\\#.\\*.\\$', [member('#'), member('*'), member('$')]],
    ['a\\\\.b', [member('a\\'), member('b')]],
    ['\\a', [member('a')]],
    ['a#.*b.$c', [member('a#'), member('*b'), member('$c')]],
    ['**', [member('**')]],
    ['#\\a.*\\b.\\a$', [member('#a'), member('*b'), member('a$')]],
    ['0.1', [member('0'), member('1')]],
    [' a . b ', [member(' a '), member(' b ')]],
    ['__proto__.constructor', [member('__proto__'), member('constructor')]],
    ['\u{1F511}.\\\u{1F511}', [member('\u{1F511}'), member('\u{1F511}')]],
  ])('reads %s', (path, segments) => {
    expect(parseFieldPath(path)).toEqual(segments);
  });

  it.each([
    ['', 'a segment is empty'],
    ['.', 'a segment is empty'],
    ['a.', 'a segment is empty'],
    ['.a', 'a segment is empty'],
    ['a..b', 'a segment is empty'],
    ['a.$', '`$` stands for the whole body and must stand alone'],
    ['$.a', '`$` stands for the whole body and must stand alone'],
    ['$.$', '`$` stands for the whole body and must stand alone'],
    ['a\\', 'it ends in the middle of an escape'],
    ['\\', 'it ends in the middle of an escape'],
    ['a.b\\', 'it ends in the middle of an escape'],
  ])('refuses "%s", saying that %s', (path, why) => {
    expect(() => parseFieldPath(path)).toThrow(new Error(why));
  });

  it('is total: every string is a path or is refused with a message', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          for (const segment of parseFieldPath(text))
            expect(['member', 'any', 'element']).toContain(segment.kind);
        } catch (error) {
          expect((error as Error).constructor).toBe(Error);
          expect((error as Error).message).toMatch(/segment is empty|stand alone|middle of an escape/);
        }
      }),
      runs(500),
    );
  });

  it('can address a member of any name, once its special characters are escaped', () => {
    const names = fc.array(
      anyText.filter((name) => name !== ''),
      { minLength: 1, maxLength: 5 },
    );
    const escaped = (name: string): string => name.replace(/[\\.#*$]/g, '\\$&');
    fc.assert(
      fc.property(names, (list) => {
        expect(parseFieldPath(list.map(escaped).join('.'))).toEqual(list.map(member));
      }),
      runs(100),
    );
  });

  it('reads a path of 100,000 segments', () => {
    expect(parseFieldPath(Array(100_000).fill('a').join('.'))).toHaveLength(100_000);
  });
});
