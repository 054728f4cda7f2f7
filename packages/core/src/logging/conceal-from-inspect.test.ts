import { describe, expect, it } from 'vitest';
import { deepFrozen, post } from '../../test/two-ends.js';
import { banked } from '../profiles/banked.js';
import { concealFromInspect } from './conceal-from-inspect.js';

const CANARY = 'canary-93641';
const PATH = '/v2/mandates';
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const makeBody = () => ({
  note: { text: 'seen' },
  destination: { holder: { name: CANARY } },
  actions: [{ source: { iban: CANARY }, step: 1 }],
});

/** What Node's `util.inspect` would write of. */
const shown = (value: object): unknown => Reflect.get(value, INSPECT).call(value);

describe('a request that is concealed from inspect', () => {
  it('shows what the serializer shows, and so does each part of its body', () => {
    const body = makeBody();
    const request = post(PATH, body);
    concealFromInspect(banked, request);
    const actions = [{ source: '[REDACTED]', step: 1 }];
    const view = { note: { text: 'seen' }, destination: '[REDACTED]', actions };
    expect(shown(request)).toEqual({ method: 'POST', path: PATH, headers: {}, body: view });
    expect(shown(body)).toEqual(view);
    expect(shown(body.note)).toEqual({ text: 'seen' });
    expect(shown(body.actions)).toEqual(actions);
    expect(shown(body.actions[0] as object)).toEqual(actions[0]);
    for (const part of [body.destination, body.destination.holder, body.actions[0]?.source as object])
      expect(shown(part)).toBe('[REDACTED]');
  });

  it('works for handlers as it did before', () => {
    const request = post(PATH, makeBody());
    concealFromInspect(banked, request);
    expect(request).toEqual(post(PATH, makeBody()));
    expect(JSON.stringify(request)).toBe(JSON.stringify(post(PATH, makeBody())));
    expect(structuredClone(request)).toEqual(request);
    expect(Reflect.ownKeys({ ...request })).not.toContain(INSPECT);
  });

  it('shows what it has become in the meantime', () => {
    const body: Record<string, unknown> = makeBody();
    const request = { ...post(PATH), body };
    concealFromInspect(banked, request);
    concealFromInspect(banked, request);
    body.source = CANARY;
    body.more = 1;
    expect(shown(body)).toMatchObject({ source: '[REDACTED]', more: 1 });
    request.body = { destination: CANARY, other: 2 };
    expect(shown(request)).toMatchObject({ body: { destination: '[REDACTED]', other: 2 } });
  });

  it('shows as little of a body that takes the place of the first, however often', () => {
    const request = { ...post(PATH), body: makeBody() as unknown };
    for (let times = 0; times < 3; times += 1) concealFromInspect(banked, request);
    for (const body of [
      { destination: CANARY, other: 2 },
      { destination: { holder: CANARY }, other: 2 },
    ]) {
      request.body = body;
      expect(request.body).toBe(body);
      expect(shown(body)).toEqual({ destination: '[REDACTED]', other: 2 });
      expect(structuredClone(request)).toEqual({ ...post(PATH), body });
    }
    for (const body of [undefined, 'text', Object.freeze({ destination: CANARY })]) {
      request.body = body;
      expect(request.body).toBe(body);
      expect(JSON.stringify(shown(request))).not.toContain(CANARY);
    }
  });

  it('lets a body that cannot be replaced be', () => {
    const request = Object.freeze({ ...post(PATH), body: makeBody() });
    concealFromInspect(banked, request);
    expect(shown(request.body)).toMatchObject({ destination: '[REDACTED]' });
  });

  it('leaves the bodies of operations alone that the policy does not know', () => {
    const request = post('/other', makeBody());
    concealFromInspect(banked, request);
    expect(Reflect.ownKeys(Object(request.body))).not.toContain(INSPECT);
    expect(shown(request)).toMatchObject({ path: '/other', body: makeBody() });
  });

  it('does not fail for frozen bodies, cycles, deep ones, other objects or getters that throw', () => {
    const cycle: Record<string, unknown> = makeBody();
    cycle.cycle = cycle;
    const throwing = Object.defineProperty(makeBody(), 'destination', {
      enumerable: true,
      get: () => {
        throw new Error(CANARY);
      },
    });
    let deep: object = {};
    for (let i = 0; i < 5_000; i += 1) deep = { deep };
    for (const body of [cycle, throwing, deep, new Map([[CANARY, 1]]), new TextEncoder().encode(CANARY)]) {
      const request = post(PATH, body);
      concealFromInspect(banked, request);
      expect(shown(request)).toMatchObject({ method: 'POST' });
      expect(JSON.stringify([shown(request), shown(body)])).not.toContain(CANARY);
    }
    const frozen = { ...post(PATH), body: deepFrozen(makeBody()) };
    concealFromInspect(banked, frozen);
    expect(JSON.stringify(shown(frozen))).not.toContain(CANARY);
    for (const body of [undefined, null, 'text', 7]) concealFromInspect(banked, post(PATH, body));
  });

  it('refuses a policy that is none', () => {
    expect(() => concealFromInspect({ 'GET nowhere': {} }, {})).toThrow(
      expect.objectContaining({ code: 'policy_invalid' }),
    );
  });
});
