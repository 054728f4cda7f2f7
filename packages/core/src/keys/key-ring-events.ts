import { invalidOption } from '../errors.js';

/**
 * `made`: this ring has made a key. `revoked`: this ring has taken one out of use. `store_failed`: the store could not be
 * read or written in the background; the keys at hand serve on, but none is replaced until it works again. Told once
 * until then.
 */
export interface KeyRingEvent {
  readonly type: 'made' | 'revoked' | 'store_failed';
  /** The key concerned. */
  readonly kid?: string;
  /** What the store has thrown. */
  readonly error?: unknown;
}

export type KeyRingReport = (event: KeyRingEvent) => void;

export function checkReport(onEvent: KeyRingReport | undefined): KeyRingReport | undefined {
  if (onEvent !== undefined && typeof onEvent !== 'function') invalidOption('onEvent', 'a function', onEvent);
  return onEvent;
}

/** Never throws: a listener that fails must not decide whether there are keys. */
export function reportKeyEvent(onEvent: KeyRingReport | undefined, event: KeyRingEvent): void {
  try {
    // A listener may be asynchronous, whatever its type says.
    if (onEvent) Promise.resolve(onEvent(event) as unknown).catch(() => {});
    else if (event.type === 'store_failed')
      console.warn(`[e2ee] store_failed: the key store cannot be used: ${messageOf(event.error)}`);
  } catch {
    // As above.
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'for an unknown reason';
}
