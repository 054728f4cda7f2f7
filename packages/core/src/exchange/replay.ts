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
   * Remembers an id until a time, in whole seconds since the epoch. Resolves to whether it is new: of calls with one id, at
   * once or one after the other, exactly one learns that it is. Rejects when it cannot tell.
   */
  add(id: string, until: number): boolean | Promise<boolean>;
}

const utf8 = new TextEncoder();
/** A store that is slower has failed, in milliseconds: a request waits for it. */
const DEADLINE = 5_000;
/** Tokens are remembered this much longer than they are good, in seconds: opening them takes time. */
const MARGIN = 60;

/**
 * Remembers tokens in the memory of one process: `capacity` of them at the most, about 150 bytes each. When it is full of
 * tokens that are still good, it cannot take another one, and requests are refused with 503 until some have expired: with
 * tokens that are good for 5 minutes, 100,000 are 200 a second. Server ends that accept the same tokens share one store.
 */
export function memoryReplayStore({ capacity = 100_000 }: { readonly capacity?: number } = {}): ReplayStore {
  if (!Number.isSafeInteger(capacity) || capacity < 1)
    invalidOption('capacity', 'a whole number from 1', capacity);
  const seen = new Map<string, number>();
  /** Most are remembered in the order in which they end. */
  const forgetFirst = (now: number): void => {
    for (const [id, until] of seen) {
      if (until > now) break;
      seen.delete(id);
    }
  };
  let swept = 0;
  /** Of other lifetimes, or after a clock has jumped. Looks at all of them, so once a second at the most. */
  const forgetAll = (now: number): void => {
    if (Math.abs(now - swept) < 1) return;
    swept = now;
    for (const [id, until] of seen) if (until <= now) seen.delete(id);
  };
  return Object.freeze({
    add(id: string, until: number): boolean {
      const now = Date.now() / 1000;
      if ((seen.get(id) ?? 0) > now) return false;
      seen.delete(id);
      forgetFirst(now);
      if (seen.size >= capacity) forgetAll(now);
      if (seen.size >= capacity)
        throw new Error(`The replay store is full: ${capacity} tokens are still good`);
      seen.set(id, until);
      return true;
    },
  });
}

/** Rejects with `token_invalid` for tokens that came before, and with `store_unavailable` when that cannot be told. */
export type ReplayGuard = (
  opened: readonly CheckedJwe[],
  /** What signatures in them are over: it could come again in another token, and under another form of the signature. */
  signed: readonly string[],
) => Promise<void>;

/** What a server end has, where it is told nothing: a store in memory where the profile requires that tokens have an id. */
export function defaultReplay({ binding }: Profile): ReplayStore | false {
  return binding?.require.includes('id') === true && memoryReplayStore();
}

/** Throws `option_invalid` unless tokens of the profile end: a store could not remember them for ever. */
export function replayGuard(store: ReplayStore, { binding }: Profile): ReplayGuard {
  if (typeof store?.add !== 'function') invalidOption('replay', 'made by memoryReplayStore()', store);
  if (!binding?.require.some((claim) => claim === 'issued' || claim === 'expires'))
    throw new E2eeError(
      'option_invalid',
      'Option `replay`, which is on where ids are required, needs a profile whose `binding` requires a time',
    );
  const { lifetime, tolerance } = binding;
  return async (opened, signed) => {
    const ids = await Promise.all([...opened.map(idOf), ...signed.map((text) => digest(utf8.encode(text)))]);
    const until = Math.ceil(Date.now() / 1000 + lifetime + 2 * tolerance + MARGIN);
    const answers = await ask(() => Promise.all(ids.map(async (id) => store.add(id, until))));
    if (!answers.every((isNew) => isNew)) refuseToken('It came before');
  };
}

/** Of what is authenticated, decoded: a token has no second spelling, and no other encrypted key makes it a new one. */
function idOf({ jwe: { aad, iv, ciphertext, tag } }: CheckedJwe): Promise<string> {
  return digest(concat([aad, iv, ciphertext, tag]));
}

async function digest(bytes: Uint8Array): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes))));
}

/** Fails closed: a store that is late, or answers something else than a boolean, has told nothing. */
async function ask(work: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  try {
    const answers = await withDeadline(work(), DEADLINE, () => new Error('It did not answer in time'));
    const kinds = answers.map((answer) => typeof answer).filter((kind) => kind !== 'boolean');
    if (kinds[0]) throw new TypeError(`add() must resolve to true or false, not to ${kinds[0]}`);
    return answers;
  } catch (cause) {
    throw new E2eeError('store_unavailable', 'The store of tokens that came already cannot be asked', {
      cause,
    });
  }
}
