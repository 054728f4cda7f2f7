import { E2eeError } from '../errors.js';
import { redact } from '../fields/redact.js';
import { type FieldSlot, type Selection, selectFields } from '../fields/select.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { Operation, ResponseTreatment } from '../policy/policy.js';
import type { Profile } from '../profiles/profile.js';
import { refuseConflict, refuseDepth, refuseMismatch } from './body-rules.js';
import type { Report } from './events.js';
import { serialisedJson } from './json-body.js';
import type { Limits } from './limits.js';
import { type E2eeResponse, headersForBody, mediaType } from './message.js';
import { errorBody } from './profile-answers.js';
import { type Delivery, deliveryTo, FIELD_ACTIONS, type Recipient, reportKeyless } from './recipient.js';
import { isMessage, messageBody, sealMessage, sealSlots } from './tokens.js';

/** What protecting a response needs. */
export interface ResponseContext {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly report: Report;
}

/** Redacts or encrypts what the policy says of an operation's response. What it throws may blame anybody. */
export async function protectBody(
  response: E2eeResponse,
  operation: Operation,
  recipient: Recipient | undefined,
  context: ResponseContext,
): Promise<E2eeResponse> {
  const { profile, limits, report } = context;
  const { treats, whole, fields } = operation.response;
  if (!treats && recipient?.response !== 'message') return response;
  if (isSealed(response, profile)) return response;
  const body = serialisedJson(response.body);
  refuseDepth(body, limits);
  const delivery = await deliveryTo(recipient);
  if (delivery.mode === 'keyless') reportKeyless(report, operation.name, recipient);
  if (whole) {
    const plain = { ...response, body };
    return protectWhole(plain, whole.treatment as ResponseTreatment, delivery, profile); // the only treatments here
  }
  const prefix = profile.prefix.response;
  const selection = selectFields(body, fields, { prefix, isToken: looksLikeCompactJwe });
  await protectFields(selection, delivery, profile);
  const result = { ...response, body: selection.result() };
  return delivery.mode === 'message' ? sealed(result, delivery, profile) : asJson(result);
}

/** What goes out instead of a body that cannot be read as JSON: the status alone, or nothing at all. */
export function withoutBody({ status, headers }: E2eeResponse, name: string, profile: Profile): E2eeResponse {
  if (status < 300) {
    throw new E2eeError('response_refused', `The response of \`${name}\` cannot be read as JSON`);
  }
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
  return new E2eeError('response_refused', message + reason, { ...path, cause: error });
}

async function protectWhole(
  response: E2eeResponse,
  treatment: ResponseTreatment,
  delivery: Delivery,
  profile: Profile,
): Promise<E2eeResponse> {
  const action = treatment === 'none' ? 'keep' : FIELD_ACTIONS[treatment][delivery.mode];
  const body = action === 'redact' ? redact(response.body, profile.redaction) : response.body;
  if (delivery.mode !== 'keyless' && (action === 'encrypt' || delivery.mode === 'message')) {
    return sealed({ ...response, body }, delivery, profile);
  }
  return asJson({ ...response, body });
}

async function protectFields(selection: Selection, delivery: Delivery, profile: Profile): Promise<void> {
  refuseMismatch(selection);
  refuseConflict(selection.slots);
  const actionOf = ({ rule }: FieldSlot): string =>
    FIELD_ACTIONS[rule.treatment as Exclude<ResponseTreatment, 'none'>][delivery.mode];
  const plain = selection.slots.filter((slot) => slot.plain);
  const strange = selection.slots.find(({ wire }) => wire && !looksLikeCompactJwe(wire.value));
  if (strange) {
    const { path } = strange.rule;
    throw new E2eeError('field_invalid', `The encrypted form of \`${path}\` is not a token`, { path });
  }
  for (const slot of plain) {
    if (actionOf(slot) === 'redact') slot.setPlain(redact(slot.plain?.value, profile.redaction));
  }
  if (delivery.mode === 'keyless') return;
  const encrypted = plain.filter((slot) => actionOf(slot) === 'encrypt');
  await sealSlots(encrypted, delivery.key, profile);
}

async function sealed(
  response: E2eeResponse,
  delivery: Exclude<Delivery, { mode: 'keyless' }>,
  profile: Profile,
): Promise<E2eeResponse> {
  const { member, contentType } = profile.message;
  const token = await sealMessage(response.body, delivery.key, profile);
  const headers = headersForBody(response.headers, member === undefined ? contentType : 'application/json');
  return { ...response, headers, body: messageBody(token, profile) };
}

/** Whether the response is a whole message already. Without an envelope, its content type has to say so as well. */
function isSealed({ headers, body }: E2eeResponse, profile: Profile): boolean {
  const { member, contentType } = profile.message;
  return (member !== undefined || mediaType(headers) === contentType) && isMessage(body, profile);
}

function asJson(response: E2eeResponse): E2eeResponse {
  const { headers } = response;
  const contentType = mediaType(headers) === undefined ? 'application/json' : undefined;
  return { ...response, headers: headersForBody(headers, contentType) };
}
