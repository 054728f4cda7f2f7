import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import { digestOf, type Whereabouts } from './binding.js';
import {
  checkRequiredFields,
  refuseConflict,
  refuseDepth,
  refuseManyElements,
  refuseMismatch,
} from './body-rules.js';
import type { Report } from './events.js';
import { isAbsent, parsedJson, requireJsonType } from './json-body.js';
import { type E2eeRequest, headersForBody, mediaType } from './message.js';
import { type Opener, openMessage, openSlots } from './open-tokens.js';
import { isTokenAttempt, messageToken } from './tokens.js';

/** Field path, as the policy writes it, → `kid`. */
type EncryptedBy = Readonly<Record<string, string>>;

/** Of the tokens of a request that was opened: what its response is bound to. */
export const digests: WeakMap<E2eeRequest, string | undefined> = new WeakMap();

const kidsOf = new WeakMap<E2eeRequest, EncryptedBy>();

/**
 * Which of our keys each value of a request was encrypted to: field path, as the policy writes it (`$`: the whole body),
 * → `kid`; the first one's where a path has several values. What is not in here came in plain, or not at all. `request` is
 * what `decryptRequest` resolved to.
 */
export function encryptedBy(request: E2eeRequest): EncryptedBy {
  return kidsOf.get(request) ?? {};
}

const signers = new WeakMap<E2eeRequest, string>();

/**
 * Which key has signed what a request held encrypted: its `kid`. Nothing where no signature was looked for, or nothing was
 * encrypted. `request` is what `decryptRequest` resolved to.
 */
export function signedBy(request: E2eeRequest): string | undefined {
  return signers.get(request);
}

/** What opening a request needs. */
export interface RequestContext extends Opener {
  /** Whether plaintext where the policy says encrypt is let through and reported, not refused. */
  readonly acceptPlaintext: boolean;
  readonly report: Report;
}

/** Decrypts what the policy says of an operation's request, all or nothing. Throws as `decryptRequest` documents. */
export async function openRequest(
  request: E2eeRequest,
  operation: Operation,
  context: RequestContext,
): Promise<E2eeRequest> {
  const { treats, whole, required } = operation.request;
  if (!treats) return request;
  if (isAbsent(request.body)) {
    checkRequiredFields(required, []);
    return request;
  }
  return whole ? openWhole(request, operation, context) : openFields(request, operation, context);
}

async function openWhole(
  request: E2eeRequest,
  operation: Operation,
  context: RequestContext,
): Promise<E2eeRequest> {
  const { profile } = context;
  const { member, contentType } = profile.message;
  // Without an envelope the content type tells a bare token, which is no JSON text, from a body in plain.
  const isBare = member === undefined && mediaType(request.headers) === contentType;
  const body = isBare ? request.body : parsedJson(request.body);
  const token = member === undefined ? body : messageToken(body, profile);
  if (!isBare && (member === undefined ? !isTokenAttempt(body) : token === undefined)) {
    requireJsonType(request.headers);
    plaintextIn(operation, '$', context);
    return { ...request, body };
  }
  const { body: value, kid, signer } = await openMessage(token, context, whereaboutsOf(operation));
  const headers = headersForBody(request.headers, 'application/json');
  return opened({ ...request, headers, body: value }, { $: kid }, signer, [token]);
}

async function openFields(
  request: E2eeRequest,
  operation: Operation,
  context: RequestContext,
): Promise<E2eeRequest> {
  requireJsonType(request.headers);
  const body = parsedJson(request.body);
  refuseDepth(body, context.limits);
  const prefix = context.profile.prefix.request;
  const selection = selectFields(body, operation.request.fields, { prefix, isToken: isTokenAttempt });
  refuseMismatch(selection);
  refuseManyElements(selection, context.limits);
  const { slots } = selection;
  refuseConflict(slots);
  for (const { rule } of slots.filter((slot) => slot.plain)) plaintextIn(operation, rule.path, context);
  checkRequiredFields(operation.request.required, slots);
  const encrypted = slots.filter((slot) => slot.wire);
  if (encrypted.length === 0) return { ...request, body };
  const { kids, signer } = await openSlots(encrypted, context, whereaboutsOf(operation));
  // From the last to the first, so that the first value of a path has the last word.
  const entries = encrypted.map(({ rule }, i): [string, string] => [rule.path, kids[i] as string]).reverse();
  const headers = headersForBody(request.headers);
  const tokens = encrypted.map(({ wire }) => wire?.value);
  return opened(
    { ...request, headers, body: selection.result() },
    Object.fromEntries(entries),
    signer,
    tokens,
  );
}

function whereaboutsOf({ name }: Operation): Whereabouts {
  return { operation: name, direction: 'request' };
}

async function opened(
  request: E2eeRequest,
  kids: EncryptedBy,
  signer: string | undefined,
  tokens: readonly unknown[],
): Promise<E2eeRequest> {
  kidsOf.set(request, kids);
  if (signer !== undefined) signers.set(request, signer);
  digests.set(request, await digestOf(tokens));
  return request;
}

function plaintextIn(operation: Operation, path: string, { acceptPlaintext, report }: RequestContext): void {
  if (!acceptPlaintext) {
    throw new E2eeError('plaintext_refused', `Field \`${path}\` must be encrypted`, { path });
  }
  report({ type: 'plaintext_accepted', operation: operation.name, path });
}
