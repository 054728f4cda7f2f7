import { E2eeError, invalidOption } from '../errors.js';
import { encodeBase64url } from '../jwe/base64url.js';
import { concat } from '../jwe/bytes.js';
import type { CheckedJwe } from '../jwe/decrypt.js';
import { refuseToken } from '../jwe/refusal.js';
import { withDeadline } from '../keys/deadline.js';
import type { Profile } from '../profiles/profile.js';

/**
 * Remembers which tokens came already, for as long as they are good. `replayStoreContract` of `@e2ee/core/testing` tests
 * one of your own: processes that serve one API share a store.
 */
export interface ReplayStore {
  /**
   * Remembers an id until a time, in seconds since the epoch. Resolves to whether it is new: of calls with one id, at
   * once or one after the other, exactly one learns that it is. Rejects when it cannot tell.
   */
  add(id: string, until: number): boolean | Promise<boolean>;
}

/** A store that is slower has failed, in milliseconds: a request waits for it. */
const DEADLINE = 5_000;

/**
 * Remembers tokens in the memory of one process: `capacity` of them at the most. When it is full of tokens that are still
 * good, it cannot take another one, and requests are refused with 503 until some have expired.
 */
export function memoryReplayStore({ capacity = 100_000 }: { readonly capacity?: number } = {}): ReplayStore {
  if (!Number.isSafeInteger(capacity) || capacity < 1)
    invalidOption('capacity', 'a whole number from 1', capacity);
  const seen = new Map<string, number>();
  const forget = (now: number): void => {
    for (const [id, until] of seen) if (until <= now) seen.delete(id);
  };
  return Object.freeze({
    add(id: string, until: number): boolean {
      const now = Date.now() / 1000;
      if ((seen.get(id) ?? 0) > now) return false;
      if (seen.size >= capacity) forget(now);
      if (seen.size >= capacity)
        throw new Error(`The replay store is full: ${capacity} tokens are still good`);
      seen.set(id, until);
      return true;
    },
  });
}

/** Rejects with `token_invalid` for tokens that came before, and with `store_unavailable` when that cannot be told. */
export type ReplayGuard = (opened: readonly CheckedJwe[]) => Promise<void>;

/** What a server end has, where it is told nothing: a store in memory where the profile requires that tokens have an id. */
export function defaultReplay({ binding }: Profile): ReplayStore | false {
  return binding?.require.includes('id') === true && memoryReplayStore();
}

/** Throws `option_invalid` unless tokens of the profile end: a store could not remember them for ever. */
export function replayGuard(store: ReplayStore, { binding }: Profile): ReplayGuard {
  if (typeof store?.add !== 'function') invalidOption('replay', 'made by memoryReplayStore()', store);
  if (!binding?.require.some((claim) => claim === 'issued' || claim === 'expires'))
    throw new E2eeError('option_invalid', 'Option `replay` needs a profile whose `binding` requires a time');
  const { lifetime, tolerance } = binding;
  return async (opened) => {
    const until = Date.now() / 1000 + lifetime + 2 * tolerance;
    for (const { jwe } of opened) {
      const id = await idOf(jwe);
      if (!(await ask(async () => store.add(id, until)))) refuseToken();
    }
  };
}

/** Of what is authenticated, decoded: a token has no second spelling, and no other encrypted key makes it a new one. */
async function idOf({ aad, iv, ciphertext, tag }: CheckedJwe['jwe']): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', concat([aad, iv, ciphertext, tag]));
  return encodeBase64url(new Uint8Array(digest));
}

/** Fails closed. */
async function ask(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return (await withDeadline(work(), DEADLINE, () => new Error('It did not answer in time'))) === true;
  } catch (cause) {
    throw new E2eeError('store_unavailable', 'The store of tokens that came already cannot be asked', {
      cause,
    });
  }
}
