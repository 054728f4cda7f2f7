import { describe, expect, it } from 'vitest';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import { messageBody } from './seal-message.js';
import { isMessage, isTokenAttempt, messageToken } from './tokens.js';

const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };
const TOKEN = 'eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.QQ.QQ.QQ.QQ';

describe('isTokenAttempt', () => {
  it.each([TOKEN, 'eyJ', 'eyJ nonsense', 'a.b.c.d.e', '....', ' a.b.c.d.e\n', `${TOKEN}=`, 'é.b.c.d.e'])(
    'takes %j for a token, good or bad',
    (value) => {
      expect(isTokenAttempt(value)).toBe(true);
    },
  );

  it.each([
    '',
    'John',
    'a.b.c',
    'a.b.c.d.e.f',
    ' eyJ',
    'EYJ',
    7,
    null,
    undefined,
    {},
    [TOKEN],
    { toString: () => TOKEN },
  ])('takes %j for a plain value', (value) => {
    expect(isTokenAttempt(value)).toBe(false);
  });
});

describe('a whole message in a body', () => {
  it('is the body itself where the profile has no envelope', () => {
    expect(messageBody(TOKEN, banked)).toBe(TOKEN);
    expect(messageToken(TOKEN, banked)).toBe(TOKEN);
    for (const body of ['a.b.c.d.e', { jwe: TOKEN }, [TOKEN], null, undefined, 7]) {
      expect(messageToken(body, banked)).toBeUndefined();
      expect(isMessage(body, banked)).toBe(false);
    }
  });

  it('is the only member of an envelope, parsed or still a text', () => {
    expect(messageBody(TOKEN, ENVELOPE)).toEqual({ jwe: TOKEN });
    for (const body of [{ jwe: TOKEN }, JSON.stringify({ jwe: TOKEN })]) {
      expect(messageToken(body, ENVELOPE)).toBe(TOKEN);
      expect(isMessage(body, ENVELOPE)).toBe(true);
    }
    for (const body of [
      TOKEN,
      {},
      { jwe: TOKEN, a: 1 },
      { a: 1, jwe: TOKEN },
      { JWE: TOKEN },
      [TOKEN],
      null,
      7,
      Object.create({ jwe: TOKEN }),
    ]) {
      expect(messageToken(body, ENVELOPE)).toBeUndefined();
      expect(isMessage(body, ENVELOPE)).toBe(false);
    }
  });

  it('is not there when the member of the envelope holds something else', () => {
    for (const value of ['plain', 7, null, { a: 1 }, [TOKEN]]) {
      expect(messageToken({ jwe: value }, ENVELOPE)).toEqual(value);
      expect(isMessage({ jwe: value }, ENVELOPE)).toBe(false);
    }
  });
});
