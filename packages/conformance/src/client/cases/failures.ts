import { CANARY } from '../../server/answers.js';
import { type ClientBase, type ClientCase, once, post, type Sending } from '../case.js';
import type { Answer } from '../provider.js';
import { MESSAGES, PAYMENTS, SECRET, STANDARD, typed } from './standard.js';

const BODY = { ...SECRET, mandate_id: CANARY, meta: { a: CANARY }, actions: [{ source: CANARY }] };

function answering(...answers: readonly Answer[]): Partial<ClientBase> {
  return { provider: { answers } };
}

/** Every way in which a call can fail. What may not be seen then is checked for every case; these are the many ways. */
const FAILURES: Readonly<
  Record<string, { base?: Partial<ClientBase>; send?: Partial<Sending>; paths?: readonly string[] }>
> = {
  'nobody listens': { base: { url: 'http://127.0.0.1:9' } },
  'the host is unknown': { base: { url: 'http://host.invalid' } },
  'the URL is none': { base: { url: 'http://[' } },
  'the connection drops': { base: answering({ way: 'drop' }) },
  'the answer breaks off': { base: answering({ way: 'break off' }) },
  'the time is up': { base: answering({ way: 'hang' }), send: { timeout: 40 } },
  'it is broken off before': { send: { abort: 'before' } },
  'it is broken off at the keys': { base: { keys: 'remote' }, send: { abort: 'key fetch' } },
  'it is broken off in the middle': { base: answering({ way: 'hang' }), send: { abort: 'arrival' } },
  'it is broken off in the answer': { base: answering({ way: 'stall' }), send: { abort: 'answer' } },
  ...Object.fromEntries(
    [400, 401, 422, 500, 503].map((status) => [
      `it answers ${status}`,
      { base: answering({ way: 'handle', status }) },
    ]),
  ),
  'it answers 500 with a whole message': { base: answering({ way: 'handle', status: 500, to: 'message' }) },
  'it answers 500 with a page': {
    base: answering({ way: 'raw', status: 500, headers: { 'content-type': 'text/html' }, body: '<html>' }),
  },
  'the answer has a bad token': {
    base: { ...answering({ way: 'raw', body: { encrypted_payee: 'a.b.c.d.e' } }) },
    paths: [PAYMENTS],
  },
  'the answer is a bad token': {
    base: answering({ way: 'raw', headers: { 'content-type': 'application/jose' }, body: 'a.b.c.d.e' }),
  },
  'an error has a bad token': {
    base: answering({ way: 'raw', status: 500, body: { encrypted_payee: 'a.b.c.d.e' } }),
  },
  'the key is rejected': { base: answering({ way: 'reject the key' }) },
  'the keys are out of reach': { base: { keys: 'out of reach' } },
  'the key is broken': { base: { keys: 'broken' } },
  'the new key is broken': {
    base: { keys: 'broken after a refresh', ...answering({ way: 'reject the key' }) },
  },
  'the body cannot be encrypted': { send: typed('text/plain') },
  'it goes round in circles': { base: answering({ way: 'redirect', status: 307, location: PAYMENTS }) },
  'it requires TLS': { base: { requireTls: true, url: 'http://192.0.2.1' } },
  'an interceptor throws': {
    base: {
      around: {
        request: () => {
          throw new Error('refused');
        },
      },
    },
  },
  'a transformation throws': {
    base: {
      around: {
        transformText: () => {
          throw new Error('no form');
        },
      },
    },
  },
};

export const failures: readonly ClientCase[] = Object.entries(FAILURES).flatMap(
  ([name, { base, send, paths = [PAYMENTS, MESSAGES] }]) =>
    paths.map((path) => ({
      name: `plaintext shows nowhere when ${name}, sent to ${path}`,
      base: { ...STANDARD, ...base },
      ...once(
        post(path, BODY, send),
        [{}, { error: 'any' }],
        name.includes('circles') ? { resent: true } : undefined,
      ),
    })),
);
