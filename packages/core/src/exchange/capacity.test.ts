import { describe, expect, it, vi } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { answer, party, post, refusal, tampered, twoEnds } from '../../test/two-ends.js';
import { encryptJwe } from '../jwe/encrypt.js';
import type { DecryptionKey } from '../keys/key.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { capacityOf } from './capacity.js';
import type { Limits } from './limits.js';
import type { E2eeRequest } from './message.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const POLICY = {
  'POST /lists': { 'items.#.a': { request: 'encrypt', response: 'redact' } },
  'POST /messages': { $: { request: 'encrypt', response: 'none' } },
} as const;

/** A server end whose private key works only when it is let. */
async function slowServer(
  limits: Partial<Limits>,
  owners: readonly string[] = ['bank'],
): Promise<{
  server: E2eeServer;
  running: () => number;
  /** Lets one private-key operation end. */
  release: () => void;
  releaseAll: () => void;
}> {
  const held: (() => void)[] = [];
  let isOpen = false;
  const keys = await Promise.all(
    owners.map(async (owner) => {
      const { decryptionKey } = await party(owner);
      const unwrap: DecryptionKey['unwrap'] = async (...args) => {
        if (!isOpen) await new Promise<void>((resolve) => held.push(resolve));
        return decryptionKey.unwrap(...args);
      };
      return { ...decryptionKey, unwrap };
    }),
  );
  const server = createE2eeServer({
    profile: banked,
    policy: POLICY,
    keyRing: await createKeyRing({ keys }),
    limits,
  });
  return {
    server,
    running: () => held.length,
    release: () => held.shift()?.(),
    releaseAll: () => {
      isOpen = true;
      for (const resolve of held.splice(0)) resolve();
    },
  };
}

async function list(tokens: number): Promise<ReturnType<typeof post>> {
  const { encryptionKey } = await party('bank');
  const token = await encryptJwe(new TextEncoder().encode('1'), encryptionKey);
  return post('/lists', { items: Array.from({ length: tokens }, () => ({ encrypted_a: token })) });
}

/** Everything that can happen without a key being let. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve));
}

describe('private-key operations', () => {
  it('of tokens that name no key count once for each key of the ring', async () => {
    const { server, releaseAll } = await slowServer({ concurrency: 1, queue: 3 }, ['partner', 'bank']);
    const { encryptionKey } = await party('bank');
    const nameless = await encryptJwe(new TextEncoder().encode('1'), {
      ...encryptionKey,
      kid: undefined as never,
    });
    const lists = [2, 2].map((length) =>
      post('/lists', { items: Array.from({ length }, () => ({ encrypted_a: nameless })) }),
    );
    const [taken, refused] = lists.map((request) => server.decryptRequest(request)) as [
      Promise<E2eeRequest>,
      Promise<E2eeRequest>,
    ];
    expect(await errorOf(refused)).toMatchObject({ code: 'over_capacity' }); // one is at work, one in line, four would come
    releaseAll();
    expect(Object(await taken).body).toEqual({ items: [{ a: 1 }, { a: 1 }] });
  });

  it.each([
    [2, 3],
    [3, 3],
    [4, 3],
  ])('of %i tokens are made %i at once at the most, the others in their turn', async (tokens, most) => {
    const { server, running, release, releaseAll } = await slowServer({ concurrency: most });
    const opening = server.decryptRequest(await list(tokens));
    await settle();
    expect(running()).toBe(Math.min(tokens, most));
    release();
    await settle();
    expect(running()).toBe(Math.min(tokens - 1, most));
    releaseAll();
    expect((await opening).body).toEqual({ items: Array.from({ length: tokens }, () => ({ a: 1 })) });
  });

  it('are not made for the rest of a message once one of its tokens is bad', async () => {
    const { server, operations } = await twoEnds({ policy: POLICY, server: { limits: { concurrency: 2 } } });
    const { body } = await list(20);
    const { items } = body as { items: { encrypted_a: string }[] };
    const bad = [{ encrypted_a: tampered(items[0]?.encrypted_a) }, ...items];
    const opening = server.decryptRequest(post('/lists', { items: bad }));
    expect(await errorOf(opening)).toMatchObject({ code: 'token_invalid' });
    await settle();
    expect(operations()).toBeLessThan(6);
  });

  it('of other messages wait likewise, and those of a server end bound to a handler', async () => {
    const { server, running, releaseAll } = await slowServer({ concurrency: 2 });
    const bound = server.bind('handler', { b: { request: 'encrypt', response: 'none' } });
    const openings = [server.decryptRequest(await list(2)), bound.decryptRequest(await list(2))];
    await settle();
    expect(running()).toBe(2);
    releaseAll();
    await expect(Promise.all(openings)).resolves.toHaveLength(2);
  });

  it('wait up to the limit of the queue; beyond, a request is refused with 503 and none of its tokens opened', async () => {
    const { server, running, releaseAll } = await slowServer({ concurrency: 1, queue: 3 });
    const taken = [1, 1, 1, 1].map(async () => server.decryptRequest(await list(1))); // one at work, three in line
    await settle();
    expect(running()).toBe(1);
    const error = await refusal(server.decryptRequest(await list(1)));
    expect(error).toMatchObject({ code: 'over_capacity', status: 503, expose: false });
    const { status, headers, body } = server.errorResponse(error);
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.stringify(body)).not.toContain('wait');
    releaseAll();
    await expect(Promise.all(taken)).resolves.toHaveLength(4);
    await expect(server.decryptRequest(await list(3))).resolves.toBeDefined();
  });

  it.each([
    [1, 'taken'],
    [2, 'taken'],
    [3, 'over_capacity'],
  ])(
    'wait as a whole message: %i more tokens where there is room for two are %s',
    async (tokens, outcome) => {
      const { server, releaseAll } = await slowServer({ concurrency: 1, queue: 3 });
      const taken = [server.decryptRequest(await list(2))]; // one at work, one in line
      await settle();
      const next = server.decryptRequest(await list(tokens)).then(
        () => 'taken',
        ({ code }) => code,
      );
      await settle();
      releaseAll();
      expect(await next).toBe(outcome);
      await Promise.all(taken);
    },
  );

  it('of one message are all taken where nobody waits, however many', async () => {
    const { server, releaseAll } = await slowServer({ concurrency: 1, queue: 1 });
    const opening = server.decryptRequest(await list(20));
    await settle();
    releaseAll();
    await expect(opening).resolves.toBeDefined();
  });

  it('of whole messages count too', async () => {
    const { server, releaseAll } = await slowServer({ concurrency: 1, queue: 1 });
    const { encryptionKey } = await party('bank');
    const token = await encryptJwe(new TextEncoder().encode('{}'), encryptionKey);
    const message = post('/messages', token, { 'content-type': 'application/jose' });
    const taken = [server.decryptRequest(message), server.decryptRequest(message)];
    await settle();
    expect((await refusal(server.decryptRequest(message))).code).toBe('over_capacity');
    releaseAll();
    await Promise.all(taken);
  });

  it('leave all other work alone while they are over capacity', async () => {
    const { server, releaseAll } = await slowServer({ concurrency: 1, queue: 1 });
    const taken = [server.decryptRequest(await list(2))];
    await settle();
    const plain = { method: 'GET', path: '/health', headers: {} };
    expect(await server.decryptRequest(plain)).toBe(plain);
    const { body } = await server.protectResponse(await list(1), answer({ items: [{ a: 'x' }] }));
    expect(body).toEqual({ items: [{ a: '[REDACTED]' }] });
    releaseAll();
    await Promise.all(taken);
  });
});

describe('an answer', () => {
  it('waits for as long as it has to at the client end: its request was carried out', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { decryptionKey } = await party('partner');
      const unwrap: DecryptionKey['unwrap'] = async (...args) => {
        vi.advanceTimersByTime(600);
        return decryptionKey.unwrap(...args);
      };
      const keyRing = await createKeyRing({ keys: { ...decryptionKey, unwrap } });
      const policy = { 'GET /x': { a: { response: 'encrypt' } } } as const;
      const { client, server } = await twoEnds({
        policy,
        client: { keyRing, limits: { concurrency: 1, queue: 1 } },
      });
      const asked = { method: 'GET', path: '/x', headers: {} };
      const told = await server.protectResponse(asked, answer({ a: 1 }));
      const answers = Array.from({ length: 30 }, () => client.decryptResponse(asked, told));
      expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(answers.map(() => ({ a: 1 })));
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('capacityOf', () => {
  it('gives a turn back after a failure, at once or later', async () => {
    const inTurn = capacityOf({ concurrency: 1, queue: 1 }).admit(1);
    const failures = [
      () => Promise.reject(new Error('later')),
      () => {
        throw new Error('at once');
      },
    ];
    for (const fail of failures) await expect(inTurn(fail)).rejects.toThrow(/later|at once/);
    await expect(Promise.all([inTurn(async () => 1), inTurn(async () => 2)])).resolves.toEqual([1, 2]);
  });

  it('serves who came first', async () => {
    const inTurn = capacityOf({ concurrency: 1, queue: 10 }).admit(3);
    const served: number[] = [];
    await Promise.all([1, 2, 3].map((i) => inTurn(async () => served.push(i))));
    expect(served).toEqual([1, 2, 3]);
  });

  it('lets messages take turns, one operation each', async () => {
    const capacity = capacityOf({ concurrency: 1, queue: 10 });
    const served: string[] = [];
    const [large, small, other] = [capacity.admit(4), capacity.admit(1), capacity.admit(2)];
    const asked = [
      ...['a1', 'a2', 'a3', 'a4'].map((name) => large(async () => served.push(name))),
      small(async () => served.push('b')),
      ...['c1', 'c2'].map((name) => other(async () => served.push(name))),
    ];
    await Promise.all(asked);
    expect(served).toEqual(['a1', 'a2', 'b', 'c1', 'a3', 'c2', 'a4']);
  });

  it('refuses a message of which nothing was done in ten seconds, and goes on with one that was begun', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const capacity = capacityOf({ concurrency: 1, queue: 10 });
      const [begun, waiting, patient] = [capacity.admit(2), capacity.admit(1), capacity.admit(1)];
      const first = begun(() => new Promise((resolve) => setTimeout(resolve, 20, 'done')));
      const late = [begun(async () => 'done'), waiting(async () => 'done')];
      vi.advanceTimersByTime(10_001);
      const then = [first, ...late, capacity.admit(1)(async () => 'done'), patient(async () => 'done')];
      expect(await Promise.allSettled(then)).toMatchObject([
        { value: 'done' },
        { value: 'done' },
        { reason: { code: 'over_capacity', status: 503 } },
        { value: 'done' },
        { reason: { code: 'over_capacity' } },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});
