/** The oldest records go first: an example must not fill the memory of the machine that it runs on. */
const CAPACITY = 1_000;

interface Owned {
  readonly userId: number;
}

/** Records of one kind in memory, each seen only by the user that it belongs to. */
export class Store<Item extends Owned> {
  readonly #items = new Map<number, Item>();
  #last = 0;

  add(item: Item): number {
    this.#last += 1;
    this.#items.set(this.#last, item);
    this.#items.delete(this.#last - CAPACITY);
    return this.#last;
  }

  find(id: string, userId: number): Item | undefined {
    const item = this.#items.get(Number(id));
    return item?.userId === userId ? item : undefined;
  }

  replace(id: string, item: Item): void {
    this.#items.set(Number(id), item);
  }
}
