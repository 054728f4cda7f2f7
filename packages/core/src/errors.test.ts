import { describe, expect, it } from 'vitest';
import { E2eeError, type E2eeErrorCode, invalidOption } from './errors.js';

const STATUSES: Readonly<Record<E2eeErrorCode, number>> = {
  option_invalid: 500,
  policy_invalid: 500,
  key_invalid: 500,
  keys_unavailable: 503,
  store_unavailable: 503,
  over_capacity: 503,
  crypto_unavailable: 500,
  encryption_failed: 500,
  token_invalid: 400,
  key_rejected: 422,
  plaintext_refused: 400,
  field_conflict: 400,
  field_required: 400,
  field_invalid: 400,
  body_unreadable: 400,
  media_type_unsupported: 415,
  body_too_large: 413,
  limit_exceeded: 400,
  tls_required: 403,
  operation_refused: 403,
  leak_refused: 500,
  response_refused: 500,
};

describe('E2eeError', () => {
  it.each(Object.entries(STATUSES) as [E2eeErrorCode, number][])('answers %s with %d', (code, status) => {
    const error = new E2eeError(code, 'why');
    expect(error).toMatchObject({ name: 'E2eeError', code, status, statusCode: status, message: 'why' });
  });

  it('may show its message to the peer exactly when the peer is to blame', () => {
    for (const [code, status] of Object.entries(STATUSES) as [E2eeErrorCode, number][]) {
      expect(new E2eeError(code, 'why').expose, code).toBe(status < 500);
    }
  });

  it('takes another status in all three places that a framework looks at', () => {
    const raised = new E2eeError('token_invalid', 'why', { status: 502 });
    expect(raised).toMatchObject({ status: 502, statusCode: 502, expose: false });
    const lowered = new E2eeError('keys_unavailable', 'why', { status: 409 });
    expect(lowered).toMatchObject({ status: 409, statusCode: 409, expose: true });
  });

  it('keeps its cause, and has no such property without one', () => {
    const cause = new Error('below');
    expect(new E2eeError('encryption_failed', 'why', { cause }).cause).toBe(cause);
    expect(Object.hasOwn(new E2eeError('encryption_failed', 'why'), 'cause')).toBe(false);
  });

  it('names a field path only where there is one', () => {
    expect(new E2eeError('field_invalid', 'why', { path: 'payee.name' }).path).toBe('payee.name');
    expect('path' in new E2eeError('field_invalid', 'why')).toBe(false);
  });

  it('serialises to what a logger may keep: neither the stack nor the cause', () => {
    const error = new E2eeError('field_invalid', 'why', { path: 'payee', cause: new Error('below') });
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: { name: 'E2eeError', code: 'field_invalid', status: 400, message: 'why', path: 'payee' },
    });
    expect(JSON.parse(JSON.stringify(new E2eeError('field_invalid', 'why')))).toEqual({
      name: 'E2eeError',
      code: 'field_invalid',
      status: 400,
      message: 'why',
    });
  });

  it('is an Error with a stack that begins with its name and message', () => {
    const error = new E2eeError('token_invalid', 'why');
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toMatch(/^(?:E2ee)?Error: why\n/);
  });
});

describe('invalidOption', () => {
  it.each([
    [null, 'null'],
    [[], 'an array'],
    [7, 'number'],
    [undefined, 'undefined'],
    [{}, 'object'],
  ])('names the option and the kind of %o', (value, kind) => {
    expect(() => invalidOption('limits.tokens', 'a whole number', value)).toThrow(
      new E2eeError('option_invalid', `Option \`limits.tokens\` must be a whole number, not ${kind}`),
    );
  });

  it('never repeats the value itself, which may be a secret', () => {
    const attempt = (): never => invalidOption('keyRing', 'a key ring', 'canary-51b2');
    expect(attempt).toThrow(/keyRing/);
    expect(attempt).not.toThrow(/canary-51b2/);
  });
});
