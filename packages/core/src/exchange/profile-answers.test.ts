import { describe, expect, it } from 'vitest';
import { E2eeError, type E2eeErrorCode } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import { errorAnswer, errorBody, isKeyRejection } from './profile-answers.js';

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };
const INTERNAL = 'The request could not be processed';

describe('errorAnswer', () => {
  it('shows the peer what it did wrong: code, message and path', () => {
    const error = new E2eeError('plaintext_refused', 'Field `a` must be encrypted', { path: 'a' });
    expect(errorAnswer(error, banked)).toEqual({
      status: 400,
      headers: HEADERS,
      body: { errors: [{ code: 'plaintext_refused', source: 'a', title: 'Field `a` must be encrypted' }] },
    });
  });

  it('answers a bad token in one way, whatever is asked of the error', () => {
    const refused = (): unknown => {
      try {
        return refuseToken();
      } catch (error) {
        return error;
      }
    };
    expect(errorAnswer(refused(), banked)).toEqual({
      status: 400,
      headers: HEADERS,
      body: {
        errors: [{ code: 'token_invalid', source: 'body', title: 'The encrypted payload is not acceptable' }],
      },
    });
  });

  it('answers a rejected key with the status and the body of the profile, and with nothing else', () => {
    const error = new E2eeError('key_rejected', 'why', { path: 'a' });
    expect(errorAnswer(error, banked)).toEqual({
      status: 422,
      headers: HEADERS,
      body: banked.keyRejection.body,
    });
    const other: Profile = { ...banked, keyRejection: { status: 409, body: 'rotated' } };
    expect(errorAnswer(error, other)).toEqual({ status: 409, headers: HEADERS, body: 'rotated' });
  });

  it.each<E2eeErrorCode>([
    'option_invalid',
    'policy_invalid',
    'key_invalid',
    'encryption_failed',
    'response_refused',
    'keys_unavailable',
  ])('shows neither the message nor the path of %s', (code) => {
    const cause = new Error('below');
    const answered = errorAnswer(
      new E2eeError(code, 'https://keys.internal is down', { path: 'payee.name', cause }),
      banked,
    );
    expect(JSON.stringify(answered)).not.toMatch(/keys\.internal|payee|below/);
    expect(answered.body).toEqual({ errors: [{ code, source: 'body', title: INTERNAL }] });
  });

  it.each([
    new Error('secret'),
    new TypeError('secret'),
    'secret',
    { status: 418, message: 'secret', expose: true },
    undefined,
    null,
  ])('makes a 500 without detail of %o', (error) => {
    expect(errorAnswer(error, banked)).toEqual({
      status: 500,
      headers: HEADERS,
      body: { errors: [{ code: 'internal', source: 'body', title: INTERNAL }] },
    });
  });

  it('tells when to try again exactly on 503', () => {
    expect(errorAnswer(new E2eeError('keys_unavailable', 'x'), banked).headers).toEqual({
      ...HEADERS,
      'retry-after': '30',
    });
    expect(errorAnswer(new E2eeError('response_refused', 'x'), banked).headers).toEqual(HEADERS);
    expect(errorAnswer(new E2eeError('keys_unavailable', 'x', { status: 500 }), banked).headers).toEqual(
      HEADERS,
    );
  });

  it('fills the template of the profile, wherever its placeholders stand', () => {
    const profile: Profile = {
      ...banked,
      error: { fault: ['{status}: {message} ({code} at {path})', 7, null, true, { '{code}': '{other}' }] },
    };
    const error = new E2eeError('field_invalid', 'It says {path} and $& and $1', { path: 'a.{code}' });
    expect(errorAnswer(error, profile).body).toEqual({
      fault: [
        '400: It says {path} and $& and $1 (field_invalid at a.{code})',
        7,
        null,
        true,
        { '{code}': '{other}' },
      ],
    });
  });
});

describe('errorBody', () => {
  it('is the body of an error without its detail', () => {
    expect(errorBody(banked, 404, 'response_refused')).toEqual({
      errors: [{ code: 'response_refused', source: 'body', title: INTERNAL }],
    });
  });
});

describe('isKeyRejection', () => {
  it('knows what errorAnswer makes of a rejected key, also as a text', () => {
    const answered = errorAnswer(new E2eeError('key_rejected', 'x'), banked);
    expect(isKeyRejection(answered, banked)).toBe(true);
    expect(isKeyRejection({ ...answered, body: JSON.stringify(answered.body) }, banked)).toBe(true);
    expect(isKeyRejection({ ...answered, status: 400 }, banked)).toBe(false);
  });

  it('takes no inherited member and no other error for it', () => {
    const profile: Profile = {
      ...banked,
      keyRejection: { status: 422, body: JSON.parse('{"__proto__":{}}') },
    };
    expect(isKeyRejection({ status: 422, headers: {}, body: {} }, profile)).toBe(false);
    for (const code of ['token_invalid', 'plaintext_refused'] as const) {
      const answered = errorAnswer(new E2eeError(code, 'x', { status: 422 }), banked);
      expect(isKeyRejection(answered, banked)).toBe(false);
    }
  });
});
