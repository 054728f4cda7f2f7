/** A value that a bank asks its customers for, as the aggregator describes it. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'password' | 'list';
  /** What a value looks like as a whole. */
  readonly regex?: string;
  readonly required: boolean;
  /** What may be chosen of a list. */
  readonly values?: readonly { readonly label: string; readonly value: string }[];
}

/** A bank, and what it takes to sign in to it. */
export interface Bank {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly Field[];
}

/** A description has not the shape that is due, or one that could cost a value. It came through a server that is not trusted. */
export class BadDescription extends Error {}

/**
 * Names that a value would not arrive under: the bank's number takes the place of one, and what copies a body on its way
 * out leaves the others behind.
 */
const REFUSED_NAMES = ['id_connector', '__proto__', 'constructor', 'prototype'];

/** The banks that a description holds. Throws {@link BadDescription}. */
export function readBanks(description: unknown): Bank[] {
  return list(member(description, 'connectors')).map((connector) => {
    const id = member(connector, 'id');
    if (typeof id !== 'number') throw new BadDescription('A bank has no number');
    return { id, name: text(member(connector, 'name')), fields: readFields(member(connector, 'fields')) };
  });
}

/** As {@link readBanks}, of fields alone. */
export function readFields(description: unknown): Field[] {
  const fields = list(description).map(readField);
  const names = fields.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new BadDescription('Two fields have one name');
  if (names.some((name) => REFUSED_NAMES.includes(name)))
    throw new BadDescription('A field has a name that its value would not arrive under');
  return fields;
}

function readField(field: unknown): Field {
  const type = member(field, 'type');
  const regex = member(field, 'regex');
  const values = member(field, 'values');
  return {
    name: text(member(field, 'name')),
    label: text(member(field, 'label')),
    type: type === 'password' || type === 'list' ? type : 'text',
    required: member(field, 'required') !== false,
    ...(typeof regex === 'string' && { regex }),
    ...(values !== undefined && {
      values: list(values).map((choice) => ({
        label: text(member(choice, 'label')),
        value: text(member(choice, 'value')),
      })),
    }),
  };
}

function member(value: unknown, name: string): unknown {
  return Reflect.get(Object(value), name);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new BadDescription('A description has no list where one is due');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new BadDescription('A description has no text where one is due');
}
