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

/** Bodies that the paths of the policy lead into, and bodies that they do not fit. */
const { body } = fc.letrec<{ body: unknown }>((tie) => {
  const name = fc.constantFrom(
    'a',
    'b',
    'c',
    'list',
    'tags',
    'any',
    'open',
    'encrypted_a',
    'encrypted_',
    '__proto__',
  );
  return {
    body: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, 0, false, '', '007', '[REDACTED]', 'eyJ', 'a.b.c.d.e'),
      fc.array(fc.tuple(name, tie('body')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
      fc.array(tie('body'), { maxLength: 3 }),
    ),
  };
});

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
      const property = fc.asyncProperty(body, async (value) => {
        const once = await unlessRefused(client.encryptRequest(deepFrozen(post(path, value))));
        if (!once) return;
        encrypted += 1;
        expect(await client.encryptRequest(once)).toBe(once);
        const travelled = JSON.parse(JSON.stringify(once));
        expect(await client.encryptRequest(travelled)).toBe(travelled);
      });
      await fc.assert(property, runs(150));
      expect(encrypted).toBeGreaterThan(15); // or the property would say nothing
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
      const property = fc.asyncProperty(body, async (value) => {
        const request = post('/fields');
        const once = await unlessRefused(server.protectResponse(request, deepFrozen(answer(value))));
        if (!once) return;
        secured += 1;
        const twice = await server.protectResponse(request, deepFrozen(structuredClone(once)));
        expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
      });
      await fc.assert(property, runs(150));
      expect(secured).toBeGreaterThan(15);
    },
  );
});

it('what is redacted twice is redacted once', () => {
  const property = fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
    const once = deepFrozen(redact(deepFrozen(value), '[REDACTED]'));
    expect(JSON.stringify(redact(once, '[REDACTED]'))).toBe(JSON.stringify(once));
    expect(isRedacted(once, '[REDACTED]')).toBe(true);
  });
  fc.assert(property, runs(300));
});
