import { STATUS_CODES } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { HandledCall } from '@e2ee-apps/bank';
import type { Exchange } from './capture.js';
import {
  coveredFields,
  expectedAnswer,
  isRedactedAlways,
  PREFIX,
  TOKEN_PLACE,
  withoutSecrets,
  withTokenPlaces,
} from './covered-fields.js';
import { leakedPaths } from './leaks.js';
import type { Answered } from './merchant.js';
import { type Check, type Choice, type OperationName, wireMessage } from './report.js';
import { type SeenToken, tokenOf, tokensIn } from './tokens.js';

/** One call, as everyone who took part in it saw it. */
export interface Observation {
  readonly operation: OperationName;
  readonly choice: Choice;
  /** The path that was called. */
  readonly path: string;
  readonly wrote: unknown;
  /** What went over the wire for it, the fetching of keys apart. */
  readonly exchanges: readonly Exchange[];
  readonly keyFetches: readonly Exchange[];
  readonly handled: readonly HandledCall[];
  readonly got: Answered;
  /** The key that the bank publishes, and the one that the merchant registered. */
  readonly bankKid: string;
  readonly partnerKid?: string | undefined;
}

/** Judges a call that should have gone through at once. */
export function checkCall(observation: Observation): Check[] {
  const { operation, exchanges, got } = observation;
  const success = operation.startsWith('POST') ? 201 : 200;
  const ok = exchanges.length === 1 && got.status === success;
  const saw = `${count(exchanges.length, 'exchange')}, the last answered ${got.status}${refusal(got.body)}`;
  return [check(`one call, answered ${success}`, ok, saw), ...checkBothWays(observation)];
}

/** Judges the request, what the handler saw and the answer. Where no handler was reached, there is only the request. */
export function checkBothWays(observation: Observation): Check[] {
  const request = checkRequest(observation);
  if (observation.handled.length === 0) {
    return [...request, check(HANDLER_SAW, false, 'no handler was reached')];
  }
  return [...request, ...checkHandler(observation), ...checkResponse(observation)];
}

const HANDLER_SAW = 'handler saw exactly what was written';

export function check(name: string, ok: boolean, detail: string): Check {
  return ok ? { name, ok } : { name, ok, detail };
}

/** What the request showed to everyone on its way. Every one of its exchanges is searched. */
function checkRequest({ operation, path, wrote, exchanges, bankKid }: Observation): Check[] {
  const last = exchanges.at(-1);
  if (wrote === undefined) {
    const isEmpty = last?.request.body.length === 0;
    return [check('the request carried no body', isEmpty, 'there are bytes in the body')];
  }
  const secrets = coveredFields(operation, wrote);
  const startLine = `${operation.split(' ')[0]} ${path} HTTP/1.1`;
  const visible = withoutSecrets(operation, wrote);
  const leaks = exchanges.flatMap(({ request }) =>
    leakedPaths({ message: request, secrets, startLine, visible }),
  );
  const tokens = tokensIn(last?.request.body.toString('utf8') ?? '');
  const expected = withTokenPlaces(operation, wrote, () => true);
  const onWire = last && withTokensNamed(wireMessage(last.request).body);
  return [
    noLeak('nothing sensitive readable in the request', exchanges.length > 0, leaks),
    check(
      `${count(secrets.length, 'field')} encrypted to the bank, nothing else changed`,
      sameJson(onWire, expected) && tokens.length === secrets.length && tokens.every(isFor(bankKid)),
      `${count(tokens.length, 'token')} on the wire; names, other values, algorithms or key ids differ from what is due`,
    ),
    check(
      'a fresh CEK and IV in each token',
      areFresh(tokens),
      'two tokens have an encrypted key or IV in common',
    ),
  ];
}

/** Whether the handler worked with what the merchant wrote. */
function checkHandler({ operation, path, wrote, handled }: Observation): Check[] {
  const [call] = handled;
  const isOnce = handled.length === 1 && call?.operation === operation;
  if (wrote === undefined) {
    const id = path.split('/').at(-1);
    const ok = isOnce && call?.body === undefined && call?.params.id === id;
    return [check('handler was asked for the right record', ok, 'it was not, or not once')];
  }
  const ok = isOnce && sameJson(call?.body, wrote);
  const detail = `${count(handled.length, 'call')} of handlers; what was seen differs from what was written`;
  return [check(HANDLER_SAW, ok, detail)];
}

/** What the response showed on its way, and what the merchant's code got of it. */
function checkResponse(observation: Observation): Check[] {
  const { operation, exchanges, handled, got, choice } = observation;
  const response = exchanges.at(-1)?.response;
  const answer = handled.at(-1)?.answer;
  const secrets = coveredFields(operation, answer?.body);
  const status = answer?.status ?? 0;
  const startLine = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`;
  const visible = withoutSecrets(operation, answer?.body);
  const leaks = response ? leakedPaths({ message: response, secrets, startLine, visible }) : [];
  const expected = expectedAnswer(operation, choice, answer?.body);
  return [
    noLeak('nothing sensitive readable in the answer', response !== undefined && answer !== undefined, leaks),
    checkWireForm(observation, expected),
    check(
      choice === 'redact' || isRedactedAlways(operation)
        ? 'sensitive values came back [REDACTED], null stayed null'
        : 'merchant got exactly what the handler answered',
      answer !== undefined && sameJson(got.body, expected),
      'what the merchant got differs from what is due',
    ),
  ];
}

/** Whether the bytes of the answer have the form that the partner chose. */
function checkWireForm(observation: Observation, expected: unknown): Check {
  const { operation, choice, exchanges, partnerKid } = observation;
  const response = exchanges.at(-1)?.response;
  const wire = response && wireMessage(response);
  const type = wire?.headers['content-type']?.split(';')[0];
  if (choice === 'message') {
    const token = tokenOf(wire?.body);
    const ok = type === 'application/jose' && token !== undefined && isFor(partnerKid)(token);
    return check(`the whole answer is one token, ${JOSE}`, ok, `its content type is ${type}`);
  }
  const tokens = tokensIn(response?.body.toString('utf8') ?? '');
  const fields = coveredFields(operation, expected).filter(({ answered }) => answered === 'as chosen');
  const due =
    choice === 'encrypt'
      ? withTokenPlaces(operation, expected, ({ answered }) => answered === 'as chosen')
      : expected;
  const ok =
    type === 'application/json' &&
    sameJson(wire && withTokensNamed(wire.body), due) &&
    tokens.every(isFor(partnerKid));
  const name =
    choice === 'encrypt' && fields.length > 0
      ? `${count(fields.length, 'field')} encrypted to the merchant`
      : 'the answer is plain JSON with masks';
  return check(name, ok, `its content type is ${type}, with ${count(tokens.length, 'token')}`);
}

const JOSE = 'application/jose';

export function noLeak(name: string, isSeen: boolean, leaks: readonly string[]): Check {
  const detail = isSeen ? `readable on the wire: ${[...new Set(leaks)].join(', ')}` : 'nothing was captured';
  return check(name, isSeen && leaks.length === 0, detail);
}

/** Whether a token is of Banked's algorithms and for this key. */
export function isFor(kid: string | undefined): (token: SeenToken) => boolean {
  return ({ header }) => header.alg === 'RSA-OAEP-256' && header.enc === 'A256GCM' && header.kid === kid;
}

export function areFresh(tokens: readonly SeenToken[]): boolean {
  return [0, 1].every((part) => {
    const seen = tokens.map(({ parts }) => parts[part]?.toString('hex'));
    return new Set(seen).size === tokens.length;
  });
}

/** A body with the word `token` in place of each token below an encrypted name. */
function withTokensNamed(body: unknown, name = ''): unknown {
  if (Array.isArray(body)) return body.map((item) => withTokensNamed(item));
  if (typeof body === 'object' && body !== null) {
    return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, withTokensNamed(value, key)]));
  }
  return name.startsWith(PREFIX) && tokenOf(body) ? TOKEN_PLACE : body;
}

/** Whether two values are the same to JSON, which knows no `undefined` and no -0. */
export function sameJson(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): unknown =>
    value === undefined ? value : JSON.parse(JSON.stringify(value));
  return isDeepStrictEqual(plain(a), plain(b));
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** What the bank says of a refusal: `: title`. */
function refusal(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
  const title = typeof first === 'object' && first !== null && 'title' in first ? first.title : undefined;
  return typeof title === 'string' ? ` (${title})` : '';
}
