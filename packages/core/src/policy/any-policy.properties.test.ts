import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { E2eeError } from '../errors.js';
import { definePolicy } from './define-policy.js';
import { Policy, type PolicyDocument } from './policy.js';

/* Whatever is given for a policy, it is one, or an error names the rule that it breaks. */

/** Any UTF-16 units, lone surrogates too, with the characters that mean something made frequent. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('.', '\\', '#', '*', '$', 'a', '/', ':', ' ', '%', ';', '?'),
    fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
  ),
});
const name = fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', '', '$', '#', '*'));

/** A policy, or `policy_invalid`; never another error. */
function defined(document: unknown): Policy | undefined {
  try {
    return definePolicy(document as PolicyDocument);
  } catch (error) {
    expect(error).toBeInstanceOf(E2eeError);
    expect(error).toMatchObject({ code: 'policy_invalid' });
    return undefined;
  }
}

it('any text is a field path, or is refused as part of a policy', () => {
  const row = fc.record(
    {
      request: fc.constantFrom('encrypt', 'none'),
      response: fc.constantFrom('encrypt', 'redact', 'redact-or-encrypt', 'none'),
    },
    { requiredKeys: ['request'] },
  );
  const property = fc.property(fc.array(fc.tuple(name, row), { minLength: 1, maxLength: 4 }), (rows) => {
    const document = { 'POST /a': Object.fromEntries(rows) };
    expect([undefined, JSON.stringify(document)]).toContain(
      JSON.stringify(defined(structuredClone(document))),
    );
  });
  fc.assert(property, runs(1_000));
});

it('any text is an operation, or is refused as part of a policy', () => {
  const operation = fc.oneof(
    name,
    fc
      .tuple(fc.constantFrom('GET', 'POST', 'post', 'HEAD', '*'), name)
      .map(([method, path]) => `${method} /${path}`),
  );
  const property = fc.property(fc.array(operation, { minLength: 1, maxLength: 4 }), (operations) => {
    const rows = { a: { request: 'encrypt' } };
    const policy = defined(Object.fromEntries(operations.map((written) => [written, rows])));
    for (const { method, template } of policy?.operations ?? []) {
      expect(() => policy?.match(method, template)).not.toThrow(TypeError);
    }
  });
  fc.assert(property, runs(1_000));
});

it('any JSON value is a policy, or is refused', () => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('encrypt', 'none', 'redact', 'text', 'json', true));
  const member = fc.constantFrom('request', 'response', 'as', 'required', 'sensitivity', '__proto__', 'x');
  const rows = fc.dictionary(name, fc.oneof(values, fc.dictionary(member, values)), { maxKeys: 3 });
  const documents = fc.oneof(
    values,
    fc.dictionary(fc.oneof(name, fc.constant('POST /a')), fc.oneof(values, rows), { maxKeys: 3 }),
  );
  const property = fc.property(documents, (document) => {
    const policy = defined(document);
    if (policy) expect(policy).toBeInstanceOf(Policy);
  });
  fc.assert(property, runs(1_000));
});
