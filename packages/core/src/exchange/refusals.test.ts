import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forge, HEADER } from '../../test/jwe-forge.js';
import { everythingOf } from '../../test/keys-fixtures.js';
import { outputs } from '../../test/runtime.js';
import { RSA } from '../../test/stored-keys.js';
import { answer, post, refusal, twoEnds } from '../../test/two-ends.js';
import type { PolicyDocument } from '../policy/policy.js';
import { strict } from '../profiles/strict.js';

const POLICY: PolicyDocument = {
  'POST /things': { a: { request: 'encrypt', response: 'encrypt' } },
  'POST /whole': { $: { request: 'encrypt', response: 'encrypt' } },
};
const JOSE = { 'content-type': 'application/jose' };

describe('5 MB in the place of a token', () => {
  it.each([
    ['dots', '.'.repeat(5_000_000)],
    ['letters', 'A'.repeat(5_000_000)],
    ['letters and four dots', `${'A'.repeat(5_000_000)}....`],
  ])('of %s are the bad token that any other is, before any key operation', async (_, token) => {
    const { server, operations } = await twoEnds({ policy: POLICY });
    const uniform = await refusal(server.decryptRequest(post('/things', { encrypted_a: 'eyJ' })));
    for (const request of [post('/things', { encrypted_a: token }), post('/whole', token, JOSE)]) {
      const error = await refusal(server.decryptRequest(request));
      expect(server.errorResponse(error)).toEqual(server.errorResponse(uniform));
    }
    expect(operations()).toBe(0);
  });
});

/** Everything that this process prints. */
let printed: unknown[];
beforeEach(() => {
  printed = [];
  const note = (...args: unknown[]): true => {
    printed.push(...args);
    return true;
  };
  for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
    vi.spyOn(console, level).mockImplementation(note);
  for (const output of outputs) vi.spyOn(output, 'write').mockImplementation(note);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the name of an unknown key', () => {
  const MARK = 'forged-4711';

  it.each([
    ['a line break', `x\r\n${MARK}: level=info`],
    ['an escape of terminals', `\u001b[2J${MARK}`],
    ['a separator of lines', `\u2028${MARK}`],
    ['a path', `../../${MARK}`],
    ['SQL', `' OR '${MARK}'='${MARK}`],
    ['a member of every object', `__proto__.${MARK}`],
  ])('with %s in it is in no error, answer, event or output, at either end', async (_, kid) => {
    const token = await forge(RSA[0], { header: { ...HEADER, kid } });
    for (const isHeard of [true, false]) {
      const ends = await twoEnds({
        policy: POLICY,
        // Without a listener, events go to the console.
        ...(!isHeard && {
          server: { onEvent: undefined as never },
          client: { onEvent: undefined as never },
        }),
      });
      const request = post('/things', { encrypted_a: token });
      const errors = [
        await refusal(ends.server.decryptRequest(request)),
        await refusal(ends.server.decryptRequest(post('/whole', token, JOSE))),
        await refusal(ends.client.decryptResponse(post('/things'), answer({ encrypted_a: token }))),
      ];
      expect(errors.map(({ code }) => code)).toEqual(['key_rejected', 'key_rejected', 'key_rejected']);
      const shown = [
        ...errors,
        ...errors.map((error) => ends.server.errorResponse(error)),
        ...ends.serverEvents,
        ...ends.clientEvents,
        ...printed,
      ];
      expect(shown.map(everythingOf).join('\n')).not.toContain(MARK);
      expect(ends.operations()).toBe(0);
    }
  });
});

describe('a replay store that never answers', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is waited for five seconds, and then lets no request through', async () => {
    let hear = (): void => {};
    const asked = new Promise<void>((resolve) => {
      hear = resolve;
    });
    const add = (): Promise<boolean> => {
      hear();
      return new Promise(() => {});
    };
    const { client, server } = await twoEnds({
      profile: { ...strict, policy: POLICY },
      server: { replay: { add } },
    });
    const request = await client.encryptRequest(post('/things', { a: 1 }));
    let error: unknown;
    const done = refusal(server.decryptRequest(request)).then((refused) => {
      error = refused;
    });
    await asked;
    await vi.advanceTimersByTimeAsync(4_999);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(error).toMatchObject({ code: 'store_unavailable', status: 503 });
  });
});
