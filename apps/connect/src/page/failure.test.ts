import { E2eeError } from '@e2ee/core';
import { AxiosError, type AxiosResponse } from 'axios';
import { expect, test } from 'vitest';
import { failureOf } from './failure.js';
import { MESSAGES, messageFor, whereabouts } from './messages.js';

function answered(status: number, data: unknown): AxiosError {
  return new AxiosError('', 'ERR_BAD_REQUEST', undefined, undefined, { status, data } as AxiosResponse);
}

test.each<[string, unknown, boolean, object]>([
  [
    'an answer with a code',
    answered(400, { code: 'wrongpass', description: 'x' }),
    true,
    { code: 'wrongpass' },
  ],
  [
    'one that names a field',
    answered(400, { code: 'invalidValue', field: 'a' }),
    true,
    { code: 'invalidValue', field: 'a' },
  ],
  [
    'an answer, whatever the browser knows of the network',
    answered(502, { code: 'x' }),
    false,
    { code: 'x' },
  ],
  ['a 401 without a code', answered(401, ''), true, { code: 'unauthorized' }],
  ['an answer of somebody else', answered(503, '<html>'), true, { code: 'unknown' }],
  ['no answer', new AxiosError('', 'ERR_NETWORK'), true, { code: 'server_unreachable' }],
  ['no answer in time', new AxiosError('', 'ECONNABORTED'), true, { code: 'server_timeout' }],
  ['no answer because of the network', new AxiosError('', 'ERR_NETWORK'), false, { code: 'connection_lost' }],
  [
    'no key because of the network',
    new E2eeError('keys_unavailable', ''),
    false,
    { code: 'connection_lost' },
  ],
  ['no key', new E2eeError('keys_unavailable', ''), true, { code: 'keys_unavailable' }],
  ['a mistake of ours', new TypeError('canary'), true, { code: 'unknown' }],
])('%s', (_, error, isOnline, failure) => {
  expect(failureOf(error, isOnline)).toEqual(failure);
});

test('every message says what happened, what to do, and where the details are', () => {
  for (const message of [...Object.values(MESSAGES), messageFor('?'), messageFor('toString')]) {
    for (const text of [message.title, message.what, message.next]) expect(text).toMatch(/^\S.{10,}\S$/);
    expect(message.title).not.toMatch(/[.!_]|E2ee|JWE|\d{3}/);
    expect(`${message.what} ${message.next}`).not.toMatch(/[_!]|E2ee|JWE|\d{3}/);
    expect(whereabouts(message)).toMatch(
      /^(Nothing was sent|Nothing was readable on the way).*(erased|still here)/,
    );
  }
});
