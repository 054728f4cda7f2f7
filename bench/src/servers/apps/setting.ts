import type { E2eeServer } from '@e2ee/core';
import type { Pair } from '../../keys.js';

/** What an application is made with. */
export interface Setting {
  /** Nothing: without the middleware. */
  readonly server: E2eeServer | undefined;
  readonly pair: Pair;
}
