import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { Opening } from '../server/case.js';
import { type Aftermath, Left, NOTHING, type Result, type Wire } from './case.js';
import type { ClientKeys } from './keys.js';
import type { Arrival, Provider } from './provider.js';
import type { Reply } from './subject.js';

/** What a caller got: one of the two, or neither where nothing was sent. */
export interface Got {
  readonly reply?: Reply;
  readonly failure?: unknown;
}

interface Means {
  readonly keys: ClientKeys;
  /** What `sameAs` leads to. */
  readonly like?: Got;
}

/** How clients say that a call was broken off. */
const BROKEN_OFF = {
  aborted: ['AbortError', 'CanceledError', 'ERR_CANCELED'],
  'timed out': ['TimeoutError', 'ECONNABORTED', 'ETIMEDOUT'],
} as const;

const TOKEN = /eyJ[\w-]+(?:\.[\w-]+){4}/g;

/** Throws unless one of the results is what the caller got. */
export async function checkResult(got: Got, results: readonly Result[], means: Means): Promise<void> {
  const failures: unknown[] = [];
  for (const result of results) {
    const failure = await checkOne(got, result, means).catch((error: unknown) => error ?? 'nothing');
    if (failure === undefined) return;
    failures.push(failure);
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1)
    throw new Error(`None of the results that would do:\n${failures.map(String).join('\n')}`);
}

async function checkOne({ reply, failure }: Got, result: Result, { keys, like }: Means): Promise<void> {
  if (result.error !== undefined) {
    if (reply) throw new Error(`The call was to fail (${result.error}), but got ${summary(reply)}`);
    checkFailure(failure, result);
    if (result.sameAs) expect(look(failure), 'the error').toStrictEqual(look(like?.failure));
    return;
  }
  if (!reply) throw failure;
  if (result.status !== undefined && reply.status !== result.status)
    throw new Error(`The status is not ${result.status}: ${summary(reply)}`);
  if (result.body === NOTHING) expect(['', undefined, null], 'no body').toContain(reply.body);
  else if ('body' in result)
    checkEqual(reply.body, await opened(result.body, reply.body, keys), 'the body of the answer');
  checkHeaders(reply.headers, result.headers ?? {});
}

function checkFailure(failure: unknown, { error, path, message }: Result): void {
  expect(failure, 'what is thrown').toBeInstanceOf(Error);
  const chain = causes(failure);
  if (error === 'aborted' || error === 'timed out') {
    const names = chain.flatMap((one) => [one.name, one.code]);
    const isBrokenOff = names.some((name) => BROKEN_OFF[error].some((known) => known === name));
    if (!isBrokenOff) throw new Error(`The call was not ${error}, but: ${names.join(', ')} ${failure}`);
  } else if (error !== 'any') {
    const own = chain.find(({ name }) => name === 'E2eeError');
    if (!own || own.code !== error)
      throw new Error(`An error ${error} was due, not: ${own?.code} ${failure}`);
    if (path !== undefined) expect(own.path, 'the path of the error').toBe(path);
    if (message) expect(own.message, 'the message of the error').toMatch(message);
  }
}

interface Named {
  readonly name?: string;
  readonly code?: string;
  readonly path?: string;
  readonly message: string;
}

/** An error, its cause, and so on: clients wrap what is thrown inside them. */
function causes(error: unknown): Named[] {
  const chain: Named[] = [];
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one);
  return chain;
}

/** Everything that a caller could tell an error from another one by, but for where it was thrown. */
function look(error: unknown): unknown {
  return causes(error).map((one) => ({ ...one, name: one.name, text: one.message }));
}

/** Throws unless the provider has seen what a case says, and no token twice. */
export async function checkAftermath(
  { arrived, handled, keyFetches, connections, secureConnections, resent }: Aftermath,
  provider: Provider,
  keys: ClientKeys,
): Promise<void> {
  const { arrivals } = provider;
  const told = arrivals.map(({ method, url, body }) => `${method} ${url} ${body.toString().slice(0, 200)}`);
  const number = typeof arrived === 'object' ? arrived.length : arrived;
  if (number !== undefined) expect(told, 'requests that arrived').toHaveLength(number);
  if (typeof arrived === 'object')
    for (const [i, wire] of arrived.entries()) await checkWire(arrivals[i] as Arrival, wire, keys); // as many
  if (handled) checkEqual(provider.handled, handled, 'what handlers saw');
  if (keyFetches !== undefined) expect(provider.keyFetches, 'how often keys were fetched').toBe(keyFetches);
  if (secureConnections !== undefined)
    expect(provider.secureConnections, 'connections by TLS').toBe(secureConnections);
  if (connections !== undefined) {
    const used = new Set(arrivals.map(({ connection }) => connection));
    expect(used.size, 'connections').toBeLessThanOrEqual(connections);
  }
  const tokens = arrivals.flatMap(({ body }) => body.toString().match(TOKEN) ?? []);
  if (resent) {
    expect(tokens.length, 'tokens that were sent').toBeGreaterThan(0);
    expect(new Set(arrivals.map(({ body }) => body.toString())).size, 'bodies that were sent').toBe(1);
  } else {
    const parts = tokens.map((token) => token.split('.'));
    for (const index of [1, 2])
      expect(new Set(parts.map((part) => part[index])).size, 'keys and IVs of their own').toBe(tokens.length);
  }
}

async function checkWire(
  { method, url, headers, body }: Arrival,
  wire: Wire,
  keys: ClientKeys,
): Promise<void> {
  const text = body.toString();
  if (wire.method !== undefined) expect(method, 'the method on the wire').toBe(wire.method);
  if (wire.url !== undefined) expect(url, 'the URL on the wire').toBe(wire.url);
  checkHeaders(headers, wire.headers ?? {});
  if (wire.text !== undefined) expect(text, 'the text on the wire').toBe(wire.text);
  if ('json' in wire) {
    expect(headers['content-type'], 'the type on the wire').toMatch(/^application\/(?:[\w.-]+\+)?json\b/);
    const json: unknown = JSON.parse(text);
    expect(json, 'the JSON on the wire').toStrictEqual(await opened(wire.json, json, keys));
  }
  if ('message' in wire) {
    expect(headers['content-type'], 'the type of a whole message').toBe('application/jose');
    const { text: inside, header } = await keys.open(text);
    expect(header, 'the header of a whole message').toMatchObject({ cty: 'json' });
    checkEqual(JSON.parse(inside), wire.message, 'the JSON in the message');
  }
  if (headers['content-length'] !== undefined)
    expect(Number(headers['content-length']), 'the length on the wire').toBe(body.length);
}

/** An expected value with the tokens of the actual one in it, where those open to what was expected. */
async function opened(expected: unknown, actual: unknown, keys: ClientKeys): Promise<unknown> {
  if (expected instanceof Opening) {
    const { value, as } = expected;
    const wanted = as === 'text' ? String(value) : JSON.stringify(value);
    const { text } = await keys.open(String(actual)).catch(() => ({ text: `no token: ${actual}` }));
    return text === wanted ? actual : `a token that holds ${wanted}, not ${text}`;
  }
  if (expected instanceof Left) {
    const text = await keys.openOwn(String(actual)).catch(() => `no token: ${actual}`);
    return text === JSON.stringify(expected.value) ? actual : expected;
  }
  if (typeof expected !== 'object' || expected === null) return expected;
  const member = (name: string): unknown =>
    typeof actual === 'object' && actual !== null ? Reflect.get(actual, name) : undefined;
  if (Array.isArray(expected))
    return Promise.all(expected.map((item, i) => opened(item, member(String(i)), keys)));
  const members = Object.entries(expected).map(
    async ([name, item]) => [name, await opened(item, member(name), keys)] as const,
  );
  return Object.fromEntries(await Promise.all(members));
}

export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  expect(actual, what).toStrictEqual(expected);
  throw new Error(`Something else is ${what}`); // own members called __proto__, which expect() does not see
}

function checkHeaders(
  headers: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string | RegExp | null>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    const label = `header ${name}`;
    if (value === null) expect(headers[name], label).toBeUndefined();
    else if (value instanceof RegExp) expect(headers[name] ?? '', label).toMatch(value);
    else expect(headers[name], label).toBe(value);
  }
}

function summary({ status, body }: Reply): string {
  return `${status} ${JSON.stringify(body)?.slice(0, 300)}`;
}
