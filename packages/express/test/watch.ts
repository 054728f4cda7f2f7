import { inspect } from 'node:util';
import { onTestFinished, vi } from 'vitest';

/** Everything that this process prints and every failure that nobody catches, until the test ends. */
export interface Watch {
  readonly printed: () => string;
  /** Uncaught exceptions and unhandled rejections. */
  readonly uncaught: readonly unknown[];
}

const CONSOLE = ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const;

export function watch(): Watch {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  const spies = [
    ...CONSOLE.map((method) => vi.spyOn(console, method).mockImplementation(() => {})),
    vi.spyOn(process.stdout, 'write').mockReturnValue(true),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
  ];
  const before = ['uncaughtException', 'unhandledRejection'].map((event) => {
    const listeners = process.rawListeners(event);
    process.removeAllListeners(event).on(event, note);
    return { event, listeners };
  });
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
    for (const { event, listeners } of before) {
      process.removeAllListeners(event);
      // Listeners as process.rawListeners() gave them.
      for (const listener of listeners) process.on(event, listener as () => void);
    }
  });
  return { uncaught, printed: () => spies.map((spy) => everythingOf(spy.mock.calls)).join('\n') };
}

/** Everything that a log could show of a value. */
export function everythingOf(value: unknown): string {
  return `${inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null })}
${JSON.stringify(value)}`;
}

/** Long enough for whatever a handler or the adapter still had to do. */
export function settle(): Promise<void> {
  return new Promise((done) => setTimeout(done, 10));
}

/** Something that happens once, and those who wait for it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((done) => {
    open = done;
  });
  return { passed, open };
}
