import { describe, expect, it } from 'vitest';
import { parseFieldPath } from './path.js';
import { buildFieldTree, type FieldRule, type FieldTree, OverlapError } from './tree.js';

function rule(path: string, treatment = 'encrypt'): FieldRule {
  return { path, segments: parseFieldPath(path), treatment, as: 'json', required: false };
}

/** The node that a body's keys lead to: a named member before `*`. */
function at(tree: FieldTree, ...keys: (string | typeof ELEMENT)[]): FieldTree | undefined {
  return keys.reduce<FieldTree | undefined>(
    (node, key) => (key === ELEMENT ? node?.element : (node?.members.get(key as string) ?? node?.any)),
    tree,
  );
}
const ELEMENT = Symbol('element');

describe('buildFieldTree', () => {
  it('leads to each rule along its path', () => {
    const rules = [rule('payee'), rule('actions.#.source'), rule('meta.*'), rule('a\\.b')];
    const tree = buildFieldTree(rules);
    expect(at(tree, 'payee')?.rule).toBe(rules[0]);
    expect(at(tree, 'actions', ELEMENT, 'source')?.rule).toBe(rules[1]);
    expect(at(tree, 'meta', 'whatever')?.rule).toBe(rules[2]);
    expect(at(tree, 'a.b')?.rule).toBe(rules[3]);
    expect(at(tree, 'a')).toBeUndefined();
  });

  it('carries the rule of $ at its root', () => {
    const whole = rule('$');
    expect(buildFieldTree([whole])).toMatchObject({ rule: whole });
  });

  it.each([
    ['payee', 'payee'],
    ['payee', 'payee.name'],
    ['payee.name', 'payee'],
    ['$', 'payee'],
    ['a.*', 'a.b'],
    ['a.b', 'a.*'],
    ['*', 'a.b'],
    ['*.b', 'a'],
    ['*.b', 'a.b'],
    ['*.b', 'a.*'],
    ['a.#', 'a.#.b'],
    ['a.#', 'a.#'],
    ['#.*', '#.a'],
    ['*.*', 'a.b.c'],
  ])('refuses %s beside %s, naming both', (one, other) => {
    const build = (): FieldTree => buildFieldTree([rule(one), rule(other)]);
    expect(build).toThrow(OverlapError);
    expect(build).toThrow(
      new RegExp(
        `\`${escaped(one)}\` and \`${escaped(other)}\`|\`${escaped(other)}\` and \`${escaped(one)}\``,
      ),
    );
  });

  it.each([
    ['payee.name', 'payee.sort_code'],
    ['a.#', 'a.b'],
    ['#.payee', 'payee'],
    ['a', 'ab'],
    ['a\\.b', 'a.b'],
    ['*.a', '*.b'],
    ['\\*', 'a'],
    ['\\#', '#'],
  ])('lets %s stand beside %s', (one, other) => {
    expect(() => buildFieldTree([rule(one), rule(other)])).not.toThrow();
  });

  it.each([
    ['*', 'id', ['id'], ['name']],
    ['meta.*', 'meta.id', ['meta', 'id'], ['meta', 'x']],
    ['*.secret', 'open.secret', ['open', 'secret'], ['other', 'secret']],
    ['*.*', 'a.*', ['a', 'x'], ['b', 'x']],
    ['#.*', '#.id', [ELEMENT, 'id'], [ELEMENT, 'x']],
  ] as const)('makes an exception to %s for %s with none', (wide, narrow, excepted, covered) => {
    for (const rules of [
      [rule(wide), rule(narrow, 'none')],
      [rule(narrow, 'none'), rule(wide)],
    ]) {
      const tree = buildFieldTree(rules);
      expect(at(tree, ...excepted)?.rule?.treatment).toBe('none');
      expect(at(tree, ...covered)?.rule?.treatment).toBe('encrypt');
    }
  });

  it.each([
    ['payee', 'payee.name'],
    ['payee', 'payee'],
    ['$', 'payee'],
    ['*.b', 'a.*'],
    ['meta.*', 'meta.a.b'],
  ])('refuses an exception to %s that does not narrow a wildcard: %s', (wide, narrow) => {
    expect(() => buildFieldTree([rule(wide), rule(narrow, 'none')])).toThrow(OverlapError);
  });

  it('refuses a none that is wider than what it would undo', () => {
    expect(() => buildFieldTree([rule('*', 'none'), rule('a')])).toThrow(OverlapError);
  });

  it('includes in a named member what * says of its own members', () => {
    const tree = buildFieldTree([rule('*.secret'), rule('a.name')]);
    expect(at(tree, 'a', 'secret')?.rule?.path).toBe('*.secret');
    expect(at(tree, 'a', 'name')?.rule?.path).toBe('a.name');
  });

  it('finds nothing under the names of Object.prototype', () => {
    const tree = buildFieldTree([rule('a')]);
    for (const name of ['__proto__', 'constructor', 'toString']) expect(at(tree, name)).toBeUndefined();
  });
});

function escaped(text: string): string {
  return text.replace(/[$*.\\#]/g, '\\$&');
}
