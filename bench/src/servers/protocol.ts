import type { Pair } from '../keys.js';

/** What a server process is told to be. */
export interface ServerRole {
  readonly framework: string;
  readonly middleware: boolean;
  readonly pair: Pair;
}

export type ToServer = { readonly start: ServerRole } | { readonly ask: 'reset' | 'report' };

/** What a server saw of itself since it was told to forget. */
export interface ServerReport {
  /** Milliseconds that timers were late by. */
  readonly delay50: number;
  readonly delay99: number;
  readonly delayMax: number;
  /** Megabytes. */
  readonly rss: number;
  /** Microseconds of processor time, of all threads. */
  readonly cpu: number;
}

export type FromServer =
  | { readonly port: number }
  | { readonly report: ServerReport }
  | { readonly done: true };
