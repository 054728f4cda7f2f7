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
