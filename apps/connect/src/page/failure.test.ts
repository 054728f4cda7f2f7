import { E2eeError, type E2eeErrorCode } from '@e2ee/core';
import { AxiosError, type AxiosResponse } from 'axios';
import { expect, test } from 'vitest';
import { BadDescription } from './bank.js';
import { type Circumstances, type Failure, failureOf } from './failure.js';
import { MESSAGES, messageFor, whereabouts } from './messages.js';

function answered(status: number, data: unknown): AxiosError {
  return new AxiosError('', 'ERR_BAD_REQUEST', undefined, undefined, { status, data } as AxiosResponse);
}

const BEFORE = { isOnline: true, isSent: false };
const SENT = { isOnline: true, isSent: true };
const OFFLINE = { isOnline: false, isSent: true };
const NO_KEY = new E2eeError('keys_unavailable', '');

test.each<[string, unknown, Circumstances, Failure]>([
  [
    'an answer with a code',
    answered(400, { code: 'wrongpass', description: 'x' }),
    SENT,
    { by: 'answer', code: 'wrongpass' },
  ],
  [
    'one that names a field',
    answered(400, { code: 'invalidValue', field: 'a' }),
    SENT,
    { by: 'answer', code: 'invalidValue', field: 'a' },
  ],
  [
    'an answer, whatever the browser knows of the network',
    answered(502, { code: 'x' }),
    OFFLINE,
    { by: 'answer', code: 'x' },
  ],
  ['a 401 without a code', answered(401, ''), SENT, { by: 'answer', code: 'unauthorized' }],
  ['an answer of somebody else', answered(503, '<html>'), SENT, { by: 'answer', code: 'unknown' }],
  ['no answer', new AxiosError('', 'ERR_NETWORK'), SENT, { by: 'page', code: 'server_unreachable' }],
  ['no answer in time', new AxiosError('', 'ECONNABORTED'), SENT, { by: 'page', code: 'server_timeout' }],
  [
    'no answer because of the network',
    new AxiosError('', 'ERR_NETWORK'),
    OFFLINE,
    { by: 'page', code: 'connection_lost' },
  ],
  ['no key because of the network', NO_KEY, OFFLINE, { by: 'page', code: 'connection_lost' }],
  ['no key', NO_KEY, BEFORE, { by: 'page', code: 'keys_unavailable' }],
  ['no key for a second try', NO_KEY, SENT, { by: 'page', code: 'unknown' }],
  [
    'fields that cannot be right',
    new BadDescription('canary'),
    SENT,
    { by: 'page', code: 'description_refused' },
  ],
  ['a mistake of ours', new TypeError('canary'), BEFORE, { by: 'page', code: 'unknown' }],
])('%s', (_, error, circumstances, failure) => {
  expect(failureOf(error, circumstances)).toEqual(failure);
});

const CODES = [...Object.keys(MESSAGES.page), ...Object.keys(MESSAGES.answer), '?', 'toString', '__proto__'];

test.each(CODES)('an answer that says "%s" cannot make the page say that nothing was sent', (code) => {
  const failure = failureOf(answered(400, { by: 'page', code, isKept: true }), SENT);
  expect(whereabouts(messageFor(failure))).toMatch(/^Nothing was readable on the way.* is erased/);
});

test.each([...Object.keys(MESSAGES.page), 'token_invalid'] as E2eeErrorCode[])(
  'nor can the page itself once something has left it: %s',
  (code) => {
    const failure = failureOf(new E2eeError(code, ''), SENT);
    expect(whereabouts(messageFor(failure))).toMatch(/^Nothing was readable on the way.* is erased/);
  },
);

test.each([
  ['page', 'field_invalid', 'nothing'],
  ['page', 'limit_exceeded', 'nothing'],
  ['page', 'crypto_unavailable', 'nothing'],
  ['page', 'keys_unavailable', 'nothing'],
  ['answer', 'tooLarge', 'encrypted'],
  ['answer', 'internal', 'encrypted'],
] as const)('what the %s says with %s has words of its own: %s left', (by, code, left) => {
  const message = messageFor({ by, code });
  expect(message.left).toBe(left);
  const all = [...Object.entries(MESSAGES.page), ...Object.entries(MESSAGES.answer)];
  const alike = all.filter(([other, { title }]) => other !== code && title === message.title);
  expect(alike.map(([other]) => other).filter((other) => other !== 'key_invalid')).toEqual([]);
});

test('every message says what happened, what to do, and where the details are', () => {
  const unknown = ['?', 'toString'].map((code) => messageFor({ by: 'page', code }));
  for (const message of [...Object.values(MESSAGES.page), ...Object.values(MESSAGES.answer), ...unknown]) {
    for (const text of [message.title, message.what, message.next]) expect(text).toMatch(/^\S.{10,}\S$/);
    expect(message.title).not.toMatch(/[.!_]|E2ee|JWE|\d{3}/);
    expect(`${message.what} ${message.next}`).not.toMatch(/[_!]|E2ee|JWE|\d{3}/);
    expect(whereabouts(message)).toMatch(
      /^(Nothing was sent|Nothing was readable on the way).*(erased|still here)/,
    );
  }
});
