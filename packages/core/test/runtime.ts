/*
 * What tests need to know of the runtime that they run in: Node and what takes after it (Deno, Bun), or a browser.
 */
type NodeProcess = typeof globalThis.process;

const process = Reflect.get(globalThis, 'process') as Partial<NodeProcess> | undefined;
const util = process?.getBuiltinModule?.('node:util');
const stream = process?.getBuiltinModule?.('node:stream');
const buffer = process?.getBuiltinModule?.('node:buffer');

/** Its WebCrypto makes keys on the event loop, and its engine takes seconds to serialise what is nested 50,000 deep. */
export const isBun: boolean = 'Bun' in globalThis;

/** A depth of nesting at which most engines give up serialising. */
export const DEEP: number = isBun ? 5_000 : 50_000;

/** Node's `Buffer` of these bytes. In a browser, the bytes. */
export function bufferOf(bytes: Uint8Array): Uint8Array {
  return buffer?.Buffer.from(bytes) ?? bytes;
}

/** Node's stream of one text. In a browser, what code that is written for both may make in its place. */
export function nodeStream(text: string): object {
  return stream?.Readable.from([text]) ?? { pipe: () => {}, on: () => {}, read: () => text };
}

/** Standard output and standard error, where a process has them. */
export const outputs: readonly { write(chunk: unknown): unknown }[] = [
  process?.stdout,
  process?.stderr,
].filter((output) => output !== undefined);

/** The rejections that nobody handled, from now until `stop`. */
export interface Unhandled {
  readonly reasons: readonly unknown[];
  stop(): void;
}

export function hearUnhandled(): Unhandled {
  const reasons: unknown[] = [];
  if (process?.on && process.off) {
    const hear = (reason: unknown): void => void reasons.push(reason);
    process.on('unhandledRejection', hear);
    return { reasons, stop: () => process.off?.('unhandledRejection', hear) };
  }
  const page = globalThis as unknown as EventTarget;
  const hear = (event: Event): void => void reasons.push(Reflect.get(event, 'reason'));
  page.addEventListener('unhandledrejection', hear);
  return { reasons, stop: () => page.removeEventListener('unhandledrejection', hear) };
}

/** Everything that a console could show of a value, to the bottom: by Node's `inspect`, or by a walk like it. */
export function inspected(value: unknown): string {
  const options = { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null };
  return util ? util.inspect(value, options) : walked(value, new Set()).join('\n');
}

/** Own properties, hidden ones and symbols included; entries of collections; bytes. No getter is called. */
function walked(value: unknown, seen: Set<object>): string[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return [String(value)];
  if (seen.has(value)) return [];
  seen.add(value);
  if (value instanceof ArrayBuffer) return walked(new Uint8Array(value), seen);
  if (ArrayBuffer.isView(value)) return [bytesOf(value).join(' ')];
  const entries = value instanceof Map || value instanceof Set ? [...value.entries()].flat() : [];
  const members = Reflect.ownKeys(value).flatMap((key): unknown[] => {
    const { value: member } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    return [String(key), member];
  });
  return [...entries, ...members].flatMap((member) => walked(member, seen));
}

function bytesOf(view: ArrayBufferView): string[] {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
}

/** The next turn of the event loop, without the pause that browsers make before a timer. */
export function nextTurn(): Promise<void> {
  const immediate = Reflect.get(globalThis, 'setImmediate') as ((turn: () => void) => unknown) | undefined;
  return new Promise((resolve) => (immediate ? immediate(resolve) : ofMessages(resolve)));
}

function ofMessages(turn: () => void): void {
  const { port1, port2 } = new MessageChannel();
  const port = port1 as unknown as EventTarget & { start(): void; close(): void }; // as a browser has it
  port.addEventListener('message', () => {
    port.close();
    turn();
  });
  port.start();
  port2.postMessage(undefined);
}
