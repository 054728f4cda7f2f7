/**
 * The plain body of a covered request on the short way from axios' serialisation to encryption. Only the exchange can
 * open it: an adapter that was put in the exchange's place has nothing to send, and no log has anything to show.
 */
export class OpaqueBody {
  readonly #data: unknown;

  constructor(data: unknown) {
    this.#data = data;
    Object.freeze(this);
  }

  static open(data: unknown): unknown {
    return data instanceof OpaqueBody ? data.#data : data;
  }

  /** The last of a request's `transformRequest` functions. */
  static readonly seal = (data: unknown): unknown => (data === undefined ? undefined : new OpaqueBody(data));

  toJSON(): string {
    return '[to be encrypted]';
  }
}
