import { E2eeError } from '../errors.js';
import { isRedacted, redact } from '../fields/redact.js';
import { type FieldSlot, type Selection, selectFields } from '../fields/select.js';
import type { FieldRule } from '../fields/tree.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { Operation } from '../policy/policy.js';
import type { Profile } from '../profiles/profile.js';
import { digestOf, type Whereabouts } from './binding.js';
import { refuseConflict, refuseDepth, refuseMismatch } from './body-rules.js';
import { refuseEcho } from './echo.js';
import type { Report } from './events.js';
import { jsonText } from './json-body.js';
import type { LeakGuard } from './leak-guard.js';
import type { Limits } from './limits.js';
import { type E2eeRequest, type E2eeResponse, headersForBody, mediaType } from './message.js';
import { openedAs } from './open-request.js';
import { errorBody } from './profile-answers.js';
import {
  type Delivery,
  deliveryTo,
  FIELD_ACTIONS,
  lacksKey,
  type Recipient,
  type Treating,
} from './recipient.js';
import { sealMessage } from './seal-message.js';
import { type Sealer, sealSlots } from './seal-tokens.js';
import { isMessage, isSealedBy } from './tokens.js';

/** What protecting a response needs. */
export interface ResponseContext {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly report: Report;
  readonly signWith?: SigningKey | undefined;
  readonly leakGuard?: LeakGuard | undefined;
}

/** What a response belongs to. */
export interface Exchange {
  /** With its body in plain. */
  readonly request: E2eeRequest;
  readonly operation: Operation;
  readonly recipient: Recipient | undefined;
}

/** Redacts or encrypts what the policy says of an operation's response. What it throws may blame anybody. */
export async function protectBody(
  response: E2eeResponse,
  { request, operation, recipient }: Exchange,
  context: ResponseContext,
): Promise<E2eeResponse> {
  const { profile, limits, report, signWith, leakGuard } = context;
  const { treats, whole, fields } = operation.response;
  const isError = response.status >= 400 && operation.request.treats;
  if (!treats && recipient?.response !== 'message') {
    if (isError) refuseEcho(response.body, request.body, operation);
    return response;
  }
  if (isSealed(response, profile)) return response;
  const json = jsonText(response.body);
  const { tokens, messageKey } = openedAs(request);
  const delivery = deliveryTo(recipient, messageKey);
  const prefix = profile.prefix.response;
  const body: unknown = whole ? undefined : JSON.parse(json);
  refuseDepth(body, limits);
  const selection = selectFields(body, fields, { prefix, isToken: isSealedBy(profile) });
  const touched = whole ? [whole] : selection.slots.filter((slot) => slot.plain).map(({ rule }) => rule);
  if (touched.some((rule) => lacksKey(treatmentOf(rule), delivery, recipient))) {
    const to = recipient && { recipient: recipient.id };
    report({ type: 'redacted_without_key', operation: operation.name, ...to });
  }
  const where: Whereabouts = {
    operation: operation.name,
    direction: 'response',
    request: profile.binding && (await digestOf(tokens)),
  };
  const target = { delivery, profile, where, signWith, depth: limits.depth };
  const fresh = delivery.mode !== 'keyless' && delivery.keys === messageKey ? unstored(response) : response;
  if (whole) {
    if (leakGuard) guardWhole(leakGuard, asJson({ ...fresh, body: '' }), { rule: whole, json, profile });
    const sent = await protectWhole(fresh, json, treatmentOf(whole), target);
    // The names of members are there still when it is redacted.
    if (isError && !isMessage(sent.body, profile)) refuseEcho(sent.body, request.body, operation);
    return sent;
  }
  await protectFields(selection, target);
  const result = { ...fresh, body: selection.result() };
  // A message is encrypted as a whole, but for its head.
  const sent = delivery.mode === 'message' ? { ...result, body: '' } : result;
  leakGuard?.(asJson(sent), selection.slots.filter(isValue(profile)), body);
  if (delivery.mode === 'message') return asMessage(result, JSON.stringify(result.body), delivery, target);
  if (isError) refuseEcho(result.body, request.body, operation);
  return asJson(result);
}

/** Whether it is the body that cannot be protected, and not our means that fail. */
export function isFaultOfBody(error: unknown): boolean {
  return error instanceof E2eeError && error.status < 500;
}

/** What goes out instead of the body of an error or a redirection that cannot be protected: the status alone. */
export function withoutBody({ status, headers }: E2eeResponse, profile: Profile): E2eeResponse {
  if (status < 400) return { status, headers: headersForBody(headers) };
  const body = errorBody(profile, status, 'response_refused');
  return { status, headers: headersForBody(headers, 'application/json'), body };
}

/** Whatever stops a response from being protected is a failure on our side, also what would blame a request. */
export function asServerFailure(error: unknown, name: string): E2eeError {
  if (error instanceof E2eeError && error.status >= 500) return error;
  const path = error instanceof E2eeError && error.path !== undefined ? { path: error.path } : {};
  const message = `The response of \`${name}\` cannot be protected`;
  const reason = error instanceof E2eeError ? `: ${error.message}` : '';
  // The application's own error is not kept: what it says may be anything.
  return new E2eeError('response_refused', message + reason, { ...path, ...(reason && { cause: error }) });
}

/** How a response goes to its recipient. */
interface Target {
  readonly delivery: Delivery;
  readonly profile: Profile;
  readonly where: Whereabouts;
  readonly signWith: SigningKey | undefined;
  /** How deep a body may be nested. */
  readonly depth: number;
}

/** As one token, as long as it has to be. */
async function asMessage(
  response: E2eeResponse,
  json: string,
  delivery: Exclude<Delivery, { mode: 'keyless' }>,
  target: Target,
): Promise<E2eeResponse> {
  const { depth } = target;
  return (await sealMessage(response, json, await sealerFor(delivery, target), { depth })).sealed;
}

async function protectWhole(
  response: E2eeResponse,
  json: string,
  treatment: Treating,
  target: Target,
): Promise<E2eeResponse> {
  const { delivery } = target;
  const action = FIELD_ACTIONS[treatment][delivery.mode];
  const body: unknown = action === 'redact' ? redacted(json, target) : undefined;
  if (delivery.mode !== 'keyless' && (action === 'encrypt' || delivery.mode === 'message')) {
    const text = action === 'redact' ? JSON.stringify(body) : json;
    return asMessage(response, text, delivery, target);
  }
  return asJson({ ...response, body });
}

function redacted(json: string, { profile, depth }: Target): unknown {
  const value: unknown = JSON.parse(json);
  refuseDepth(value, { depth });
  return redact(value, profile.redaction);
}

async function protectFields(selection: Selection, target: Target): Promise<void> {
  const { delivery, profile } = target;
  refuseMismatch(selection);
  const { slots } = selection;
  refuseConflict(slots);
  const strange = slots.find(({ wire }) => wire && !looksLikeCompactJwe(wire.value));
  if (strange) {
    const { path } = strange.rule;
    throw new E2eeError('field_invalid', `The encrypted form of \`${path}\` is not a token`, { path });
  }
  const slotsTo = (action: string): FieldSlot[] =>
    slots.filter(({ rule }) => FIELD_ACTIONS[treatmentOf(rule)][delivery.mode] === action);
  for (const slot of slotsTo('redact')) {
    const found = slot.plain ?? slot.wire; // a handler's value may look like a token
    if (found) slot.setPlain(redact(found.value, profile.redaction));
  }
  const encrypted = slotsTo('encrypt').filter(({ rule, plain }) => plain && !isNullText(rule, plain.value));
  if (delivery.mode === 'keyless' || encrypted.length === 0) return;
  await sealSlots(encrypted, await sealerFor(delivery, target));
}

/** As fields are: nothing but its head goes out in the clear. */
function guardWhole(
  leakGuard: LeakGuard,
  head: E2eeResponse,
  { rule, json, profile }: { readonly rule: FieldRule; readonly json: string; readonly profile: Profile },
): void {
  const value: unknown = JSON.parse(json);
  leakGuard(head, [{ rule, place: '$', plain: { value } }].filter(isValue(profile)), value);
}

/** Whether there is a value, and no mask that a handler passes on. */
function isValue({ redaction }: Profile): (slot: Pick<FieldSlot, 'plain'>) => boolean {
  return ({ plain }) => plain !== undefined && !isRedacted(plain.value, redaction);
}

/** A text that a handler does not have. Null stays null, as it does when it is redacted. */
function isNullText(rule: FieldRule, value: unknown): boolean {
  return rule.as === 'text' && value === null;
}

/** The treatment of a rule that was found in a response: `none` never is. */
function treatmentOf(rule: FieldRule): Treating {
  return rule.treatment as Treating;
}

async function sealerFor(
  { keys }: Exclude<Delivery, { mode: 'keyless' }>,
  { profile, where, signWith }: Target,
): Promise<Sealer> {
  return { key: 'current' in keys ? await keys.current() : keys, profile, where, signWith };
}

/** Whether the response is a whole message already. Without an envelope, its content type has to say so as well. */
function isSealed({ headers, body }: E2eeResponse, profile: Profile): boolean {
  const { member, contentType } = profile.message;
  return (member !== undefined || mediaType(headers) === contentType) && isMessage(body, profile);
}

/** What only the secret of one call opens is good for no other: no cache may keep it. */
function unstored(response: E2eeResponse): E2eeResponse {
  const others = Object.entries(response.headers).filter(([name]) => name.toLowerCase() !== 'cache-control');
  return { ...response, headers: { ...Object.fromEntries(others), 'cache-control': 'no-store' } };
}

function asJson(response: E2eeResponse): E2eeResponse {
  const { headers } = response;
  const contentType = mediaType(headers) === undefined ? 'application/json' : undefined;
  return { ...response, headers: headersForBody(headers, contentType) };
}
