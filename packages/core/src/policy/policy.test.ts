import { describe, expect, it } from 'vitest';
import { definePolicy } from './define-policy.js';
import type { PolicyDocument } from './policy.js';

const SESSIONS = 'POST /v2/payment_sessions';
const ONE_SESSION = 'GET /v2/payment_sessions/:id';
const MANDATES = 'POST /v2/mandates';
const NEW_SESSION = 'GET /v2/payment_sessions/new';
const DOCUMENT: PolicyDocument = Object.fromEntries(
  [SESSIONS, ONE_SESSION, MANDATES, NEW_SESSION].map((name) => [name, { payee: { response: 'redact' } }]),
);

describe('Policy.match', () => {
  const policy = definePolicy(DOCUMENT);

  it.each([
    ['POST', '/v2/payment_sessions', SESSIONS],
    ['post', '/v2/payment_sessions', SESSIONS],
    ['POST', '/V2/Payment_Sessions', SESSIONS],
    ['POST', '/v2/payment_sessions/', SESSIONS],
    ['POST', '/v2/payment_sessions//', SESSIONS],
    ['POST', '//v2//payment_sessions', SESSIONS],
    ['POST', '/v2/p%61yment_sessions', SESSIONS],
    ['POST', '/v2/%50ayment%5Fsessions', SESSIONS],
    ['POST', '/%76%32/payment_sessions', SESSIONS],
    ['POST', '/v2%2Fpayment_sessions', SESSIONS],
    ['POST', '/v2/./payment_sessions', SESSIONS],
    ['POST', '/v2/x/../payment_sessions', SESSIONS],
    ['POST', '/v2/%2e/payment_sessions', SESSIONS],
    ['POST', '/v2/x/%2E%2e/payment_sessions', SESSIONS],
    ['POST', '/v2/payment_sessions?a=1', SESSIONS],
    ['POST', '/v2/payment_sessions?', SESSIONS],
    ['POST', '/v2/payment_sessions#x', SESSIONS],
    ['POST', '/v2/payment_sessions;jsessionid=1', SESSIONS],
    ['POST', '/v2;v=1/payment_sessions', SESSIONS],
    ['POST', '/v2\\payment_sessions#x', SESSIONS],
    ['POST', '/v2/payment_sessions\u00a0', SESSIONS],
    ['POST', 'http://api.example.com/v2/payment_sessions', SESSIONS],
    ['POST', 'https://user@[::1]:8443/v2/payment_sessions?x', SESSIONS],
    ['GET', '/v2/payment_sessions/7', ONE_SESSION],
    ['HEAD', '/v2/payment_sessions/7', ONE_SESSION],
    ['GET', '/v2/payment_sessions/a%2Fb', ONE_SESSION],
    ['GET', '/v2/payment_sessions/..', ONE_SESSION],
    ['GET', '/v2/payment_sessions/;x', ONE_SESSION],
    ['GET', '/v2/payment_sessions/%ff', ONE_SESSION],
    ['GET', '/v2/payment_sessions/__proto__', ONE_SESSION],
    ['GET', '/v2/payment_sessions/constructor', ONE_SESSION],
    ['GET', '/v2/payment_sessions/new', NEW_SESSION],
    ['GET', '/v2/payment_sessions/NEW/', NEW_SESSION],
  ])('covers %s %s by %s', (method, path, name) => {
    expect(policy.match(method, path)?.name).toBe(name);
  });

  it.each([
    ['PUT', '/v2/payment_sessions'],
    ['GET', '/v2/payment_sessions'],
    ['HEAD', '/v2/mandates'],
    ['POST', '/v2/payment_sessions/7'],
    ['POST', '/v2/payment_sessionss'],
    ['POST', '/v2/payment'],
    ['POST', '/payment_sessions'],
    ['POST', '/v3/payment_sessions?/v2/payment_sessions'],
    ['POST', '/x#/v2/payment_sessions'],
    ['POST', '/v2/payment%2573essions'],
    ['GET', '/v2/payment_sessions/7/8'],
    ['GET', '/__proto__'],
    ['__proto__', '/v2/mandates'],
    ['', ''],
  ])('does not cover %s %s', (method, path) => {
    expect(policy.match(method, path)).toBeUndefined();
  });

  it.each([
    '/v2/payment_sessions/n%65w',
    '/v2/payment_sessions/N%45W/',
    '/v2/payment_sessions/new;x',
    '/v2/payment_sessions/x%2F..%2Fnew',
    '/v2/payment_sessions/7;/../new',
  ])('refuses GET %s, which frameworks may read as two operations', (path) => {
    expect(() => policy.match('GET', path)).toThrow(
      expect.objectContaining({ code: 'operation_refused', status: 400, expose: true }),
    );
  });

  it('refuses no path for being strange as long as it can mean one operation only', () => {
    expect(policy.match('POST', '/v2/..;/v2/%2e/mandates;a=b')?.name).toBe(MANDATES);
  });
});
