import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { answer, deepFrozen, party, post, twoEnds } from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import { isRedacted, redact } from '../fields/redact.js';
import { staticKeys } from '../keys/encryption-keys.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';

/* The policy, applied to its own result, changes nothing. */

const BOTH = { request: 'encrypt', response: 'redact-or-encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /fields': {
    a: BOTH,
    'b.c': BOTH,
    'list.#.a': BOTH,
    'tags.#': BOTH,
    'any.*': BOTH,
    'any.open': { request: 'none', response: 'none' },
  },
  'POST /whole': { $: { request: 'encrypt', response: 'encrypt' } },
};
const PROFILES: readonly (readonly [name: string, profile: Profile])[] = [
  ['a prefix', banked],
  ['tokens in place', { ...banked, prefix: { request: '', response: '' } }],
];

const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>('', '007', '[REDACTED]', 'eyJ', 'a.b.c.d.e', [], {}, { encrypted_a: 'a' }),
);
/** Now and then another value than the path of the policy needs, which is refused then. */
const mostly = (fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 15, arbitrary: fitting }, { weight: 1, arbitrary: value });

/** Bodies that the paths of the policy lead into, with members that are like those of encrypted bodies. */
const body = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        a: value,
        b: mostly(fc.record({ c: value, d: value }, { requiredKeys: [] })),
        list: mostly(
          fc.array(mostly(fc.record({ a: value, b: value }, { requiredKeys: [] })), { maxLength: 3 }),
        ),
        tags: mostly(fc.array(value, { maxLength: 3 })),
        any: mostly(
          fc.dictionary(fc.constantFrom('x', 'open', 'encrypted_x', 'encrypted_', '__proto__'), value),
        ),
        encrypted_b: value,
        other: value,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: value },
);

/** What a call resolves to; nothing where it is refused, which a body that does not fit may be. */
async function unlessRefused<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    expect(error).toBeInstanceOf(E2eeError);
    return undefined;
  }
}

describe.each(PROFILES)('under a profile with %s', (_, profile) => {
  it.each(['/fields', '/whole'])(
    'a request to %s that is encrypted twice is encrypted once',
    async (path) => {
      const { client } = await twoEnds({ profile, policy: POLICY, leakGuard: false });
      let encrypted = 0;
      const property = fc.asyncProperty(body, async (given) => {
        const once = await unlessRefused(client.encryptRequest(deepFrozen(post(path, given))));
        if (!once) return;
        if (JSON.stringify(once.body) !== JSON.stringify(given)) encrypted += 1;
        expect(await client.encryptRequest(once)).toBe(once);
        const travelled = JSON.parse(JSON.stringify(once));
        expect(await client.encryptRequest(travelled)).toBe(travelled);
      });
      await fc.assert(property, runs(150));
      expect(encrypted).toBeGreaterThan(60); // or the property would say nothing
    },
  );

  it.each(['redact', 'encrypt'] as const)(
    'a response to %s that is protected twice is protected once',
    async (response) => {
      const recipient = {
        id: 'partner',
        encryptionKeys: staticKeys((await party('partner')).encryptionKey),
        response,
      };
      const { server } = await twoEnds({ profile, policy: POLICY, recipient, leakGuard: false });
      let secured = 0;
      const property = fc.asyncProperty(body, async (given) => {
        const request = post('/fields');
        const once = await unlessRefused(server.protectResponse(request, deepFrozen(answer(given))));
        if (!once) return;
        if (JSON.stringify(once.body) !== JSON.stringify(given)) secured += 1;
        const twice = await server.protectResponse(request, deepFrozen(structuredClone(once)));
        expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
      });
      await fc.assert(property, runs(150));
      expect(secured).toBeGreaterThan(60);
    },
  );
});

it('what is redacted twice is redacted once', () => {
  const property = fc.property(fc.oneof(body, value), (given) => {
    const once = deepFrozen(redact(deepFrozen(given), '[REDACTED]'));
    expect(JSON.stringify(redact(once, '[REDACTED]'))).toBe(JSON.stringify(once));
    expect(isRedacted(once, '[REDACTED]')).toBe(true);
  });
  fc.assert(property, runs(300));
});
