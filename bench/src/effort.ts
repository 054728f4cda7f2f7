import type { Rounds } from './measure.js';

/** How much is measured. */
export interface Effort {
  readonly name: 'full' | 'short';
  /** Milliseconds of one contestant's turn. */
  readonly slice: number;
  readonly rounds: Rounds;
  readonly concurrency: readonly number[];
  readonly fields: readonly number[];
  readonly payloads: readonly number[];
  readonly keys: readonly string[];
  readonly frameworks: readonly string[];
  /** Of servers under load. What V8 makes of a server gets quicker for ten thousand requests and more. */
  readonly load: Rounds & { readonly seconds: number };
  /** Of servers whose difference may be 2 %. */
  readonly fineLoad: Rounds & { readonly seconds: number };
  /** How many requests memory must not grow over. */
  readonly requests: number;
}

const FULL: Effort = {
  name: 'full',
  slice: 200,
  rounds: { rounds: 9, warmUp: 2 },
  concurrency: [1, 16, 128],
  fields: [1, 4, 16, 64],
  payloads: [20, 70, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
  keys: ['RSA-2048', 'RSA-3072', 'RSA-4096', 'P-256', 'X25519'],
  frameworks: ['express', 'koa', 'nest'],
  load: { rounds: 3, warmUp: 4, seconds: 2 },
  fineLoad: { rounds: 15, warmUp: 6, seconds: 0.7 },
  requests: 100_000,
};

const SHORT: Effort = {
  name: 'short',
  slice: 60,
  rounds: { rounds: 3, warmUp: 1 },
  concurrency: [1, 16],
  fields: [1, 16],
  payloads: [20, 10_000],
  keys: ['P-256'],
  frameworks: ['express', 'koa', 'nest'],
  load: { rounds: 2, warmUp: 1, seconds: 0.4 },
  fineLoad: { rounds: 5, warmUp: 1, seconds: 0.3 },
  requests: 5_000,
};

export const EFFORTS: Readonly<Record<'full' | 'short', Effort>> = { full: FULL, short: SHORT };
