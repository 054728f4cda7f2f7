import { describe, expect, it } from 'vitest';
import type { FieldRule, FieldTree } from '../fields/tree.js';
import { definePolicy } from '../policy/define-policy.js';
import { banked } from './banked.js';
import { checkProfile } from './profile.js';

/** "Fields Requiring Encryption" as Banked's page prints it: endpoint, field, sensitivity, request, response. */
const PAGE = `
POST /v2/payment_sessions | payee                | high | encrypt | redact/encrypt
POST /v2/payment_sessions | payer                | high | encrypt | redact/encrypt
POST /v2/payment_sessions | mandate_id           | high | encrypt | encrypt
POST /v2/payment_sessions | mandate              | high | encrypt | redact/encrypt
GET /v2/payment_sessions  | payee                | high | N/A     | redact/encrypt
GET /v2/payment_sessions  | payer                | high | N/A     | redact/encrypt
POST /v2/bank_accounts    | name                 | low  | encrypt | redact
POST /v2/bank_accounts    | account_identifier   | high | encrypt | redact
POST /v2/bank_accounts    | sort_code            | high | encrypt | redact
POST /v2/bank_accounts    | account_number       | high | encrypt | redact
POST /v2/bank_accounts    | secondary_identifier | high | encrypt | redact
POST /v2/mandates         | source               | high | encrypt | redact
POST /v2/mandates         | destination          | high | encrypt | redact
POST /v2/mandates         | actions.#.source     | high | encrypt | redact
`;
const TREATMENTS: Readonly<Record<string, string | undefined>> = {
  'N/A': undefined,
  encrypt: 'encrypt',
  redact: 'redact',
  'redact/encrypt': 'redact-or-encrypt',
};
const ROWS = PAGE.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the banked profile', () => {
  const policy = definePolicy(banked.policy);

  it.each(ROWS)(
    'treats %s %s (%s) as the page says: request %s, response %s',
    (endpoint, field, sensitivity, request, response) => {
      const row = banked.policy[String(endpoint)]?.[String(field)];
      expect(row?.sensitivity).toBe(sensitivity);
      expect(row?.request).toBe(TREATMENTS[String(request)]);
      expect(row?.response).toBe(TREATMENTS[String(response)]);

      const [method = '', path = ''] = String(endpoint).split(' ');
      const operation = policy.match(method, path);
      expect(ruleAt(operation?.request.fields, String(field))?.treatment).toBe(TREATMENTS[String(request)]);
      expect(ruleAt(operation?.response.fields, String(field))?.treatment).toBe(TREATMENTS[String(response)]);
    },
  );

  it('says nothing that the page does not say, but for one session by id and sessions in a list', () => {
    const own = Object.entries(banked.policy).flatMap(([operation, rows]) =>
      Object.keys(rows).map((field) => `${operation} ${field}`),
    );
    const ofPage = ROWS.map(([endpoint, field]) => `${endpoint} ${field}`);
    expect(own.filter((row) => !ofPage.includes(row))).toEqual([
      'GET /v2/payment_sessions #.payee',
      'GET /v2/payment_sessions #.payer',
      'GET /v2/payment_sessions/:id payee',
      'GET /v2/payment_sessions/:id payer',
    ]);
    for (const path of ['/v2/payment_sessions', '/v2/payment_sessions/ps_1']) {
      const operation = policy.match('GET', path);
      expect(operation?.request.treats).toBe(false);
      expect(ruleAt(operation?.response.fields, 'payer')?.treatment).toBe('redact-or-encrypt');
    }
    const list = policy.match('GET', '/v2/payment_sessions')?.response.fields;
    expect(ruleAt(list, '#.payee')?.treatment).toBe('redact-or-encrypt');
  });

  it('names encrypted fields with the prefix encrypted_ both ways, and masks with [REDACTED]', () => {
    expect(banked.prefix).toEqual({ request: 'encrypted_', response: 'encrypted_' });
    expect(banked.redaction).toBe('[REDACTED]');
  });

  it('uses RSA-OAEP-256 with A256GCM and accepts nothing else', () => {
    expect(banked.encrypt).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM' });
    expect(banked.accept).toEqual({ alg: ['RSA-OAEP-256'], enc: ['A256GCM'] });
  });

  it('answers whole messages as application/jose, not in an envelope', () => {
    expect(banked.message).toEqual({ contentType: 'application/jose' });
  });

  it('publishes a JWKS with the times under the names that the page uses', () => {
    expect(banked.publication).toMatchObject({
      path: '/.well-known/jwks.json',
      form: 'jwks',
      contentType: 'application/json',
      times: { expiry: 'bknd.exp', issued: 'bnkd.iat' },
    });
  });

  it('rejects a key with the status and the body that the page prints', () => {
    expect(banked.keyRejection).toEqual({
      status: 422,
      body: JSON.parse(`{
        "errors": [
          {
            "code": "invalid",
            "source": "encryption key",
            "title": "invalid encryption key"
          }
        ]
      }`),
    });
  });

  it('passes the checks of every profile', () => {
    expect(checkProfile(banked)).toBe(banked);
  });
});

function ruleAt(tree: FieldTree | undefined, path: string): FieldRule | undefined {
  return path
    .split('.')
    .reduce<FieldTree | undefined>(
      (node, name) => (name === '#' ? node?.element : node?.members.get(name)),
      tree,
    )?.rule;
}
