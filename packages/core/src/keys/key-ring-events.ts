import { checkListener } from '../errors.js';

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

/** The listener; without one, a line on the console for what is worrying. Throws `option_invalid`. */
export function checkReport(onEvent: KeyRingReport | undefined): KeyRingReport {
  return checkListener(onEvent) ?? consoleReport;
}

function consoleReport({ type, error }: KeyRingEvent): void {
  if (type !== 'store_failed') return;
  const why = error instanceof Error ? error.message : 'for an unknown reason';
  console.warn(`[e2ee] store_failed: the key store cannot be used: ${why}`);
}
