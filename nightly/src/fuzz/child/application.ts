import type { E2eeServerOptions, Recipient } from '@e2ee/core';
import type { Fault } from './faults.js';
import type { Handler } from './handler.js';

/** What each framework builds its application from. */
export interface Application {
  readonly options: Omit<E2eeServerOptions, 'recipient'>;
  readonly recipient: (choice: unknown) => Recipient | undefined;
  readonly handle: Handler;
  /** Of a planted fault. Express has those. */
  readonly arrive: NonNullable<Fault['arrive']>;
  /** Hears of errors that reach the framework. */
  readonly onError: (error: unknown) => void;
}
