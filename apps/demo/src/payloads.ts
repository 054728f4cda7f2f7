import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DemoError } from './demo-error.js';
import type { PostOperation } from './report.js';

/** The body that the merchant sends with each operation. */
export type Payloads = Readonly<Record<PostOperation, object>>;

const DEFAULT_FILES: Readonly<Record<PostOperation, string>> = {
  'POST /v2/payment_sessions': 'payment-session.json',
  'POST /v2/bank_accounts': 'bank-account.json',
  'POST /v2/mandates': 'mandate.json',
};

/** Members by which a body without a wrapper is told: the first row with one of them decides, else a payment session. */
const MARKERS: readonly (readonly [PostOperation, readonly string[]])[] = [
  ['POST /v2/payment_sessions', ['payee', 'payer']],
  ['POST /v2/mandates', ['actions', 'source', 'destination']],
  [
    'POST /v2/bank_accounts',
    ['account_number', 'sort_code', 'account_identifier', 'secondary_identifier', 'name'],
  ],
];

const UNSENDABLE = ['__proto__', 'constructor', 'prototype'];

/** The default payloads, with those of `files` in place of the ones that they belong to. Throws a {@link DemoError}. */
export function readPayloads(files: readonly string[]): Payloads {
  const payloads: Record<PostOperation, object> = {
    'POST /v2/payment_sessions': {},
    'POST /v2/bank_accounts': {},
    'POST /v2/mandates': {},
  };
  const own = fileURLToPath(new URL('../payloads/', import.meta.url));
  for (const operation of operations) payloads[operation] = readObject(own + DEFAULT_FILES[operation]);
  for (const file of files) {
    const { operation, body } = unwrapped(file, readObject(located(file)));
    const lost = unsendable(body);
    if (lost !== undefined) throw new DemoError(`${file} has a member "${lost}", which axios leaves out`);
    payloads[operation] = body;
  }
  return payloads;
}

const operations = Object.keys(DEFAULT_FILES) as PostOperation[]; // its keys are just these

/** pnpm runs scripts in the root of the repository; a relative path is meant from where the person is. */
function located(file: string): string {
  const calledFrom = process.env.INIT_CWD;
  const fromHere = resolve(file);
  return existsSync(fromHere) || calledFrom === undefined ? fromHere : resolve(calledFrom, file);
}

function readObject(path: string): object {
  const value = parse(path, readText(path));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new DemoError(`${path} must hold a JSON object: { … }`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new DemoError(`${path} cannot be read: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EACCES') return 'you may not read it';
  return String(code ?? error);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DemoError(
      `${path} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function unwrapped(file: string, value: object): { operation: PostOperation; body: object } {
  const isWrapper = Object.keys(value).sort().join() === 'body,operation';
  if (!isWrapper) return { operation: operationOf(value), body: value };
  const { operation: named, body } = value as { operation: unknown; body: unknown }; // it has these two
  const operation = operations.find((candidate) => candidate === named);
  if (operation === undefined) {
    throw new DemoError(`${file}: "operation" must be one of ${operations.join(', ')}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new DemoError(`${file}: "body" must be a JSON object: { … }`);
  }
  return { operation, body };
}

/** A name that axios does not copy, as a guard against prototype pollution. */
function unsendable(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const own = Array.isArray(value) ? undefined : UNSENDABLE.find((name) => Object.hasOwn(value, name));
  return (
    own ??
    Object.values(value)
      .map(unsendable)
      .find((name) => name !== undefined)
  );
}

function operationOf(body: object): PostOperation {
  const found = MARKERS.find(([, members]) => members.some((member) => Object.hasOwn(body, member)));
  return found?.[0] ?? 'POST /v2/payment_sessions';
}
