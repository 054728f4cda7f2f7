/** A clock that stands still until it is told to move. */
export interface TestClock {
  /** What time it is now, in milliseconds since the epoch. */
  readonly now: number;
  /** Moves it on, by seconds. Throws a `TypeError` for less than none, and for no number. */
  advance(seconds: number): void;
  /** Sets it: keys, bindings and replay stores see the jump; ages of fetched keys only grow with {@link advance}. */
  set(time: Date | string | number): void;
  /** Gives the real clocks back. To be called after each test that has made one; once more, it does nothing. */
  restore(): void;
}

export interface TestClockOptions {
  /** Default: the real time. */
  readonly now?: Date | string | number;
}

let isInUse = false;

/**
 * Takes the place of `Date` and of `performance.now()`, which all times of this library are read from: the expiry and the
 * rotation of keys, the age of a remote JWKS, the times that bind tokens, replay stores. Timers go on by the real clock;
 * what needs those moved as well uses the fake timers of the test runner instead.
 *
 * Throws a `TypeError` for what is no time, and an `Error` where another test clock has not been restored.
 *
 * @example
 * const clock = testClock({ now: '2027-01-01T00:00:00Z' })
 * try {
 *   const sent = await client.encryptRequest(request)
 *   clock.advance(3600)
 *   expect((await provider.send(sent)).status).toBe(400) // of a profile whose tokens are bound to their time
 * } finally {
 *   clock.restore()
 * }
 */
export function testClock({ now = Date.now() }: TestClockOptions = {}): TestClock {
  if (isInUse) throw new Error('A test clock is in use: call its restore() first');
  let time = read(now);
  let monotonic = performance.now();
  const restore = [
    replace(
      globalThis,
      'Date',
      stoppedDate(() => time),
    ),
  ];
  restore.push(replace(performance, 'now', () => monotonic));
  isInUse = true;
  return {
    get now() {
      return time;
    },
    advance: (seconds) => {
      if (!(seconds >= 0 && Number.isFinite(seconds)))
        throw new TypeError('A clock is moved on by a number of seconds; set() sets it back');
      time += seconds * 1000;
      monotonic += seconds * 1000;
    },
    set: (to) => {
      time = read(to);
    },
    restore: () => {
      if (restore.length === 0) return; // another clock may be in use by now
      for (const giveBack of restore.splice(0)) giveBack();
      isInUse = false;
    },
  };
}

function read(time: Date | string | number): number {
  const read = new Date(time).getTime();
  if (Number.isNaN(read)) throw new TypeError('A test clock needs a date, or milliseconds since the epoch');
  return read;
}

/** `Date`, but for what it says when it is not told a time. */
function stoppedDate(now: () => number): DateConstructor {
  return new Proxy(Date, {
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    apply: (target) => new target(now()).toString(),
  });
}

/** Resolves to what puts the old one back. */
function replace(holder: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, name);
  Object.defineProperty(holder, name, { value, writable: true, configurable: true });
  return () => {
    if (own) Object.defineProperty(holder, name, own);
    else Reflect.deleteProperty(holder, name);
  };
}
