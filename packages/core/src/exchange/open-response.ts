import { E2eeError } from '../errors.js';
import { isRedacted } from '../fields/redact.js';
import { type FieldSlot, selectFields } from '../fields/select.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Operation } from '../policy/policy.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';
import { refuseDepth } from './body-rules.js';
import type { Capacity } from './capacity.js';
import type { Report } from './events.js';
import { isAbsent, readableJson } from './json-body.js';
import type { Limits } from './limits.js';
import { type E2eeResponse, headersForBody, mediaType } from './message.js';
import { openMessage, openSlots } from './open-tokens.js';
import { isSealedBy, messageToken } from './tokens.js';

/** What opening a response needs. */
export interface OpenResponseContext {
  readonly profile: Profile;
  readonly limits: Limits;
  /** Without it, ciphertext is left as it is. */
  readonly keyRing: KeyRing | undefined;
  readonly capacity: Capacity;
  readonly verifyWith: VerificationKeys | undefined;
  readonly refusesPlaintext: boolean;
  readonly report: Report;
  /** Of the tokens of the request, if it had any. */
  readonly request: string | undefined;
  /** The secret of the call, if it has one. */
  readonly messageKey?: MessageKey | undefined;
}

/** Restores what a response encrypts. `operation` is absent outside the policy. Throws as `decryptResponse` documents. */
export async function openResponse(
  response: E2eeResponse,
  operation: Operation | undefined,
  context: OpenResponseContext,
): Promise<E2eeResponse> {
  if (isAbsent(response.body)) return response;
  const token = tokenIn(response, context.profile);
  if (token !== undefined && (operation || looksLikeCompactJwe(token)))
    return openWhole(token, response, operation, context);
  if (!operation?.response.treats) return response;
  reportPlainBody(response, operation, context);
  return openFields(response, operation, context);
}

/** The token of a whole-message response. The content type decides, or the envelope where the profile has one. */
function tokenIn({ headers, body }: E2eeResponse, profile: Profile): unknown {
  const { member, contentType } = profile.message;
  if (member === undefined) return mediaType(headers) === contentType ? body : undefined;
  const token = messageToken(body, profile);
  return looksLikeCompactJwe(token) ? token : undefined;
}

/** What is inside a message is plain; whatever looks like a token there is a value. */
async function openWhole(
  token: unknown,
  response: E2eeResponse,
  operation: Operation | undefined,
  context: OpenResponseContext,
): Promise<E2eeResponse> {
  if (!canOpen(context)) {
    const { report } = context;
    report({ type: 'ciphertext_left', ...(operation && { operation: operation.name }), path: '$' });
    return response;
  }
  const { body } = await openMessage(token, context, whereaboutsOf(operation, context));
  return { ...response, headers: headersForBody(response.headers, 'application/json'), body };
}

async function openFields(
  response: E2eeResponse,
  operation: Operation,
  context: OpenResponseContext,
): Promise<E2eeResponse> {
  const { profile, limits, refusesPlaintext, report } = context;
  const body = readableJson(response.body);
  // What is not JSON is left to the caller: nothing can leak from it here.
  if (!body) return response;
  const { slots, result } = selectFields(body.value, operation.response.fields, {
    prefix: profile.prefix.response,
    isToken: isSealedBy(profile),
  });
  const tell = (type: 'plaintext_received' | 'ciphertext_left', { rule }: FieldSlot): void =>
    report({ type, operation: operation.name, path: rule.path });
  for (const slot of slots) {
    if (!slot.plain || isRedacted(slot.plain.value, profile.redaction)) continue;
    tell('plaintext_received', slot);
    if (refusesPlaintext) refusePlaintext(slot.rule.path);
  }
  const encrypted = slots.filter((slot) => slot.wire);
  if (encrypted.length === 0) return response;
  if (!canOpen(context)) {
    for (const slot of encrypted) tell('ciphertext_left', slot);
    return response;
  }
  refuseDepth(body.value, limits); // the rest of it is written out again
  await openSlots(encrypted, context, whereaboutsOf(operation, context));
  return { ...response, headers: headersForBody(response.headers), body: result() };
}

function canOpen({ keyRing, messageKey }: OpenResponseContext): boolean {
  return keyRing !== undefined || messageKey !== undefined;
}

/** Outside the policy there is no name that both ends know. */
function whereaboutsOf(operation: Operation | undefined, { request }: OpenResponseContext): Whereabouts {
  return { operation: operation?.name ?? '', direction: 'response', request };
}

/** An error in plain is not reported: it may be the other end's own answer, which is never encrypted. */
function reportPlainBody(
  { status, body }: E2eeResponse,
  { name, response: { whole } }: Operation,
  { profile, refusesPlaintext, report }: OpenResponseContext,
): void {
  if (!whole || status >= 400) return;
  const read = readableJson(body);
  if (read && isRedacted(read.value, profile.redaction)) return;
  report({ type: 'plaintext_received', operation: name, path: whole.path });
  if (refusesPlaintext) refusePlaintext(whole.path);
}

function refusePlaintext(path: string): never {
  throw new E2eeError('plaintext_refused', `Field \`${path}\` must be encrypted`, { path });
}
