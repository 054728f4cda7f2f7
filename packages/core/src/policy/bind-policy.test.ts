import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { bindPolicy, definePolicy, mergedRows } from './define-policy.js';
import type { Policy, PolicyRows } from './policy.js';

const POLICY = definePolicy({
  'POST /known': { payee: { request: 'encrypt', response: 'redact' }, note: { response: 'redact' } },
  'GET /a/:id': { payee: { response: 'redact' } },
});
const ROWS: PolicyRows = {
  card: { request: 'encrypt', as: 'text', required: true },
  note: { response: 'encrypt' },
};
const bound = (rows: PolicyRows = ROWS): Policy => bindPolicy(POLICY, 'Shop.pay', rows);
const fieldsOf = (fields: { readonly members: ReadonlyMap<string, unknown> }): string[] => [
  ...fields.members.keys(),
];

describe('a policy that is bound to a name', () => {
  it('covers every method and path by its rows, under its name', () => {
    for (const [method, path] of [
      ['POST', '/'],
      ['PATCH', '/anything/else?a=1'],
      ['BREW', '/%2e%2e'],
      ['GET', ''],
    ] as const) {
      const operation = bound().match(method, path);
      expect(operation).toMatchObject({ name: 'Shop.pay', method: '*', template: '*' });
      expect(fieldsOf(operation?.request.fields ?? { members: new Map() })).toEqual(['card']);
      expect(operation?.request.required.map(({ path, as }) => [path, as])).toEqual([['card', 'text']]);
    }
  });

  it('adds what the policy says of the operation that a request is, under the name of that', () => {
    const operation = bound().match('POST', '/Known/');
    expect(operation).toMatchObject({ name: 'POST /known', method: 'POST', template: '/known' });
    expect(fieldsOf(Object(operation).request.fields).sort()).toEqual(['card', 'payee']);
    expect(fieldsOf(Object(operation).response.fields).sort()).toEqual(['note', 'payee']);
    expect(Object(operation).response.fields.members.get('note').rule.treatment).toBe('encrypt');
    expect(bound().match('GET', '/a/7')?.name).toBe('GET /a/:id');
  });

  it('compiles each operation once', () => {
    const policy = bound();
    expect(policy.match('POST', '/known')).toBe(policy.match('POST', '/known'));
    expect(policy.match('POST', '/x')).toBe(policy.match('PUT', '/y'));
  });

  it('shows its own operation and document', () => {
    const policy = bound();
    expect(policy.operations.map(({ name }) => name)).toEqual(['Shop.pay']);
    expect(policy.toJSON()).toEqual({ 'Shop.pay': ROWS });
    expect(POLICY.operations).toHaveLength(2);
  });

  it('refuses rows that contradict the policy, where they meet', async () => {
    const policy = bound({ 'payee.name': { request: 'encrypt' } });
    expect(policy.match('POST', '/x')?.name).toBe('Shop.pay');
    expect(await errorOf(() => policy.match('POST', '/known'))).toMatchObject({
      code: 'policy_invalid',
      message: expect.stringContaining('overlap'),
    });
  });
});

describe('rows on top of others', () => {
  it('count member by member', () => {
    const base: PolicyRows = { a: { request: 'encrypt', response: 'redact' }, b: { response: 'redact' } };
    expect(mergedRows(base, { a: { response: 'encrypt' }, c: { request: 'none' } })).toEqual({
      a: { request: 'encrypt', response: 'encrypt' },
      b: { response: 'redact' },
      c: { request: 'none' },
    });
    expect(base.a).toEqual({ request: 'encrypt', response: 'redact' });
  });

  it('may be missing on either side', () => {
    expect(mergedRows(undefined, ROWS)).toEqual(ROWS);
    expect(mergedRows(ROWS)).toEqual(ROWS);
    expect(mergedRows()).toEqual({});
  });
});
