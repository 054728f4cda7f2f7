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
  /** A rule behind an array that has more elements than it may. */
  readonly tooLong?: FieldRule;
  /** The body with the changes made through the slots. The input is not touched; what did not change is shared. */
  result(): unknown;
}

export interface SelectOptions {
  /** What an encrypted field's name begins with. Empty: the token takes the value's place under the same name. */
  readonly prefix: string;
  /** Tells a token from a plain value where both stand under one name. */
  readonly isToken: (value: unknown) => boolean;
  /** Arrays with more elements are not looked into; `tooLong` tells of them. Default: all are. */
  readonly elements?: number;
  /** The walk ends when it has found more fields. Default: never. */
  readonly most?: number | undefined;
}

type Key = string | number;
type Steps = readonly Key[];

/**
 * Finds every field of `tree` in `body`, in one walk along the paths of the tree. Recursion is as deep as the tree. What has
 * no field in it costs no memory. A field that is nowhere is a slot as well where it is required.
 */
export function selectFields(body: unknown, tree: FieldTree, options: SelectOptions): Selection {
  const walk = new Walk(options);
  const root = walk.visit(body, tree);
  const { slots, mismatch, tooLong } = walk;
  const faults = { ...(mismatch && { mismatch }), ...(tooLong && { tooLong }) };
  return { slots, ...faults, result: () => (root ? root.finish() : body) };
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
  tooLong: FieldRule | undefined;
  readonly #options: SelectOptions;
  /** Where it is. */
  readonly #at: Key[] = [];

  constructor(options: SelectOptions) {
    this.#options = options;
  }

  /** Visits a container on the way to a field. Nothing when there is none in it. */
  visit(value: unknown, tree: FieldTree): Copy | undefined {
    if (value === null || value === undefined) return undefined;
    if (Array.isArray(value)) return tree.element ? this.#array(value, tree.element) : this.#differs(tree);
    if (typeof value !== 'object') return this.#differs(tree);
    return tree.any || tree.members.size > 0 ? this.#object(value, tree) : this.#differs(tree);
  }

  #array(source: readonly unknown[], element: FieldTree): Copy | undefined {
    const { elements = Number.POSITIVE_INFINITY } = this.#options;
    if (source.length > elements) {
      this.tooLong ??= firstRule(element);
      return undefined;
    }
    const copy = new LazyCopy(source);
    for (let index = 0; index < source.length && !this.#isFull(); index += 1) {
      this.#at.push(index);
      if (!element.rule) copy.nest(index, this.visit(source[index], element));
      else if (treats(element.rule)) this.#inPlace(copy.made(), index, element.rule, source[index]);
      this.#at.pop();
    }
    return copy.ifMade;
  }

  #object(source: object, tree: FieldTree): Copy | undefined {
    const copy = new LazyCopy(source);
    let fields: Map<string, Found> | undefined;
    for (const [key, value] of Object.entries(source)) {
      if (this.#isFull(fields?.size)) break;
      const form = this.#formOf(key, value, tree);
      const child = tree.members.get(key) ?? tree.any;
      if (form && treats(form.rule)) {
        fields ??= new Map();
        note(fields, key, form);
      } else if (child && !child.rule) {
        this.#at.push(key);
        copy.nest(key, this.visit(value, child));
        this.#at.pop();
      }
    }
    // In the order of the policy, then those of `*`.
    for (const [name, { rule }] of tree.members) {
      const found = fields?.get(name) ?? (rule?.required && treats(rule) && { rule });
      if (found) this.#field(copy.made(), name, found);
    }
    for (const [name, found] of fields ?? [])
      if (!tree.members.has(name)) this.#field(copy.made(), name, found);
    return copy.ifMade;
  }

  /** `more` fields are found, but no slots yet. */
  #isFull(more = 0): boolean {
    return this.slots.length + more > (this.#options.most ?? Number.POSITIVE_INFINITY);
  }

  /** Which field, in which form, a member of an object is. */
  #formOf(key: string, value: unknown, tree: FieldTree): Form | undefined {
    const { prefix, isToken } = this.#options;
    const own = ruleOf(tree, key);
    if (prefix !== '' && key.startsWith(prefix)) {
      const name = key.slice(prefix.length);
      const rule = ruleOf(tree, name);
      // Below `*` a member may bear the prefix of its own accord; then only a token is taken for the encrypted form.
      if (rule && treats(rule) && (!own || isToken(value))) return { name, rule, isWire: true };
    }
    return own && { name: key, rule: own, isWire: prefix === '' && isToken(value) };
  }

  #field(copy: Copy, name: string, { rule, plainKey, wireKey }: Found): void {
    const at = [...this.#at, name];
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

  #inPlace(copy: Copy, index: number, rule: FieldRule, value: unknown): void {
    const at = [...this.#at];
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

function treats({ treatment }: FieldRule): boolean {
  return treatment !== 'none';
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
  readonly #replaced = new Map<Key, readonly [Key, unknown]>();

  constructor(source: object) {
    this.#source = source;
  }

  get(key: Key): unknown {
    return (this.#source as Record<Key, unknown>)[key]; // keys come from Object.entries or an index
  }

  nest(key: Key, copy: Copy): void {
    this.#nested.set(key, copy);
  }

  /** `keys` become one `name: value`, where the first of them is. */
  replace(keys: readonly Key[], name: Key, value: unknown): void {
    for (const key of keys) this.#replaced.set(key, [name, value]);
  }

  finish(): unknown {
    const nested = new Map([...this.#nested].map(([key, copy]) => [key, copy.finish()]));
    const changed = this.#replaced.size > 0 || [...nested].some(([key, value]) => value !== this.get(key));
    if (!changed) return this.#source;
    if (Array.isArray(this.#source)) {
      return this.#source.map((value, i) => this.#entry(i, value, nested)[1]);
    }
    // Object.fromEntries defines members, so that one called `__proto__` stays a member.
    return Object.fromEntries(
      Object.entries(this.#source).map(([key, value]) => this.#entry(key, value, nested)),
    );
  }

  #entry(key: Key, value: unknown, nested: ReadonlyMap<Key, unknown>): readonly [Key, unknown] {
    return this.#replaced.get(key) ?? [key, nested.has(key) ? nested.get(key) : value];
  }
}

/** A container on the way to its changed copy, which is made when there is something to change in it. */
class LazyCopy {
  readonly #source: object;
  ifMade: Copy | undefined;

  constructor(source: object) {
    this.#source = source;
  }

  made(): Copy {
    this.ifMade ??= new Copy(this.#source);
    return this.ifMade;
  }

  nest(key: Key, copy: Copy | undefined): void {
    if (copy) this.made().nest(key, copy);
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
  if (rule) return treats(rule) ? rule : undefined;
  for (const child of [...members.values(), any, element]) {
    const found = child && firstRule(child);
    if (found) return found;
  }
  return undefined;
}
