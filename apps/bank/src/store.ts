import { randomBytes } from 'node:crypto';

/** What the bank adds to what it is given. */
export interface Stored {
  readonly id: string;
  readonly created_at: string;
}

/** The oldest records go first: an example must not fill the memory of the machine that it runs on. */
const CAPACITY = 1_000;

/** Records of one kind in memory, each seen only by the partner that it belongs to. */
export class Store<Item extends object> {
  readonly #prefix: string;
  readonly #records = new Map<string, { readonly owner: string; readonly item: Item & Stored }>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(owner: string, item: Item): Item & Stored {
    const id = `${this.#prefix}_${randomBytes(10).toString('hex')}`;
    const stored = { ...item, id, created_at: new Date().toISOString() };
    this.#records.set(id, { owner, item: stored });
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= CAPACITY) break;
      this.#records.delete(oldest);
    }
    return stored;
  }

  find(owner: string, id: string): (Item & Stored) | undefined {
    const record = this.#records.get(id);
    return record?.owner === owner ? record.item : undefined;
  }

  list(owner: string): (Item & Stored)[] {
    return [...this.#records.values()].filter((record) => record.owner === owner).map(({ item }) => item);
  }
}
