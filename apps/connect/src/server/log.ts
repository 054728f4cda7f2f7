/** A request as this server has it in its log: what came, byte for byte, and what was answered. */
export interface Logged {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  /** The head as it came, but for the cookie and what it says about the session. */
  readonly head: string;
  readonly body: Buffer;
  readonly status: number;
  readonly answer: Buffer;
}

/** A request of the log that has not been answered yet. */
export type Arrived = Omit<Logged, 'status' | 'answer'>;

type Hear = (entry: Arrived | Logged) => void;

/** The oldest entries go first: an example must not fill the memory of the machine that it runs on. */
const CAPACITY = 200;

/** The log of every request that was forwarded. Each session hears of its own only. */
export class RequestLog {
  readonly #entries = new Map<number, { readonly session: string; entry: Arrived | Logged }>();
  readonly #listeners = new Map<Hear, string>();
  #last = 0;

  /** Writes down a request before anything is done with it. */
  arrived(session: string, request: Omit<Arrived, 'id'>): Arrived {
    this.#last += 1;
    const entry = { id: this.#last, ...request };
    this.#entries.set(entry.id, { session, entry });
    this.#entries.delete(this.#last - CAPACITY);
    this.#tell(session, entry);
    return entry;
  }

  answered(session: string, arrived: Arrived, status: number, answer: Buffer): void {
    const entry = { ...arrived, status, answer };
    if (this.#entries.has(entry.id)) this.#entries.set(entry.id, { session, entry }); // or others have come since
    this.#tell(session, entry);
  }

  entries(): (Arrived | Logged)[] {
    return [...this.#entries.values()].map(({ entry }) => entry);
  }

  /** Tells `hear` of every entry of a session from now on, or of those after an id. Returns what ends that. */
  follow(session: string, hear: Hear, after: number = this.#last): () => void {
    for (const { session: whose, entry } of this.#entries.values())
      if (whose === session && entry.id > after) hear(entry);
    this.#listeners.set(hear, session);
    return () => this.#listeners.delete(hear);
  }

  #tell(session: string, entry: Arrived | Logged): void {
    for (const [hear, listener] of this.#listeners) if (listener === session) hear(entry);
  }
}
