import { E2eeError, invalidOption } from '../errors.js';
import { isDeeperThan } from '../fields/depth.js';
import { redact } from '../fields/redact.js';
import { type FieldSlot, type Selection, selectFields } from '../fields/select.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import type { KeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import type { Operation, Policy, PolicyDocument, ResponseTreatment } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { type Report, reporter } from './events.js';
import { isAbsent, parsedJson, requireJsonType, serialisedJson } from './json-body.js';
import { checkLimits, type Limits } from './limits.js';
import { type E2eeRequest, type E2eeResponse, headersForBody, mediaType } from './message.js';
import { errorAnswer, errorBody } from './profile-answers.js';
import { answerWithKeys, asksForKeys } from './published-keys.js';
import {
  type Delivery,
  deliveryTo,
  FIELD_ACTIONS,
  type FindRecipient,
  type Recipient,
  reportKeyless,
} from './recipient.js';
import { checkRequiredFields, refuseConflict, refuseMismatch } from './request-rules.js';
import {
  isTokenAttempt,
  messageBody,
  messageToken,
  openMessage,
  openSlots,
  sealMessage,
  sealSlots,
} from './tokens.js';

export interface E2eeServerOptions {
  readonly profile: Profile;
  /** Default: the profile's own. */
  readonly policy?: Policy | PolicyDocument;
  /** Our private keys, which requests are encrypted to. */
  readonly keyRing: KeyRing;
  /** Finds whom a response is for. Default: nobody, so that fields are redacted. */
  readonly recipient?: FindRecipient<E2eeRequest>;
  /** Operations outside the policy: passed on untouched (`pass`, default) or refused (`refuse`). */
  readonly unmatched?: 'pass' | 'refuse';
  /**
   * Plaintext where the policy says encrypt: refused (`refuse`, default), or let through and reported (`accept`) while
   * an API is being migrated.
   */
  readonly plaintext?: 'refuse' | 'accept';
  readonly limits?: Partial<Limits>;
  /** Hears what an operator should know. Default: a line on the console for the worrying ones. */
  readonly onEvent?: Report;
}

/** What an adapter has to do for a request. */
export interface Coverage {
  /** It asks for the published keys. */
  readonly keys: boolean;
  /** Its body must go through `decryptRequest`. */
  readonly request: boolean;
  /** Its response must go through `protectResponse`, on every way out. */
  readonly response: boolean;
}

/** The server end of a call: the policy applied to what comes in and what goes out. */
export interface E2eeServer {
  /** What has to be done for a request. Cheap; touches no key. Throws `operation_refused` for an ambiguous path. */
  covers(request: Pick<E2eeRequest, 'method' | 'path'>): Coverage;
  /**
   * Decrypts what the policy says, all or nothing. The input is never mutated.
   *
   * Rejects with `token_invalid` or `key_rejected` for tokens; with `plaintext_refused`, `field_conflict`,
   * `field_required`, `field_invalid`, `body_unreadable`, `media_type_unsupported` or `limit_exceeded` for bodies; with
   * `operation_refused`: then no handler may see the request.
   */
  decryptRequest(request: E2eeRequest): Promise<E2eeRequest>;
  /**
   * Redacts or encrypts what the policy says, in every status. `recipient` stands in for the option of that name where
   * an adapter knows the framework's own request.
   *
   * Rejects with `response_refused`, `encryption_failed` or `keys_unavailable`: then the response must not be sent.
   * An error or redirection whose body cannot be read as JSON keeps its status and loses its body.
   */
  protectResponse(
    request: E2eeRequest,
    response: E2eeResponse,
    recipient?: () => ReturnType<FindRecipient<never>>,
  ): Promise<E2eeResponse>;
  /** The answer to a request for the published keys; nothing for any other request. */
  publishedKeys(request: E2eeRequest): Promise<E2eeResponse | undefined>;
  /** An error as the profile writes it: no detail of failures on our side, one answer to every bad token. */
  errorResponse(error: unknown): E2eeResponse;
}

/**
 * Makes the server end. Throws `option_invalid` or `policy_invalid`.
 *
 * @example
 * const server = createE2eeServer({ profile: banked, keyRing: await createKeyRing() })
 * const { body } = await server.decryptRequest({ method: 'POST', path: '/v2/payment_sessions', headers, body: sent })
 */
export function createE2eeServer(options: E2eeServerOptions): E2eeServer {
  return new Server(options);
}

/** These answers have no body, whatever a handler gives (RFC 9110 §6.4.1). */
const BODILESS = [204, 205, 304];

class Server implements E2eeServer {
  readonly #profile: Profile;
  readonly #policy: Policy;
  readonly #keyRing: KeyRing;
  readonly #recipient: FindRecipient<E2eeRequest> | undefined;
  readonly #refuseUnmatched: boolean;
  readonly #acceptPlaintext: boolean;
  readonly #limits: Limits;
  readonly #report: Report;

  constructor(options: E2eeServerOptions) {
    const { keyRing, recipient, unmatched = 'pass', plaintext = 'refuse' } = options;
    this.#profile = checkProfile(options.profile);
    this.#policy = definePolicy(options.policy ?? this.#profile.policy);
    if (typeof keyRing?.find !== 'function') invalidOption('keyRing', 'made by createKeyRing()', keyRing);
    if (recipient !== undefined && typeof recipient !== 'function')
      invalidOption('recipient', 'a function', recipient);
    if (unmatched !== 'pass' && unmatched !== 'refuse')
      invalidOption('unmatched', '"pass" or "refuse"', unmatched);
    if (plaintext !== 'refuse' && plaintext !== 'accept')
      invalidOption('plaintext', '"refuse" or "accept"', plaintext);
    this.#keyRing = keyRing;
    this.#recipient = recipient;
    this.#refuseUnmatched = unmatched === 'refuse';
    this.#acceptPlaintext = plaintext === 'accept';
    this.#limits = checkLimits(options.limits);
    this.#report = reporter(options.onEvent);
  }

  covers({ method, path }: Pick<E2eeRequest, 'method' | 'path'>): Coverage {
    const keys = asksForKeys(path, this.#profile);
    const operation = this.#policy.match(method, path);
    if (!operation) return { keys, request: this.#refuseUnmatched && !keys, response: false };
    const mayBeMessage = this.#recipient !== undefined;
    return { keys, request: operation.request.treats, response: operation.response.treats || mayBeMessage };
  }

  async decryptRequest(request: E2eeRequest): Promise<E2eeRequest> {
    const operation = this.#policy.match(request.method, request.path);
    try {
      if (operation) return await this.#open(request, operation);
      if (this.#refuseUnmatched)
        throw new E2eeError('operation_refused', 'The policy does not cover this operation');
      return request;
    } catch (error) {
      this.#report({ type: 'request_refused', ...where(operation), ...asE2eeError(error) });
      throw error;
    }
  }

  async protectResponse(
    request: E2eeRequest,
    response: E2eeResponse,
    recipient?: () => ReturnType<FindRecipient<never>>,
  ): Promise<E2eeResponse> {
    const operation = this.#policy.match(request.method, request.path);
    if (!operation || isAbsent(response.body) || BODILESS.includes(response.status)) return response;
    const find = recipient ?? (this.#recipient && (() => this.#recipient?.(request)));
    try {
      return await this.#protect(operation, response, await find?.());
    } catch (error) {
      this.#report({ type: 'response_refused', operation: operation.name, ...asE2eeError(error) });
      if (error instanceof E2eeError && error.code === 'body_unreadable')
        return this.#withoutBody(response, operation);
      throw asServerFailure(error, operation);
    }
  }

  async publishedKeys(request: E2eeRequest): Promise<E2eeResponse | undefined> {
    if (!asksForKeys(request.path, this.#profile)) return undefined;
    return answerWithKeys(request, this.#keyRing, this.#profile);
  }

  errorResponse(error: unknown): E2eeResponse {
    return errorAnswer(error, this.#profile);
  }

  async #open(request: E2eeRequest, operation: Operation): Promise<E2eeRequest> {
    const { treats, whole, required } = operation.request;
    if (!treats) return request;
    if (isAbsent(request.body)) {
      checkRequiredFields(required, []);
      return request;
    }
    return whole ? this.#openWhole(request, operation) : this.#openFields(request, operation);
  }

  async #openWhole(request: E2eeRequest, operation: Operation): Promise<E2eeRequest> {
    const { member, contentType } = this.#profile.message;
    const body = mediaType(request.headers) === contentType ? request.body : parsedJson(request.body);
    const isMessage =
      member === undefined ? isTokenAttempt(body) : messageToken(body, this.#profile) !== undefined;
    if (!isMessage && mediaType(request.headers) !== contentType) {
      requireJsonType(request.headers);
      this.#plaintextIn(operation, '$');
      return request;
    }
    const token = member === undefined ? body : messageToken(body, this.#profile);
    const value = await openMessage(token, this.#opener());
    return { ...request, headers: headersForBody(request.headers, 'application/json'), body: value };
  }

  async #openFields(request: E2eeRequest, operation: Operation): Promise<E2eeRequest> {
    requireJsonType(request.headers);
    const body = parsedJson(request.body);
    this.#checkDepth(body);
    const prefix = this.#profile.prefix.request;
    const selection = selectFields(body, operation.request.fields, { prefix, isToken: isTokenAttempt });
    refuseMismatch(selection);
    const { slots } = selection;
    refuseConflict(slots);
    for (const { rule } of slots.filter((slot) => slot.plain)) this.#plaintextIn(operation, rule.path);
    checkRequiredFields(operation.request.required, slots);
    const encrypted = slots.filter((slot) => slot.wire);
    if (encrypted.length === 0) return { ...request, body };
    await openSlots(encrypted, this.#opener());
    return { ...request, headers: headersForBody(request.headers), body: selection.result() };
  }

  #plaintextIn(operation: Operation, path: string): void {
    if (!this.#acceptPlaintext) {
      throw new E2eeError('plaintext_refused', `Field \`${path}\` must be encrypted`, { path });
    }
    this.#report({ type: 'plaintext_accepted', operation: operation.name, path });
  }

  async #protect(
    operation: Operation,
    response: E2eeResponse,
    recipient: Recipient | undefined,
  ): Promise<E2eeResponse> {
    const { treats, whole, fields } = operation.response;
    if (!treats && recipient?.response !== 'message') return response;
    if (this.#isMessage(response)) return response;
    const body = serialisedJson(response.body);
    this.#checkDepth(body);
    const delivery = await deliveryTo(recipient);
    if (delivery.mode === 'keyless') reportKeyless(this.#report, operation.name, recipient);
    if (whole) return this.#protectWhole(response, body, whole.treatment as ResponseTreatment, delivery);
    const selection = selectFields(body, fields, {
      prefix: this.#profile.prefix.response,
      isToken: looksLikeCompactJwe,
    });
    await this.#protectFields(selection, delivery);
    if (delivery.mode === 'message') return this.#sealed(response, selection.result(), delivery);
    return { ...response, headers: this.#jsonHeaders(response), body: selection.result() };
  }

  async #protectWhole(
    response: E2eeResponse,
    body: unknown,
    treatment: ResponseTreatment,
    delivery: Delivery,
  ): Promise<E2eeResponse> {
    const action = treatment === 'none' ? 'keep' : FIELD_ACTIONS[treatment][delivery.mode];
    const value = action === 'redact' ? redact(body, this.#profile.redaction) : body;
    if (delivery.mode !== 'keyless' && (action === 'encrypt' || delivery.mode === 'message')) {
      return this.#sealed(response, value, delivery);
    }
    return { ...response, headers: this.#jsonHeaders(response), body: value };
  }

  async #protectFields(selection: Selection, delivery: Delivery): Promise<void> {
    refuseMismatch(selection);
    refuseConflict(selection.slots);
    const actionOf = ({ rule }: FieldSlot): string =>
      FIELD_ACTIONS[rule.treatment as Exclude<ResponseTreatment, 'none'>][delivery.mode];
    const plain = selection.slots.filter((slot) => slot.plain);
    const strange = selection.slots.find(({ wire }) => wire && !looksLikeCompactJwe(wire.value));
    if (strange)
      throw new E2eeError('field_invalid', `The encrypted form of \`${strange.rule.path}\` is not a token`);
    for (const slot of plain) {
      if (actionOf(slot) === 'redact') slot.setPlain(redact(slot.plain?.value, this.#profile.redaction));
    }
    if (delivery.mode === 'keyless') return;
    await sealSlots(
      plain.filter((slot) => actionOf(slot) === 'encrypt'),
      delivery.key,
      this.#profile,
    );
  }

  async #sealed(
    response: E2eeResponse,
    body: unknown,
    delivery: Exclude<Delivery, { mode: 'keyless' }>,
  ): Promise<E2eeResponse> {
    const { member, contentType } = this.#profile.message;
    const token = await sealMessage(body, delivery.key, this.#profile);
    const headers = headersForBody(response.headers, member === undefined ? contentType : 'application/json');
    return { ...response, headers, body: messageBody(token, this.#profile) };
  }

  /** Whether the body is a whole message already. */
  #isMessage(response: E2eeResponse): boolean {
    const { member, contentType } = this.#profile.message;
    if (member === undefined && mediaType(response.headers) !== contentType) return false;
    return looksLikeCompactJwe(messageToken(response.body, this.#profile));
  }

  #withoutBody(response: E2eeResponse, operation: Operation): E2eeResponse {
    const { status } = response;
    if (status < 300) {
      throw new E2eeError('response_refused', `The response of \`${operation.name}\` cannot be read as JSON`);
    }
    if (status < 400) return { status, headers: headersForBody(response.headers) };
    const headers = headersForBody(response.headers, 'application/json');
    return { status, headers, body: errorBody(this.#profile, status, 'response_refused') };
  }

  #jsonHeaders({ headers }: E2eeResponse): Record<string, string> {
    return headersForBody(headers, mediaType(headers) === undefined ? 'application/json' : undefined);
  }

  #checkDepth(body: unknown): void {
    const { depth } = this.#limits;
    if (!isDeeperThan(body, depth)) return;
    throw new E2eeError('limit_exceeded', `The body is nested deeper than ${depth} levels`);
  }

  #opener(): { profile: Profile; limits: Limits; keyRing: KeyRing } {
    return { profile: this.#profile, limits: this.#limits, keyRing: this.#keyRing };
  }
}

function where(operation: Operation | undefined): { operation?: string } {
  return operation ? { operation: operation.name } : {};
}

function asE2eeError(error: unknown): { error?: E2eeError } {
  return error instanceof E2eeError ? { error } : {};
}

/** Whatever stops a response from being protected is a failure on our side, also what would blame a request. */
function asServerFailure(error: unknown, operation: Operation): E2eeError {
  if (error instanceof E2eeError && error.status >= 500) return error;
  const path = error instanceof E2eeError && error.path !== undefined ? { path: error.path } : {};
  const message = `The response of \`${operation.name}\` cannot be protected`;
  const reason = error instanceof E2eeError ? `: ${error.message}` : '';
  return new E2eeError('response_refused', message + reason, { ...path, cause: error });
}
