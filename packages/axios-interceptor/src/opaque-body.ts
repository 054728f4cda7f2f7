/**
 * The plain body of a request that failed before it was sent, in the config of its error: a retry can open it, but no
 * log has anything to show.
 */
export class OpaqueBody {
  readonly #data: unknown;

  private constructor(data: unknown) {
    this.#data = data;
    Object.freeze(this);
  }

  static of(data: unknown): unknown {
    return data === undefined || data instanceof OpaqueBody ? data : new OpaqueBody(data);
  }

  static open(data: unknown): unknown {
    return data instanceof OpaqueBody ? data.#data : data;
  }

  toJSON(): string {
    return '[not sent]';
  }
}
