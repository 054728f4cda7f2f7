import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { definePolicy } from './define-policy.js';
import type { DirectionRules, PolicyRows } from './policy.js';

function compiled(rows: PolicyRows): { readonly request: DirectionRules; readonly response: DirectionRules } {
  const operation = definePolicy({ 'POST /a': rows }).operations[0];
  if (!operation) throw new Error('One operation was defined');
  return operation;
}

describe('the rules of a direction', () => {
  it('say how a value is encoded: as JSON, unless the row says as text', () => {
    const { request } = compiled({
      a: { request: 'encrypt' },
      b: { request: 'encrypt', as: 'text' },
      c: { request: 'encrypt', as: 'json' },
    });
    const encodings = [...request.fields.members.values()].map(({ rule }) => rule?.as);
    expect(encodings).toEqual(['json', 'text', 'json']);
  });

  it('have a rule of the whole body where `$` has one, and only then', () => {
    const whole = compiled({ $: { request: 'encrypt' } });
    expect(whole.request.whole).toMatchObject({ path: '$', treatment: 'encrypt' });
    expect(Object.keys(whole.request)).toContain('whole');
    for (const rules of [whole.response, compiled({ a: { request: 'encrypt' } }).request])
      expect(Object.keys(rules)).not.toContain('whole');
  });

  it('treat nothing of the whole body by `none`', () => {
    const { request } = compiled({ $: { request: 'none', response: 'encrypt' } });
    expect(request.whole).toBeUndefined();
    expect(request.treats).toBe(false);
  });
});

describe('what is wrong with a policy', () => {
  const messageOf = async (document: unknown): Promise<string> =>
    Object(await errorOf(() => definePolicy(document as never))).message;

  it('is said with the members that a row may have', async () => {
    expect(await messageOf({ 'POST /a': { b: { requests: 'encrypt' } } })).toContain(
      'known are sensitivity, request, response, as, required',
    );
  });

  it.each(['POST /:a:b', 'POST /x:a', 'POST /:', 'POST /:1', 'POST /a/:b-c'])(
    'is said of %s, a segment that is neither plain nor a parameter',
    async (operation) => {
      expect(await messageOf({ [operation]: { a: { request: 'encrypt' } } })).toContain('bad path segment');
    },
  );

  it('is said of a path that two operations claim, when a request comes for it', async () => {
    const rows = { a: { request: 'encrypt' } } as const;
    const policy = definePolicy({ 'POST /a': rows, 'POST /b': rows });
    expect(await errorOf(() => policy.match('POST', '/a;/../b'))).toMatchObject({
      code: 'operation_refused',
      message: 'The path is ambiguous',
    });
  });
});
