import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DemoError } from './demo-error.js';
import { readPayloads } from './payloads.js';

const directory = mkdtempSync(join(tmpdir(), 'e2ee-payloads-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(content: unknown): string {
  const path = join(directory, 'payload.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('a payload replaces that of the call it belongs to', () => {
  test.each([
    [{ payee: 1 }, 'POST /v2/payment_sessions'],
    [{ payer: null, source: 'web' }, 'POST /v2/payment_sessions'],
    [{ amount: 1 }, 'POST /v2/payment_sessions'],
    [{ actions: [] }, 'POST /v2/mandates'],
    [{ source: 0 }, 'POST /v2/mandates'],
    [{ destination: {}, name: 'x' }, 'POST /v2/mandates'],
    [{ account_number: '' }, 'POST /v2/bank_accounts'],
    [{ sort_code: '1' }, 'POST /v2/bank_accounts'],
    [{ name: 'x' }, 'POST /v2/bank_accounts'],
  ] as const)('%o is for %s', (body, operation) => {
    const payloads = readPayloads([file(body)]);
    expect(payloads[operation]).toEqual(body);
    const others = Object.entries(payloads).filter(([name]) => name !== operation);
    expect(others).toEqual(Object.entries(readPayloads([])).filter(([name]) => name !== operation));
  });

  test('a wrapper decides; a body that only looks like one does not', () => {
    const wrapper = { operation: 'POST /v2/mandates', body: { payee: 1 } };
    expect(readPayloads([file(wrapper)])['POST /v2/mandates']).toEqual({ payee: 1 });
    const body = { ...wrapper, payee: 1 };
    expect(readPayloads([file(body)])['POST /v2/payment_sessions']).toEqual(body);
  });

  test('a byte order mark is no part of it', () => {
    expect(readPayloads([file('\uFEFF{"payee":1}')])['POST /v2/payment_sessions']).toEqual({ payee: 1 });
  });
});

describe('what cannot be used is told in a sentence', () => {
  test.each([
    ['{"payee":', /payload\.json is not valid JSON/],
    ['', /payload\.json is not valid JSON/],
    ['[1]', /must hold a JSON object/],
    ['null', /must hold a JSON object/],
    ['{"operation":"POST /v3","body":{}}', /"operation" must be one of POST \/v2\/payment_sessions/],
    ['{"operation":"POST /v2/mandates","body":[]}', /"body" must be a JSON object/],
    ['{"payee":[{"constructor":1}]}', /has a member "constructor", which axios leaves out/],
    ['{"__proto__":1,"payee":1}', /has a member "__proto__"/],
  ])('%s', (content, message) => {
    expect(() => readPayloads([file(content)])).toThrow(message);
    expect(() => readPayloads([file(content)])).toThrow(DemoError);
  });

  test('a file that is missing or a directory', () => {
    expect(() => readPayloads([join(directory, 'none.json')])).toThrow(
      /none\.json cannot be read: there is no such file/,
    );
    expect(() => readPayloads([directory])).toThrow(/cannot be read: it is a directory/);
  });
});
