import type { FieldRule, FieldTree } from './tree.js';

/** A field found in a body, in plain, encrypted, in both forms or in neither. */
export interface FieldSlot {
  readonly rule: FieldRule;
  /** Where exactly it is, as a field path: with the index of an element, the name of a member, of its plain form. */
  readonly place: string;
  readonly plain?: { readonly value: unknown };
  readonly wire?: { readonly value: unknown };
  /** Puts the plain form of the field, and nothing else of it, into the result. */
  setPlain(value: unknown): void;
  /** Puts the encrypted form of the field, and nothing else of it, into the result. */
  setWire(value: unknown): void;
}

export interface Selection {
  readonly slots: readonly FieldSlot[];
  /** A rule that could not be followed, because the body has another kind of value where its path goes through. */
  readonly mismatch?: FieldRule;
  /** How many elements the longest array on the way to a field has. */
  readonly longest: number;
  /** The body with the changes made through the slots. The input is not touched; what did not change is shared. */
  result(): unknown;
}

export interface SelectOptions {
  /** What an encrypted field's name begins with. Empty: the token takes the value's place under the same name. */
  readonly prefix: string;
  /** Tells a token from a plain value where both stand under one name. */
  readonly isToken: (value: unknown) => boolean;
}

type Key = string | number;
type Steps = readonly Key[];

/** Finds every field of `tree` in `body`, in one walk along the paths of the tree. Recursion is as deep as the tree. */
export function selectFields(body: unknown, tree: FieldTree, options: SelectOptions): Selection {
  const walk = new Walk(options);
  const root = walk.visit(body, tree, []);
  const { slots, mismatch, longest } = walk;
  return { slots, longest, ...(mismatch && { mismatch }), result: () => (root ? root.finish() : body) };
}

/** What a member of an object is: a field, encrypted or not. */
interface Form {
  readonly name: string;
  readonly rule: FieldRule;
  readonly isWire: boolean;
}

/** A field of an object, and the members that it is there as. */
interface Found {
  rule: FieldRule;
  plainKey?: string;
  wireKey?: string;
}

class Walk {
  readonly slots: FieldSlot[] = [];
  mismatch: FieldRule | undefined;
  longest = 0;
  readonly #options: SelectOptions;

  constructor(options: SelectOptions) {
    this.#options = options;
  }

  /** Visits a container on the way to a field. */
  visit(value: unknown, tree: FieldTree, at: Steps): Copy | undefined {
    if (value === null || value === undefined) return undefined;
    if (Array.isArray(value))
      return tree.element ? this.#array(value, tree.element, at) : this.#differs(tree);
    if (typeof value !== 'object') return this.#differs(tree);
    return tree.any || tree.members.size > 0 ? this.#object(value, tree, at) : this.#differs(tree);
  }

  #array(source: readonly unknown[], element: FieldTree, at: Steps): Copy {
    this.longest = Math.max(this.longest, source.length);
    const copy = new Copy(source);
    source.forEach((value, index) => {
      if (!element.rule) copy.nest(index, this.visit(value, element, [...at, index]));
      else if (element.rule.treatment !== 'none') this.#inPlace(copy, [...at, index], element.rule, value);
    });
    return copy;
  }

  #object(source: object, tree: FieldTree, at: Steps): Copy {
    const copy = new Copy(source);
    const fields = new Map<string, Found>();
    for (const [name, { rule }] of tree.members) if (rule) fields.set(name, { rule });
    for (const [key, value] of Object.entries(source)) {
      const form = this.#formOf(key, value, tree);
      const child = tree.members.get(key) ?? tree.any;
      if (form) note(fields, key, form);
      else if (child && !child.rule) copy.nest(key, this.visit(value, child, [...at, key]));
    }
    for (const [name, field] of fields)
      if (field.rule.treatment !== 'none') this.#field(copy, [...at, name], field);
    return copy;
  }

  /** Which field, in which form, a member of an object is. */
  #formOf(key: string, value: unknown, tree: FieldTree): Form | undefined {
    const { prefix, isToken } = this.#options;
    const own = ruleOf(tree, key);
    if (prefix !== '' && key.startsWith(prefix)) {
      const name = key.slice(prefix.length);
      const rule = ruleOf(tree, name);
      // Below `*` a member may bear the prefix of its own accord; then only a token is taken for the encrypted form.
      if (rule && rule.treatment !== 'none' && (!own || isToken(value))) return { name, rule, isWire: true };
    }
    return own && { name: key, rule: own, isWire: prefix === '' && isToken(value) };
  }

  #field(copy: Copy, at: Steps, field: Found): void {
    const { rule, plainKey, wireKey } = field;
    const name = String(at.at(-1));
    const keys = [plainKey, wireKey].filter((key) => key !== undefined);
    this.slots.push({
      rule,
      get place() {
        return written(at);
      },
      ...(plainKey !== undefined && { plain: { value: copy.get(plainKey) } }),
      ...(wireKey !== undefined && { wire: { value: copy.get(wireKey) } }),
      setPlain: (value) => copy.replace(keys, name, value),
      setWire: (value) => copy.replace(keys, this.#options.prefix + name, value),
    });
  }

  #inPlace(copy: Copy, at: Steps, rule: FieldRule, value: unknown): void {
    const index = at.at(-1) as number;
    const set = (replacement: unknown): void => copy.replace([index], index, replacement);
    const form = this.#options.isToken(value) ? 'wire' : 'plain';
    this.slots.push({
      rule,
      get place() {
        return written(at);
      },
      [form]: { value },
      setPlain: set,
      setWire: set,
    });
  }

  #differs(tree: FieldTree): undefined {
    this.mismatch ??= firstRule(tree);
  }
}

function ruleOf(tree: FieldTree, name: string): FieldRule | undefined {
  return (tree.members.get(name) ?? tree.any)?.rule;
}

function note(fields: Map<string, Found>, key: string, { name, rule, isWire }: Form): void {
  const found = fields.get(name) ?? { rule };
  if (isWire) found.wireKey = key;
  else found.plainKey = key;
  fields.set(name, found);
}

/** A container on the way to its changed copy. Members keep their order; nothing is copied before it has to be. */
class Copy {
  readonly #source: object;
  readonly #nested = new Map<Key, Copy>();
  readonly #replaced = new Map<Key, readonly [Key, unknown] | undefined>();

  constructor(source: object) {
    this.#source = source;
  }

  get(key: Key): unknown {
    return (this.#source as Record<Key, unknown>)[key]; // keys come from Object.entries or an index
  }

  nest(key: Key, copy: Copy | undefined): void {
    if (copy) this.#nested.set(key, copy);
  }

  /** The first of `keys` becomes `name: value`; the others go. */
  replace(keys: readonly Key[], name: Key, value: unknown): void {
    keys.forEach((key, i) => {
      this.#replaced.set(key, i === 0 ? [name, value] : undefined);
    });
  }

  finish(): unknown {
    const nested = new Map([...this.#nested].map(([key, copy]) => [key, copy.finish()]));
    const changed = this.#replaced.size > 0 || [...nested].some(([key, value]) => value !== this.get(key));
    if (!changed) return this.#source;
    if (Array.isArray(this.#source)) {
      return this.#source.map((value, i) => this.#entry(i, value, nested)?.[1]);
    }
    const entries = Object.entries(this.#source).map(([key, value]) => this.#entry(key, value, nested));
    // Object.fromEntries defines members, so that one called `__proto__` stays a member.
    return Object.fromEntries(entries.filter((entry) => entry !== undefined));
  }

  #entry(key: Key, value: unknown, nested: ReadonlyMap<Key, unknown>): readonly [Key, unknown] | undefined {
    if (this.#replaced.has(key)) return this.#replaced.get(key);
    return [key, nested.has(key) ? nested.get(key) : value];
  }
}

/** Steps as a field path: no two places have one. A member called like an index, or like the whole body, is escaped. */
function written(steps: Steps): string {
  return steps.map((step) => (typeof step === 'number' ? String(step) : escaped(step))).join('.');
}

function escaped(name: string): string {
  return /^(?:\d+|\$)$/.test(name) ? `\\${name}` : name.replace(/[\\.]/g, '\\$&');
}

/** A rule of the tree that treats anything. */
function firstRule({ rule, members, any, element }: FieldTree): FieldRule | undefined {
  if (rule) return rule.treatment === 'none' ? undefined : rule;
  for (const child of [...members.values(), any, element]) {
    const found = child && firstRule(child);
    if (found) return found;
  }
  return undefined;
}
