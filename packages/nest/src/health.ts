import {
  E2eeError,
  type E2eeServer,
  type KeyDescription,
  type KeyRing,
  type RemoteJwks,
  type RemoteJwksStatus,
} from '@e2ee/core';
import { Inject, Injectable } from '@nestjs/common';
import type { E2eeNestOptions } from './options.js';
import { OPTIONS } from './tokens.js';

/** What is looked at. */
export interface E2eeHealthSources {
  /** Default: that of the module's options. Needed where the module was given a server end made beforehand. */
  readonly keyRing?: KeyRing;
  /** The published keys of others: partners, services that this application calls. */
  readonly remote?: readonly RemoteJwks[];
}

/** Holds ids, times and states; no key. */
export interface E2eeHealthDetails {
  readonly status: 'up' | 'down';
  readonly keys?: readonly KeyDescription[];
  readonly remote?: readonly RemoteJwksStatus[];
}

/** The result of an indicator, as `@nestjs/terminus` wants it. */
export type E2eeHealthResult<Key extends string = string> = Record<Key, E2eeHealthDetails>;

/**
 * A health indicator for `@nestjs/terminus` 11 and later, or for whoever understands its results.
 *
 * @example
 * health.check([() => e2ee.isHealthy('encryption')])
 */
@Injectable()
export class E2eeHealthIndicator {
  readonly #keyRing: KeyRing | undefined;

  constructor(@Inject(OPTIONS) options: E2eeNestOptions | E2eeServer) {
    this.#keyRing = 'keyRing' in options ? options.keyRing : undefined;
  }

  /**
   * Down when no key is published that requests could be encrypted to, or a remote set has no valid key any more. Throws
   * `option_invalid` where no key ring is known: what is not looked at must not be up.
   */
  isHealthy<const Key extends string>(key: Key, sources: E2eeHealthSources = {}): E2eeHealthResult<Key> {
    const { keyRing = this.#keyRing, remote } = sources;
    if (!keyRing) {
      throw new E2eeError(
        'option_invalid',
        'Give isHealthy() the `keyRing`: a server end made beforehand does not show its own',
      );
    }
    const states = remote?.map((source) => source.status());
    const isUp = keyRing.jwks().keys.length > 0 && !states?.some(({ state }) => state === 'unavailable');
    const details = {
      status: isUp ? 'up' : 'down',
      keys: keyRing.describe(),
      ...(states && { remote: states }),
    } as const;
    const result: Record<string, E2eeHealthDetails> = { [key]: details };
    return result as E2eeHealthResult<Key>; // it has that key
  }
}
