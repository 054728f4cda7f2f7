import type { JWK } from 'jose';
import { afterEach, beforeEach, expect, type Mock, onTestFinished, vi } from 'vitest';
import {
  type RemoteJwks,
  type RemoteJwksEvent,
  type RemoteJwksOptions,
  remoteJwks,
} from '../src/keys/remote-jwks.js';
import { errorOf } from './keys-fixtures.js';
import { RSA } from './stored-keys.js';

const [pair] = RSA;
export const key = (kid: string, members: object = {}): JWK => ({
  ...pair.publicJwk,
  use: 'enc',
  kid,
  ...members,
});
export const set = (...keys: object[]): string => JSON.stringify({ keys });
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** For each test of a file: a clock that only `pass` moves, and the middle of every jitter. */
export function stopClocks(): void {
  beforeEach(() => {
    // Only what is read as a clock: the timers of sockets and of AbortSignal stay real.
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_700_000_000_000 });
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

export const pass = (milliseconds: number): void => {
  vi.advanceTimersByTime(milliseconds);
};

/** A source, closed when the test ends, and what it reports. */
export interface Watched {
  readonly source: RemoteJwks;
  readonly events: RemoteJwksEvent[];
  /** Resolves at the next event: a fetch in the background is over. */
  next(): Promise<RemoteJwksEvent>;
}

export function watch(url: string, options: RemoteJwksOptions = {}): Watched {
  const events: RemoteJwksEvent[] = [];
  const waiting: ((event: RemoteJwksEvent) => void)[] = [];
  const onEvent = (event: RemoteJwksEvent): void => {
    events.push(event);
    for (const resolve of waiting.splice(0)) resolve(event);
  };
  const source = remoteJwks(url, { ...options, onEvent });
  onTestFinished(() => source.close());
  return { source, events, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** A fetch that answers from a list, the last entry for ever, and counts. */
export function fakeFetch(...answers: (() => Response | Promise<Response>)[]): Mock<typeof globalThis.fetch> {
  return vi.fn<typeof globalThis.fetch>(async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer?.() ?? Response.error();
  });
}

export const URL_ = 'https://bank.example/jwks.json';
export const ok =
  (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): (() => Response) =>
  () =>
    new Response(body, { headers });
export const failing = (): Promise<never> => Promise.reject(new TypeError('fetch failed'));
export const kidOf = async (source: RemoteJwks): Promise<string> => (await source.current()).kid;

export async function expectUnavailable(source: RemoteJwks): Promise<unknown> {
  const error = await errorOf(source.current());
  expect(error).toMatchObject({ code: 'keys_unavailable', status: 503, expose: false });
  return error;
}

/** In real time; what vitest has for this moves the clock that stands still here. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export interface Deadline {
  passAfter(condition: () => boolean): Promise<void>;
  giveBack(): void;
}

/** Puts the deadlines of fetches in a test's hand, so that a busy machine does not decide what times out. */
export function takeDeadline(): Deadline {
  const controller = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(controller.signal);
  return {
    passAfter: async (condition) => {
      await until(condition);
      await new Promise((resolve) => setTimeout(resolve, 30)); // the first bytes are on their way
      expect(timeout).toHaveBeenCalledWith(5_000);
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    },
    giveBack: () => timeout.mockRestore(),
  };
}
