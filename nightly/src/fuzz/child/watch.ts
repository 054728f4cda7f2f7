import { inspect } from 'node:util';
import type { Asked, FindingKind, Told } from '../findings.js';
import { CANARY } from '../secrets.js';

/* What every subject does for the process that drives it: reports what goes wrong inside, and how much memory it takes. */

const OBJECT_MEMBERS = Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length;

let handled = 0;

export function tell(told: Told): void {
  process.send?.(told);
}

export function report(kind: FindingKind, detail: unknown): void {
  tell({ type: 'finding', kind, detail: typeof detail === 'string' ? detail : inspect(detail) });
}

export function countHandled(): void {
  handled += 1;
}

/** Whatever a log could show of an event or an error must not show what was encrypted. */
export function checkSecrecy(shown: unknown): void {
  const text = `${inspect(shown, { depth: 8, maxStringLength: 100_000 })}${asJson(shown)}${String(shown)}`;
  if (text.includes(CANARY)) report('canary in an event or error', text.slice(0, 2_000));
}

/** Begins to watch, and to do what `onAsked` is for. */
export function watch(onAsked: (asked: Asked) => void = () => {}): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      report('unhandled', `${event}: ${inspect(error)}`);
      setTimeout(() => process.exit(70), 50); // the report goes first
    });
  process.on('disconnect', () => process.exit(0));
  process.on('message', (asked: Asked) => {
    if (asked.type !== 'memory') return onAsked(asked);
    checkPrototypes();
    void measureMemory().then((bytes) => tell({ type: 'memory', bytes, handled }));
  });
}

function checkPrototypes(): void {
  const members = Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length;
  if (members !== OBJECT_MEMBERS || Reflect.get({}, 'polluted') !== undefined)
    report('prototype changed', Reflect.ownKeys(Object.prototype).map(String).join(', '));
}

async function measureMemory(): Promise<number> {
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.();
    await new Promise((done) => setTimeout(done, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
