import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { parseFieldPath } from './path.js';
import { type Selection, selectFields } from './select.js';
import { buildFieldTree, type FieldTree } from './tree.js';

const PREFIX = 'enc_';
const isToken = (value: unknown): boolean => typeof value === 'string' && value.startsWith('token:');

/** A tree of rules that encrypt; a path that begins with `!` is an exception. */
function tree(...paths: string[]): FieldTree {
  return buildFieldTree(
    paths.map((text) => {
      const path = text.replace(/^!/, '');
      const treatment = text.startsWith('!') ? 'none' : 'encrypt';
      return { path, segments: parseFieldPath(path), treatment, as: 'json', required: false };
    }),
  );
}

function select(body: unknown, fields: FieldTree, prefix: string = PREFIX): Selection {
  return selectFields(body, fields, { prefix, isToken });
}

/** Stands in for encryption. */
function seal(body: unknown, fields: FieldTree, prefix?: string): unknown {
  const selection = select(body, fields, prefix);
  for (const slot of selection.slots)
    if (slot.plain) slot.setWire(`token:${JSON.stringify(slot.plain.value)}`);
  return selection.result();
}

/** Stands in for decryption. */
function open(body: unknown, fields: FieldTree, prefix?: string): unknown {
  const selection = select(body, fields, prefix);
  for (const slot of selection.slots) {
    if (slot.wire) slot.setPlain(JSON.parse(String(slot.wire.value).slice('token:'.length)));
  }
  return selection.result();
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}

describe('selectFields', () => {
  it('finds a field by name, by nested name, in each element and in each member', () => {
    const body = {
      payee: { name: 'John' },
      payer: { account_number: '12345678', kind: 'x' },
      actions: [{ source: 1 }, { source: 2, target: 3 }],
      meta: { a: 'A', b: 'B' },
    };
    const fields = tree('payee', 'payer.account_number', 'actions.#.source', 'meta.*');
    const found = select(body, fields).slots.map(({ rule, plain }) => [rule.path, plain?.value]);
    expect(found).toEqual([
      ['payer.account_number', '12345678'],
      ['actions.#.source', 1],
      ['actions.#.source', 2],
      ['meta.*', 'A'],
      ['meta.*', 'B'],
      ['payee', { name: 'John' }],
    ]);
  });

  it.each([0, false, '', null, [], {}])('finds the value %j, which is easily taken for nothing', (value) => {
    expect(select({ a: value }, tree('a')).slots).toMatchObject([{ plain: { value } }]);
    expect(seal({ a: value }, tree('a'))).toEqual({ enc_a: `token:${JSON.stringify(value)}` });
  });

  it('shows no slot of an absent field', () => {
    expect(select({ other: 1 }, tree('a')).slots).toEqual([]);
  });

  it('shows an absent field that is required as a slot in neither form', () => {
    const rule = {
      path: 'a',
      segments: parseFieldPath('a'),
      treatment: 'encrypt',
      as: 'json',
      required: true,
    } as const;
    const [slot] = select({ other: 1 }, buildFieldTree([rule])).slots;
    expect(slot).toBeDefined();
    expect(slot).not.toHaveProperty('plain');
    expect(slot).not.toHaveProperty('wire');
  });

  it('looks into no array that has more elements than it may, and tells which field is behind it', () => {
    let looks = 0;
    const watched = (value: object): object =>
      new Proxy(value, { ownKeys: (target) => Reflect.ownKeys(target).slice(looks++) });
    const body = { list: [{}, {}, {}].map(watched), lists: [[{}, {}].map(watched)] };
    const options = { prefix: PREFIX, isToken, elements: 2 };
    const { slots, tooLong } = selectFields(body, tree('list.#.a', 'lists.#.#.a'), options);
    expect([slots.length, tooLong?.path, looks]).toEqual([0, 'list.#.a', 2]);
    expect(selectFields({ list: [{}, {}] }, tree('list.#.a'), options)).not.toHaveProperty('tooLong');
  });

  it.each([
    ['in elements', { list: Array.from({ length: 9 }, () => ({ a: 1 })) }, 'list.#.a'],
    ['in place', { list: Array.from({ length: 9 }, () => 1) }, 'list.#'],
    ['under any name', { list: { b: 1, c: 2, d: 3, e: 4, f: 5, g: 6 } }, 'list.*'],
    [
      'in members of any name',
      { list: { b: { a: 1 }, c: { a: 2 }, d: { a: 3 }, e: { a: 4 }, f: { a: 5 } } },
      'list.*.a',
    ],
  ])('stops looking once it has found more fields than it may: %s', (_where, body, path) => {
    const options = { prefix: PREFIX, isToken, most: 3 };
    expect(selectFields(body, tree(path), options).slots).toHaveLength(4);
  });

  it('counts no member that is an exception', () => {
    const names = Array.from({ length: 9 }, (_, i) => `open${i}`);
    const body = { ...Object.fromEntries(names.map((name) => [name, 1])), secret: 2 };
    const options = { prefix: PREFIX, isToken, most: 3 };
    const { slots } = selectFields(body, tree('*', ...names.map((name) => `!${name}`)), options);
    expect(slots).toMatchObject([{ place: 'secret', plain: { value: 2 } }]);
  });

  it('shows both forms of a field that is there twice, as one slot', () => {
    const { slots } = select({ a: 1, enc_a: 'token:2' }, tree('a'));
    expect(slots).toMatchObject([{ plain: { value: 1 }, wire: { value: 'token:2' } }]);
  });

  it('keeps the order of members when a field changes its name', () => {
    const body = { first: 1, a: 2, middle: 3, b: 4, last: 5 };
    const sealed = seal(body, tree('a', 'b'));
    expect(Object.keys(sealed as object)).toEqual(['first', 'enc_a', 'middle', 'enc_b', 'last']);
    expect(JSON.stringify(open(sealed, tree('a', 'b')))).toBe(JSON.stringify(body));
  });

  it('puts one member where there were two', () => {
    const selection = select({ x: 0, a: 1, y: 2, enc_a: 'token:2' }, tree('a'));
    selection.slots[0]?.setPlain('new');
    expect(JSON.stringify(selection.result())).toBe('{"x":0,"a":"new","y":2}');
  });

  it('replaces array elements in place, whatever the prefix', () => {
    expect(seal({ tags: ['a', null, 0] }, tree('tags.#'))).toEqual({
      tags: ['token:"a"', 'token:null', 'token:0'],
    });
    expect(open({ tags: ['token:"a"', 'token:0'] }, tree('tags.#'))).toEqual({ tags: ['a', 0] });
    expect(seal([[1], [2, 3]], tree('#.#'))).toEqual([['token:1'], ['token:2', 'token:3']]);
  });

  it('replaces a value in place, under its own name, when the prefix is empty', () => {
    const body = { first: 1, a: { b: 'x' }, last: 2 };
    const sealed = seal(body, tree('a.b'), '');
    expect(JSON.stringify(sealed)).toBe('{"first":1,"a":{"b":"token:\\"x\\""},"last":2}');
    expect(open(sealed, tree('a.b'), '')).toEqual(body);
    expect(select(sealed, tree('a.b'), '').slots).toMatchObject([{ wire: { value: 'token:"x"' } }]);
  });

  it('leaves an exception to a wildcard alone, in both forms', () => {
    const fields = tree('meta.*', '!meta.id');
    const body = { meta: { id: 7, name: 'x', enc_id: 'token:8' } };
    const sealed = seal(body, fields) as { meta: object };
    expect(sealed.meta).toMatchObject({ id: 7, enc_name: 'token:"x"' });
    expect(select({ list: [1] }, tree('list.*', '!list.#')).slots).toEqual([]);
  });

  it('takes a member below * that begins with the prefix for a plain one, unless it holds a token', () => {
    const body = { meta: { a: 1, enc_a: 2, enc_: 3 } };
    const sealed = seal(body, tree('meta.*'));
    expect(sealed).toEqual({ meta: { enc_a: 'token:1', enc_enc_a: 'token:2', enc_enc_: 'token:3' } });
    expect(JSON.stringify(open(sealed, tree('meta.*')))).toBe(JSON.stringify(body));
  });

  it.each([
    ['a string where an object is due', { payee: 'John' }, 'payee.name'],
    ['a number where an object is due', { payee: 5 }, 'payee.name'],
    ['an array where an object is due', { payee: [{ name: 'John' }] }, 'payee.name'],
    ['an object where an array is due', { actions: { source: 1 } }, 'actions.#.source'],
    ['an object with an index where an array is due', { actions: { 0: { source: 1 } } }, 'actions.#.source'],
    ['a string where an array is due', { actions: 'x' }, 'actions.#.source'],
    ['a string among the elements', { actions: [{ source: 1 }, 'x'] }, 'actions.#.source'],
    ['an array where members are due', { meta: ['x'] }, 'meta.*'],
    ['an array as the body', [{ payee: 1 }], 'payee'],
    ['a text as the body', 'payee', 'payee'],
    ['a number as the body', 5, '#.payee'],
    ['false as the body', false, 'payee'],
  ])('reports a mismatch for %s', (_, body, path) => {
    expect(select(body, tree(path)).mismatch?.path).toBe(path);
  });

  it.each([
    ['an absent container', {}, 'payee.name'],
    ['a container that is null', { payee: null }, 'payee.name'],
    ['an element that is null', { actions: [null] }, 'actions.#.source'],
    ['no elements', { actions: [] }, 'actions.#.source'],
    ['no body', undefined, 'payee'],
    ['null as the body', null, 'payee'],
  ])('reports no mismatch for %s, where no value can be', (_, body, path) => {
    expect(select(body, tree(path))).not.toHaveProperty('mismatch');
  });

  it('reports no mismatch for a path that is treated in no way', () => {
    expect(select({ a: 'x', b: 1 }, tree('b', '!a.b'))).not.toHaveProperty('mismatch');
    expect(select({ a: 'x' }, tree('!$'))).not.toHaveProperty('mismatch');
  });

  it('accepts either shape where rules are given for both', () => {
    const fields = tree('payee', '#.payee');
    expect(seal([{ payee: 1 }], fields)).toEqual([{ enc_payee: 'token:1' }]);
    expect(seal({ payee: 1 }, fields)).toEqual({ enc_payee: 'token:1' });
  });

  it('shares what did not change with the input, and returns the input itself when nothing did', () => {
    const body = { a: { secret: 1, other: { x: 1 } }, b: { y: 2 } };
    const sealed = seal(body, tree('a.secret')) as typeof body;
    expect(sealed.a.other).toBe(body.a.other);
    expect(sealed.b).toBe(body.b);
    expect(select(body, tree('a.secret')).result()).toBe(body);
    expect(seal(body, tree('absent'))).toBe(body);
  });

  it('changes one place only of an object that stands in two', () => {
    const shared = deepFrozen({ secret: 1 });
    const body = deepFrozen({ a: shared, b: shared, list: [shared, shared] });
    expect(seal(body, tree('a.secret', 'list.#.secret'))).toEqual({
      a: { enc_secret: 'token:1' },
      b: { secret: 1 },
      list: [{ enc_secret: 'token:1' }, { enc_secret: 'token:1' }],
    });
    expect(shared).toEqual({ secret: 1 });
  });

  it('treats __proto__ and constructor as members like others', () => {
    const body = JSON.parse(
      '{"__proto__":{"polluted":1,"constructor":2},"constructor":{"prototype":3},"a":4}',
    );
    const fields = tree('__proto__.polluted', 'constructor', 'a');
    const text =
      '{"__proto__":{"enc_polluted":"token:1","constructor":2},"enc_constructor":"token:{\\"prototype\\":3}","enc_a":"token:4"}';
    const sealed = seal(body, fields) as object;
    expect(JSON.stringify(sealed)).toBe(text);
    expect(JSON.stringify(open(sealed, fields))).toBe(JSON.stringify(body));
    for (const object of [sealed, open(sealed, fields) as object, {}]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      expect('polluted' in object).toBe(false);
    }
  });

  it('restores an encrypted member called __proto__ as a member, and changes no prototype', () => {
    const opened = open(
      JSON.parse('{"enc___proto__":"token:{\\"polluted\\":true}"}'),
      tree('__proto__'),
    ) as object;
    expect(JSON.stringify(opened)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(opened)).toBe(Object.prototype);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('takes nothing inherited for a field', () => {
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(select({}, tree(name)).slots, name).toEqual([]);
    }
    expect(select(Object.create({ a: 1 }), tree('a')).slots).toEqual([]);
  });
});

describe('selecting and replacing any body', () => {
  const names = fc.constantFrom(
    'a',
    'b',
    'c',
    'list',
    '__proto__',
    'constructor',
    '0',
    '10',
    'enc_a',
    'enc_',
  );
  const { body } = fc.letrec<{ body: unknown }>((tie) => ({
    body: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom<unknown>(null, 0, false, '', '007', 1.5, 'x'),
      fc.array(fc.tuple(names, tie('body')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
      fc.array(tie('body'), { maxLength: 3 }),
    ),
  }));
  const trees = fc.constantFrom(
    tree('a', 'b'),
    tree('*'),
    tree('*', '!a', '#'),
    tree('a.*', 'list.#.a', '__proto__'),
    tree('*.a', '#.*', 'list.c'),
    tree('list.#', 'a.b.c', 'constructor.*', '!constructor.a'),
    tree('*.*', '!0.*', '#.#'),
  );

  it.each([PREFIX, ''])(
    'comes back exactly, member order too, and touches no input (prefix "%s")',
    (prefix) => {
      let compared = 0;
      fc.assert(
        fc.property(body, trees, (value, fields) => {
          const before = JSON.stringify(value);
          const { slots } = select(deepFrozen(value), fields, prefix);
          if (slots.some(({ plain, wire }) => plain && wire) || slots.some(({ wire }) => wire)) return;
          const sealed = deepFrozen(seal(value, fields, prefix));
          expect(JSON.stringify(open(sealed, fields, prefix))).toBe(before);
          expect(JSON.stringify(value)).toBe(before);
          if (JSON.stringify(sealed) !== before) compared += 1;
        }),
        runs(400, 7),
      );
      expect(compared).toBeGreaterThan(80); // or the property would say nothing
    },
  );

  it('overlooks no field by looking for a few: all are found, or more than those', () => {
    let cut = 0;
    const options = { prefix: PREFIX, isToken };
    fc.assert(
      fc.property(body, trees, fc.integer({ min: 0, max: 2 }), (value, fields, most) => {
        const all = selectFields(value, fields, options).slots.map(({ place, plain, wire }) => [
          place,
          plain,
          wire,
        ]);
        const { slots } = selectFields(value, fields, { ...options, most });
        if (slots.length > most) cut += 1;
        else expect(slots.map(({ place, plain, wire }) => [place, plain, wire])).toEqual(all);
        if (all.length <= most) expect(slots).toHaveLength(all.length);
      }),
      runs(600, 9),
    );
    expect(cut).toBeGreaterThan(40); // or the property would say nothing
  });

  it('sees no plain field any more in what it has replaced', () => {
    fc.assert(
      fc.property(body, trees, (value, fields) => {
        const { slots } = select(value, fields);
        if (slots.some(({ wire }) => wire)) return;
        expect(select(seal(value, fields), fields).slots.filter(({ plain }) => plain)).toEqual([]);
      }),
      runs(200, 8),
    );
  });
});
