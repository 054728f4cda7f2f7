import { E2eeError } from '../errors.js';
import { selectFields } from '../fields/select.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { Operation } from '../policy/policy.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import {
  checkRequiredFields,
  refuseConflict,
  refuseDepth,
  refuseLongToken,
  refuseManyElements,
  refuseManyTokens,
  refuseMismatch,
} from './body-rules.js';
import { isAbsent, jsonText, requireJsonType, serialisedJson } from './json-body.js';
import type { LeakGuard } from './leak-guard.js';
import type { Limits } from './limits.js';
import { type E2eeRequest, headersForBody } from './message.js';
import { makeOffer, offerIn } from './message-key.js';
import { sealMessage } from './seal-message.js';
import { type Sealer, sealSlots } from './seal-tokens.js';
import { isMessage, isSealedBy, messageToken } from './tokens.js';

/** What encrypting a request needs. */
export interface SealingContext {
  readonly profile: Profile;
  readonly encryptionKeys: EncryptionKeys;
  readonly signWith: SigningKey | undefined;
  /** Whether a value that is a token already is left as it is. */
  readonly keepsTokens: boolean;
  readonly leakGuard: LeakGuard | undefined;
  readonly limits: Limits;
}

/** A request as it is sent. */
export interface SealedRequest {
  readonly request: E2eeRequest;
  /** The key that it was encrypted to, if we did that. */
  readonly kid?: string;
  readonly messageKey?: MessageKey | undefined;
  /** All tokens in its body. */
  readonly tokens: readonly unknown[];
}

/** Encrypts what the policy says of an operation's request. Rejects as `encryptRequest` documents. */
export async function sealRequest(
  request: E2eeRequest,
  operation: Operation,
  context: SealingContext,
): Promise<SealedRequest> {
  const { treats, whole, required } = operation.request;
  if (treats && !isAbsent(request.body))
    return whole ? sealWhole(request, operation, context) : sealFields(request, operation, context);
  if (treats) checkRequiredFields(required, []);
  return sealNothing(request, operation, context);
}

/** Of a request without anything to encrypt: it may still bring the secret that its answer is encrypted with. */
async function sealNothing(
  request: E2eeRequest,
  operation: Operation,
  context: SealingContext,
  tokens: readonly unknown[] = [],
): Promise<SealedRequest> {
  const { profile } = context;
  if (!profile.perMessageKey || !operation.response.treats || offerIn(request, profile) !== undefined)
    return { request, tokens };
  const { sealer: _, ...made } = await begin(request, operation, context);
  return { ...made, tokens };
}

async function sealWhole(
  request: E2eeRequest,
  operation: Operation,
  context: SealingContext,
): Promise<SealedRequest> {
  const { profile, limits, keepsTokens, leakGuard } = context;
  if (keepsTokens && isMessage(request.body, profile))
    return sealNothing(request, operation, context, [messageToken(request.body, profile)]);
  requireJsonType(request.headers);
  const json = jsonText(request.body);
  const { sealer, ...made } = await begin(request, operation, context);
  const { sealed, token } = await sealMessage(made.request, json, sealer, limits);
  const { whole } = operation.request;
  if (leakGuard && whole) {
    const value: unknown = JSON.parse(json);
    leakGuard({ ...sealed, body: '' }, [{ rule: whole, place: '$', plain: { value } }], value);
  }
  return { ...made, request: sealed, tokens: [token] };
}

async function sealFields(
  request: E2eeRequest,
  operation: Operation,
  context: SealingContext,
): Promise<SealedRequest> {
  const { profile, limits, keepsTokens, leakGuard } = context;
  requireJsonType(request.headers);
  const body = serialisedJson(request.body);
  refuseDepth(body, limits);
  const selection = selectFields(body, operation.request.fields, {
    prefix: profile.prefix.request,
    isToken: keepsTokens ? isSealedBy(profile) : () => false,
    elements: limits.elements,
  });
  refuseMismatch(selection);
  refuseManyElements(selection, limits);
  const { slots } = selection;
  refuseConflict(slots);
  for (const { rule, wire } of slots) {
    if (!wire || (keepsTokens && looksLikeCompactJwe(wire.value))) continue;
    const { path } = rule;
    const what = keepsTokens ? 'a token' : 'taken';
    throw new E2eeError('field_invalid', `The encrypted form of field \`${path}\` is not ${what}`, { path });
  }
  checkRequiredFields(operation.request.required, slots);
  const before = slots.flatMap(({ wire }) => (wire ? [wire.value] : []));
  if (!slots.some((slot) => slot.plain)) return sealNothing(request, operation, context, before);
  refuseManyTokens(slots, limits);
  const { sealer, ...made } = await begin(request, operation, context);
  const sealed = await sealSlots(slots, sealer);
  for (const { rule, token } of sealed) refuseLongToken(token, limits.tokenLength, rule.path);
  const { headers } = made.request;
  const result = { ...made.request, headers: headersForBody(headers), body: selection.result() };
  leakGuard?.(result, slots, body);
  return { ...made, request: result, tokens: [...before, ...sealed.map(({ token }) => token)] };
}

/** Gets the key, and makes the secret of the call where the profile has one. */
async function begin(
  request: E2eeRequest,
  operation: Operation,
  { profile, encryptionKeys, signWith }: SealingContext,
): Promise<Omit<SealedRequest, 'tokens'> & { sealer: Sealer }> {
  const where = { operation: operation.name, direction: 'request' } as const;
  const key = await encryptionKeys.current();
  const sealer = { key, profile, where, signWith };
  const offer = await makeOffer(request, sealer, key.kid);
  return { request, kid: key.kid, ...offer, sealer: offer ? { ...sealer, key: offer.messageKey } : sealer };
}
