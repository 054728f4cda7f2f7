import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMOS } from './demos.js';
import { displayWidth } from './display-width.js';
import type { Report, Step } from './report.js';

/* The demo as a user runs it: another process, its output and its status. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const RUN = new URL('../../../scripts/run-typescript.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { NO_COLOR, FORCE_COLOR, COLUMNS, INIT_CWD, ...clean } = process.env;
  const child = spawn(process.execPath, ['--conditions=@e2ee/source', '--import', RUN, MAIN, ...args], {
    cwd: ROOT,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** What `--json` prints with all demos: the bank's steps, and those of each other one under its name. */
async function demoJson(args: readonly string[] = []): Promise<Report & Ended> {
  const ended = await demo([...args, '--json']);
  return { ...ended, ...(JSON.parse(ended.stdout) as Report) };
}

/** What the demo of the bank makes of payloads, in this process. */
async function bankReport(payload: readonly string[]): Promise<Report> {
  const { ok, json } = await DEMOS.bank.run({ payload });
  return { ...json, ok } as Report; // as `--json` prints it
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-demo-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function file(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const POSTS = ['POST /v2/payment_sessions', 'POST /v2/bank_accounts', 'POST /v2/mandates'];
const CALLS = [POSTS[0], 'GET /v2/payment_sessions/:id', POSTS[1], POSTS[2]];

function stepOf(report: Report, operation: string, choice: string): Step {
  const step = report.steps.find((one) => one.operation === operation && one.choice === choice);
  if (!step) throw new Error(`There is no step ${operation} with ${choice}`);
  return step;
}

describe('without options', () => {
  let report: Report & Ended;
  beforeAll(async () => {
    report = await demoJson();
  });

  test('everything that should happen happens, and nothing else is printed', () => {
    expect(report.stderr).toBe('');
    expect(report.status).toBe(0);
    expect(report.ok).toBe(true);
    expect(Object.keys(JSON.parse(report.stdout))).toEqual([
      'ok',
      'steps',
      'merchant',
      'aggregator',
      'connect',
    ]);
    expect(report.steps.flatMap(({ checks }) => checks).every(({ ok }) => ok)).toBe(true);
  });

  test('every call is made with every choice, and every step is checked', () => {
    const calls = report.steps.filter(({ about }) => about === 'call');
    const made = calls.map(({ choice, operation }) => `${choice} ${operation}`);
    const expected = ['redact', 'encrypt', 'message'].flatMap((choice) =>
      CALLS.map((call) => `${choice} ${call}`),
    );
    expect(made).toEqual(expected);
    expect(Math.min(...report.steps.map(({ checks }) => checks.length))).toBeGreaterThanOrEqual(6);
    expect(new Set(report.steps.map(({ partnerKey }) => partnerKey))).toEqual(
      new Set([null, 'SPKI', 'PKCS#1']),
    );
  });

  test('a request crosses the wire under encrypted names', () => {
    const { wireRequest } = stepOf(report, 'POST /v2/payment_sessions', 'redact');
    expect(Object.keys(wireRequest?.body as object)).toEqual([
      'amount',
      'currency',
      'reference',
      'external_id',
      'description',
      'email_receipt',
      'encrypted_payee',
      'encrypted_payer',
      'encrypted_mandate',
      'encrypted_mandate_id',
    ]);
  });

  test('an answer comes back as the partner chose', () => {
    const redacted = stepOf(report, 'POST /v2/payment_sessions', 'redact');
    expect(redacted.wireResponse?.body).toMatchObject({
      payee: { name: '[REDACTED]' },
      payer: { date_of_birth: null },
      mandate_id: '[REDACTED]',
    });
    const encrypted = stepOf(report, 'POST /v2/payment_sessions', 'encrypt');
    expect(encrypted.wireResponse?.body).toHaveProperty(
      'encrypted_payee',
      expect.stringMatching(/^eyJ/) as unknown,
    );
    expect(encrypted.merchantGot).toMatchObject(encrypted.merchantWrote as object);
    const message = stepOf(report, 'POST /v2/payment_sessions', 'message');
    expect(message.wireResponse?.headers['content-type']).toBe('application/jose');
    expect(message.wireResponse?.body).toMatch(/^eyJ/);
    expect(message.merchantGot).toMatchObject(message.merchantWrote as object);
  });

  test('a revoked key costs one rejected call, one fetch of the keys and one retry', () => {
    const step = report.steps.find(({ name }) => name === 'The bank revokes the old key');
    const entries = step?.timeline ?? [];
    expect(entries.map(({ who, outcome }) => `${who} ${outcome}`)).toEqual([
      'bank revoked',
      'merchant 422 Unprocessable Entity',
      'merchant 200 OK',
      'merchant 201 Created',
    ]);
    const [revoked, rejected, fetched, retried] = entries.map(({ kid }) => kid);
    expect(rejected).toBe(revoked);
    expect(fetched).toBe(retried);
    expect(retried).not.toBe(rejected);
  });
});

describe('other payloads', () => {
  const NASTY = {
    zero: 0,
    no: false,
    empty: '',
    nothing: null,
    digits: '9223372036854775807',
    padded: '007',
    lists: [[], [[0, false, '', null]], {}],
    script: 'Ελλάδα 日本語 עברית 👩‍👩‍👧 e\u0301 "quoted" \\ \n \u2028',
  };
  const action = (i: number): object => ({
    type: 'payment',
    amount: i,
    source: { ...NASTY, number: `DE89370400440532${i}` },
  });
  const payloads: readonly (readonly [string, Readonly<Record<string, object>>])[] = [
    [
      'texts of every kind, null, and 50 actions',
      {
        'POST /v2/payment_sessions': { payee: null, payer: NASTY, mandate_id: '', note: NASTY },
        'POST /v2/bank_accounts': {
          name: NASTY.script,
          sort_code: '',
          account_number: NASTY.digits,
          more: NASTY,
        },
        'POST /v2/mandates': {
          source: NASTY,
          destination: [NASTY],
          actions: Array.from({ length: 50 }, (_, i) => action(i)),
        },
      },
    ],
    [
      'falsy values in place of objects, and no actions',
      {
        'POST /v2/payment_sessions': { payee: 0, payer: '', mandate: false, amount: 0, rest: NASTY },
        'POST /v2/bank_accounts': { secondary_identifier: '' },
        'POST /v2/mandates': { source: NASTY, destination: null, actions: [] },
      },
    ],
    [
      'sensitive values that also stand where they may be seen',
      {
        'POST /v2/payment_sessions': {
          payee: { a: 'POST', b: 'Created', c: 'reference', d: 'encrypted_payee', e: 'ACME-1' },
          reference: 'ACME-1',
          payer: '[REDACTED]',
        },
      },
    ],
  ];

  test.each(payloads)('%s', async (_, bodies) => {
    const files = Object.entries(bodies).map(([operation, body]) => file(`${operation.slice(9)}.json`, body));
    const report = await bankReport(await Promise.all(files));
    expect(report.steps.flatMap(({ checks }) => checks).filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    for (const [operation, body] of Object.entries(bodies)) {
      for (const choice of ['redact', 'encrypt', 'message']) {
        const step = stepOf(report, operation, choice);
        expect(step.merchantWrote).toEqual(body);
        expect(step.handlerSaw).toEqual(body);
      }
    }
  });

  test('a wrapper says which call a payload is for, and several payloads may be given', async () => {
    const mandate = await file('wrapped.json', {
      operation: POSTS[2],
      body: { source: { x: 'only a source' } },
    });
    const session = await file('session.json', { payee: { x: 'only a payee' } });
    const report = await bankReport([mandate, session]);
    expect(report.ok).toBe(true);
    expect(stepOf(report, POSTS[2] as string, 'encrypt').handlerSaw).toEqual({
      source: { x: 'only a source' },
    });
    expect(stepOf(report, POSTS[0] as string, 'encrypt').handlerSaw).toEqual({
      payee: { x: 'only a payee' },
    });
  });
});

describe('--only', () => {
  test('runs that demo and no other', async () => {
    const [bank, merchant, aggregator] = await Promise.all([
      demoJson(['--only', 'bank']),
      demo(['--only', 'merchant']),
      demo(['--only', 'aggregator']),
    ]);
    expect([bank.status, bank.stderr, Object.keys(JSON.parse(bank.stdout))]).toEqual([
      0,
      '',
      ['ok', 'steps'],
    ]);
    expect([merchant.status, merchant.stderr]).toEqual([0, '']);
    expect(merchant.stdout).toContain('on the wire to bank');
    expect(merchant.stdout).not.toContain('merchant wrote');
    expect([aggregator.status, aggregator.stderr]).toEqual([0, '']);
    expect(aggregator.stdout).toContain('the intermediate server saw');
    expect(aggregator.stdout).not.toContain('merchant wrote');
  });
});

describe('what cannot be used', () => {
  test('a text field that holds something else: one line, and status 1', async () => {
    const ended = await demo([
      '--only',
      'bank',
      '--payload',
      await file('number.json', { name: 5, sort_code: '1' }),
    ]);
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^The payload cannot be sent: Field `name`.*\n$/);
  });

  test('a missing file, also with --json', async () => {
    const ended = await demo(['--only', 'bank', '--json', '--payload', join(directory, 'missing.json')]);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/there is no such file/);
    expect(JSON.parse(ended.stdout)).toEqual({ ok: false, error: ended.stderr.trimEnd(), steps: [] });
  });

  test('what the bank refuses is told with its reason', async () => {
    const ended = await demo([
      '--only',
      'bank',
      '--payload',
      await file('refused.json', { payee: {}, amount: 'ten' }),
    ]);
    expect(ended.status).toBe(1);
    expect(ended.stdout).toMatch(/400 \(amount must be a whole number/);
  });

  test('wrong usage: status 2', async () => {
    const ended = await demo(['--bogus']);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^error: /);
  });
});

test('the tables fit into the columns that there are, without colour when nobody looks', async () => {
  const { stdout, status, stderr } = await demo([], { COLUMNS: '80' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.indexOf('the intermediate server saw')).toBeGreaterThan(stdout.indexOf('merchant wrote'));
  expect(stdout.indexOf('typed in the page')).toBeGreaterThan(stdout.indexOf('the intermediate server saw'));
  expect(stdout).not.toContain('\u001B');
  expect(Math.max(...stdout.split('\n').map(displayWidth))).toBeLessThanOrEqual(80);
});
