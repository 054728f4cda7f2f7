import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { answer, deepFrozen, post, twoEnds } from '../../test/two-ends.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';

/* Members that are called like what objects inherit are members, and change nothing that is inherited. */

const BOTH = { request: 'encrypt', response: 'encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /fields': {
    ['__proto__']: BOTH,
    'constructor.*': BOTH,
    'prototype.__proto__.constructor': BOTH,
    'list.#.__proto__': BOTH,
  },
  'POST /whole': { $: BOTH },
};
const PROFILES: readonly (readonly [name: string, profile: Profile])[] = [
  ['a prefix', banked],
  ['tokens in place', { ...banked, prefix: { request: '', response: '' } }],
];

const INHERITED = [Object.prototype, Array.prototype, Function.prototype, Object, Array];
const shape = (): unknown[] => INHERITED.map((one) => Object.entries(Object.getOwnPropertyDescriptors(one)));

const { value, record } = fc.letrec<{ value: unknown; record: object }>((tie) => {
  const name = fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'toJSON',
    'polluted',
    'a',
  );
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, 0, true, '', '007', 'polluted'),
      tie('record'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    // Object.fromEntries defines members, so that one called `__proto__` is one.
    record: fc
      .array(fc.tuple(name, tie('value')), { maxLength: 5 })
      .map((entries): object => Object.fromEntries(entries)),
  };
});
/** A body that every path of the policy fits. */
const body = fc
  .tuple(
    fc.option(value, { nil: undefined }),
    fc.option(record, { nil: undefined }),
    fc.option(fc.tuple(record, value), { nil: undefined }),
    fc.option(fc.array(record, { maxLength: 3 }), { nil: undefined }),
    value,
  )
  .map(([proto, made, prototype, list, rest]) => {
    const inner =
      prototype &&
      Object.fromEntries([
        ['__proto__', prototype[0]],
        ['toString', prototype[1]],
      ]);
    const entries = Object.entries({ constructor: made, prototype: inner, list, rest }).filter(
      ([, one]) => one !== undefined,
    );
    return Object.fromEntries(proto === undefined ? entries : [['__proto__', proto], ...entries]);
  });

describe.each(PROFILES)('under a profile with %s', (_, profile) => {
  it.each(['/fields', '/whole'])(
    'a body of such members goes to %s and back, and is what it was',
    async (path) => {
      const { client, server } = await twoEnds({ profile, policy: POLICY, leakGuard: false });
      const before = shape();
      const property = fc.asyncProperty(body, async (given) => {
        const text = JSON.stringify(given);
        const request = deepFrozen(post(path, given));
        const sent = JSON.parse(JSON.stringify(await client.encryptRequest(request)));
        const opened = await server.decryptRequest(sent);
        expect(JSON.stringify(opened.body)).toBe(text);
        const reply = await server.protectResponse(sent, answer(opened.body));
        const got = await client.decryptResponse(request, JSON.parse(JSON.stringify(reply)));
        expect(JSON.stringify(got.body)).toBe(text);
        for (const result of [opened.body, got.body])
          expect(prototypesOf(result)).toEqual(prototypesOf(given));
        expect(shape()).toEqual(before);
      });
      await fc.assert(property, runs(100));
    },
  );
});

/** Of every object in a value, whether it is a plain one or a list. */
function prototypesOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return undefined;
  const prototype = Object.getPrototypeOf(item);
  const kind = prototype === Object.prototype ? 'object' : prototype === Array.prototype ? 'list' : 'other';
  return [kind, ...Object.values(item).map(prototypesOf)];
}
