import { describe, expect, it } from 'vitest';
import { E2eeError } from '../errors.js';
import { banked } from './banked.js';
import { checkProfile, type Profile } from './profile.js';

/** What only a caller without types can pass. */
function refusalOf(profile: unknown): E2eeError {
  try {
    checkProfile(profile as Profile);
  } catch (error) {
    if (error instanceof E2eeError) return error;
    throw error;
  }
  throw new Error('The profile was accepted');
}

/** The banked profile with one member, given by its path, changed. */
function withMember(path: string, value: unknown): object {
  const [name = '', ...rest] = path.split('.');
  const old: unknown = Reflect.get(banked, name);
  return { ...banked, [name]: rest.length === 0 ? value : { ...(old as object), [rest.join('.')]: value } };
}

describe('checkProfile', () => {
  it('returns a profile as it is, also one that is derived', () => {
    const derived: Profile = { ...banked, name: 'acme', prefix: { request: '', response: 'enc_' } };
    expect(checkProfile(derived)).toBe(derived);
  });

  it.each([undefined, null, 'banked', 7, false])('refuses %o, which is no profile', (profile) => {
    expect(refusalOf(profile)).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('Option `profile` must be a profile'),
    });
  });

  it.each([
    'encrypt',
    'accept',
    'prefix',
    'message',
    'publication',
    'keyRejection',
    'policy',
    'redaction',
    'prefix.request',
    'prefix.response',
    'accept.alg',
    'accept.enc',
    'message.contentType',
    'publication.path',
    'publication.times',
    'keyRejection.status',
  ])('names the member %s when it is missing, null or of the wrong kind', (member) => {
    for (const value of [undefined, null, 7n]) {
      const { code, message } = refusalOf(withMember(member, value));
      expect(code).toBe('option_invalid');
      expect(message).toContain(`Option \`profile.${member}\` must be `);
    }
  });

  it('refuses an envelope member without a name', () => {
    for (const value of ['', 7, null]) {
      expect(refusalOf(withMember('message.member', value)).message).toContain(
        '`profile.message.member` must be',
      );
    }
  });

  it.each(['Application/JOSE', 'application/jose; charset=utf-8', 'jose', ''])(
    'refuses the message content type "%s", which would never be recognised in a header',
    (value) => {
      expect(refusalOf(withMember('message.contentType', value)).message).toContain('without parameters');
    },
  );

  it.each([
    ['encrypt', { alg: 'RSA-OAEP', enc: 'A256GCM' }, 'RSA-OAEP is with SHA-1'],
    ['encrypt', { alg: 'RSA-OAEP-256', enc: 'A128CBC' }, 'unsupported `enc`: A128CBC'],
    ['accept', { alg: ['RSA-OAEP-256', 'RSA1_5'], enc: ['A256GCM'] }, 'unsupported `alg`: RSA1_5'],
    ['accept', { alg: ['RSA-OAEP-256'], enc: ['none'] }, 'unsupported `enc`: none'],
    ['accept', { alg: ['toString'], enc: ['A256GCM'] }, 'unsupported `alg`: toString'],
    ['accept', { alg: ['__proto__'], enc: ['A256GCM'] }, 'unsupported `alg`: __proto__'],
  ])('refuses algorithms that the library does not have: %s %j', (member, value, why) => {
    expect(refusalOf(withMember(member, value))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(why),
    });
  });
});
