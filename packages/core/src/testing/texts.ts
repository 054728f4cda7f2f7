/** A text, and where it stands. */
type Text = readonly [place: string, text: string];

/** What is nested deeper may have no end: accessors can make a new object each time. */
const DEEPEST = 1000;

/** What shows what it holds only when it is read, and some of it only once. */
const UNREAD = /^(?:Blob|File|Request|Response|.*(?:Stream|Iterator|Generator))$/;
/** What holds names and values that are no members. */
const LISTS = /^(?:FormData|Headers|Map|Set|URLSearchParams)$/;
/** What a text or a number is as an object. */
const BOXES = /^(?:BigInt|Number|String)$/;

/**
 * Every text of a value: strings, numbers, bytes as UTF-8, names of members. Members that are not enumerable, and the
 * accessors of classes, are read as well. Goes round cycles; functions within the value hold nothing.
 *
 * Throws a `TypeError` for what does not show what it holds: a promise, a response, a stream, a function in place of a value.
 */
export function textsOf(root: unknown): Iterable<Text> {
  if (typeof root === 'function') throw new TypeError('A function shows nothing: call it first');
  const seen = new Set<object>();

  function* walk(value: unknown, place: string, depth: number): Generator<Text> {
    if (value === undefined || value === null || typeof value === 'function') return;
    if (typeof value !== 'object') return yield [place, String(value)];
    if (seen.has(value)) return;
    seen.add(value);
    if (depth > DEEPEST) throw new TypeError(`The value is nested deeper than ${DEEPEST} levels`);
    const bytes = bytesOf(value);
    if (bytes) return yield [place, new TextDecoder().decode(bytes)];
    refuseUnread(value, place);
    if (BOXES.test(kindOf(value))) yield [place, String(value)];
    for (const [name, item] of membersOf(value)) {
      yield* walk(name, `a name in ${place}`, depth + 1);
      yield* walk(item, `${place}.${typeof name === 'object' ? '*' : String(name)}`, depth + 1);
    }
  }
  return walk(root, '$', 0);
}

/** What a value is, also where it is of another realm. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function bytesOf(value: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return /^(?:Shared)?ArrayBuffer$/.test(kindOf(value)) ? new Uint8Array(value as ArrayBuffer) : undefined;
}

function refuseUnread(value: object, place: string): void {
  if (typeof memberOf(value, 'then') === 'function')
    throw new TypeError(`Nothing shows of the promise at ${place}: await it`);
  const isStream = typeof memberOf(value, 'getReader') === 'function' || Symbol.asyncIterator in value;
  const kind = kindOf(value);
  if (isStream || UNREAD.test(kind))
    throw new TypeError(`Nothing shows of the ${isStream ? 'stream' : kind} at ${place}: read it first`);
}

/** Names and values, its own members and the accessors of its class, and what JSON has in its place. */
function* membersOf(value: object): Generator<readonly [name: unknown, item: unknown]> {
  const entries = LISTS.test(kindOf(value)) && memberOf(value, 'entries');
  if (typeof entries === 'function') yield* Reflect.apply(entries, value, []);
  for (const name of namesOf(value)) yield [name, memberOf(value, name)];
  const toJSON = memberOf(value, 'toJSON');
  if (typeof toJSON === 'function') yield ['toJSON()', resultOf(() => Reflect.apply(toJSON, value, []))];
}

function namesOf(value: object): Set<string | symbol> {
  const names = new Set(Reflect.ownKeys(value));
  let type = Object.getPrototypeOf(value);
  while (type !== null && Object.getPrototypeOf(type) !== null) {
    // the last one is of all objects
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(type)))
      if (get) names.add(name);
    type = Object.getPrototypeOf(type);
  }
  return names;
}

function memberOf(value: object, name: string | symbol): unknown {
  return resultOf(() => Reflect.get(value, name));
}

/** What throws when it is looked at shows nothing. */
function resultOf(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
