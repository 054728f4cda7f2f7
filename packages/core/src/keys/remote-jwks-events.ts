/**
 * `refreshed`: a set was fetched, or confirmed. `stale`: refreshing failed, the last good set serves on. `refused`: the
 * endpoint answered with a set that must not be trusted, or the `preset` is no state of this URL. `unavailable`:
 * refreshing failed, and there is no usable key.
 */
export interface RemoteJwksEvent {
  readonly type: 'refreshed' | 'stale' | 'refused' | 'unavailable';
  /** Without its query. */
  readonly url: string;
  readonly error?: unknown;
}

/** Tells a listener. One that fails, also later, must not decide whether there are keys. */
export function tell(listener: (event: RemoteJwksEvent) => void, event: RemoteJwksEvent): void {
  try {
    // A listener may be asynchronous, whatever its type says.
    Promise.resolve(listener(event) as unknown).catch(() => {});
  } catch {
    // It was told.
  }
}
