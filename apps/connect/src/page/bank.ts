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

/** The banks that a description holds. Throws when it has another shape: it came through a server that is not trusted. */
export function readBanks(description: unknown): Bank[] {
  return list(member(description, 'connectors')).map((connector) => {
    const id = member(connector, 'id');
    if (typeof id !== 'number') throw new TypeError('A bank has no number');
    return { id, name: text(member(connector, 'name')), fields: readFields(member(connector, 'fields')) };
  });
}

/** As {@link readBanks}, of fields alone. */
export function readFields(description: unknown): Field[] {
  return list(description).map((field) => {
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
  });
}

function member(value: unknown, name: string): unknown {
  return Reflect.get(Object(value), name);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('A description has no list where one is due');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('A description has no text where one is due');
}
