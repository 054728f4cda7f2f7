import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import type { Operation } from '../policy/policy.js';
import type { Whereabouts } from './binding.js';
import {
  checkRequiredFields,
  refuseConflict,
  refuseDepth,
  refuseManyElements,
  refuseManyTokens,
  refuseMismatch,
} from './body-rules.js';
import type { Report } from './events.js';
import { isAbsent, parsedJson, requireJsonType } from './json-body.js';
import { type E2eeRequest, headersForBody, mediaType } from './message.js';
import { offerIn } from './message-key.js';
import { type Opener, type Origin, openMessage, openOffer, openSlots } from './open-tokens.js';
import { isTokenAttempt, messageToken } from './tokens.js';

/** What is known of a request that was opened. */
interface Opened extends Pick<Origin, 'signer' | 'messageKey'> {
  /** Field path, as the policy writes it, → `kid`. */
  readonly kids: Readonly<Record<string, string>>;
  /** What its response is bound to. */
  readonly tokens: readonly unknown[];
}

const known = new WeakMap<E2eeRequest, Opened>();

/** What a response needs to know of its request. */
export function openedAs(request: E2eeRequest): Pick<Opened, 'tokens' | 'messageKey'> {
  return known.get(request) ?? { tokens: [], messageKey: undefined };
}

/**
 * Which of our keys each value of a request was encrypted to: field path, as the policy writes it (`$`: the whole body),
 * → `kid`; the first one's where a path has several values. What is not in here came in plain, or not at all. `request` is
 * what `decryptRequest` resolved to.
 */
export function encryptedBy(request: E2eeRequest): Readonly<Record<string, string>> {
  return known.get(request)?.kids ?? {};
}

/**
 * Which key has signed what a request held encrypted: its `kid`. Nothing where no signature was looked for, or nothing was
 * encrypted. `request` is what `decryptRequest` resolved to.
 */
export function signedBy(request: E2eeRequest): string | undefined {
  return known.get(request)?.signer;
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
  const opening = { ...context, offer: offerIn(request, context.profile) };
  if (treats && !isAbsent(request.body))
    return whole ? openWhole(request, operation, opening) : openFields(request, operation, opening);
  if (treats) checkRequiredFields(required, []);
  return openNothing(request, operation, opening);
}

/** Of a request that holds nothing encrypted, but may have brought the secret that its answer is encrypted with. */
async function openNothing(
  request: E2eeRequest,
  operation: Operation,
  context: RequestContext,
): Promise<E2eeRequest> {
  if (context.offer === undefined) return request;
  const origin = await openOffer(context, whereaboutsOf(operation));
  return remembered({ ...request }, {}, origin, []);
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
    return openNothing({ ...request, body }, operation, context);
  }
  const { body: value, origin } = await openMessage(token, context, whereaboutsOf(operation));
  const headers = headersForBody(request.headers, 'application/json');
  return remembered({ ...request, headers, body: value }, { $: origin.kids[0] as string }, origin, [token]);
}

async function openFields(
  request: E2eeRequest,
  operation: Operation,
  context: RequestContext,
): Promise<E2eeRequest> {
  requireJsonType(request.headers);
  const body = parsedJson(request.body);
  refuseDepth(body, context.limits);
  const { limits } = context;
  const selection = selectFields(body, operation.request.fields, {
    prefix: context.profile.prefix.request,
    isToken: isTokenAttempt,
    elements: limits.elements,
    most: context.acceptPlaintext ? undefined : limits.tokens, // each more is refused, in whichever form it is
  });
  refuseMismatch(selection);
  refuseManyElements(selection, context.limits);
  const { slots } = selection;
  refuseConflict(slots);
  for (const { rule } of slots.filter((slot) => slot.plain)) plaintextIn(operation, rule.path, context);
  const encrypted = slots.filter((slot) => slot.wire);
  refuseManyTokens(encrypted, context.limits);
  checkRequiredFields(operation.request.required, slots);
  if (encrypted.length === 0) return openNothing({ ...request, body }, operation, context);
  const origin = await openSlots(encrypted, context, whereaboutsOf(operation));
  // From the last to the first, so that the first value of a path has the last word.
  const entries = encrypted
    .map(({ rule }, i): [string, string] => [rule.path, origin.kids[i] as string])
    .reverse();
  const headers = headersForBody(request.headers);
  const tokens = encrypted.map(({ wire }) => wire?.value);
  const plain = { ...request, headers, body: selection.result() };
  return remembered(plain, Object.fromEntries(entries), origin, tokens);
}

function whereaboutsOf({ name }: Operation): Whereabouts {
  return { operation: name, direction: 'request' };
}

function remembered(
  request: E2eeRequest,
  kids: Opened['kids'],
  { signer, messageKey }: Origin,
  tokens: readonly unknown[],
): E2eeRequest {
  known.set(request, { kids, signer, messageKey, tokens });
  return request;
}

function plaintextIn(operation: Operation, path: string, { acceptPlaintext, report }: RequestContext): void {
  if (!acceptPlaintext) {
    throw new E2eeError('plaintext_refused', `Field \`${path}\` must be encrypted`, { path });
  }
  report({ type: 'plaintext_accepted', operation: operation.name, path });
}
