import { checkChoice, E2eeError, invalidOption } from '../errors.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import { bindPolicy, definePolicy } from '../policy/define-policy.js';
import type { Operation, Policy, PolicyDocument, PolicyRows } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { type Capacity, capacityOf } from './capacity.js';
import { type Report, reporter } from './events.js';
import { isAbsent } from './json-body.js';
import type { LeakGuard } from './leak-guard.js';
import { checkLimits, type Limits } from './limits.js';
import type { E2eeRequest, E2eeResponse } from './message.js';
import { openRequest, type RequestContext } from './open-request.js';
import { errorAnswer } from './profile-answers.js';
import {
  asServerFailure,
  isFaultOfBody,
  protectBody,
  type ResponseContext,
  withoutBody,
} from './protect-response.js';
import { answerWithKeys, asksForKeys } from './published-keys.js';
import type { FindRecipient, Recipient } from './recipient.js';
import { defaultReplay, type ReplayStore, replayGuard } from './replay.js';
import {
  checkAudience,
  checkFinding,
  checkSigning,
  type FindVerificationKeys,
  verifierOf,
} from './signing.js';
import { checkRequireTls, type RequireTls, refuseWithoutTls } from './tls.js';

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
  /**
   * Whether operations of the policy, and the published keys, are refused over anything less than TLS 1.2. Default false;
   * `'trust-proxy'` believes the `X-Forwarded-Proto` of a proxy in front.
   */
  readonly requireTls?: RequireTls;
  /**
   * Remembers tokens, so that none is accepted twice; needs a profile whose tokens are bound to a time. Default: a
   * `memoryReplayStore()` where the profile requires that tokens have an id, else none. `false`: none.
   */
  readonly replay?: ReplayStore | false;
  /**
   * What is encrypted in requests must be signed by one of these keys, or by those of the sender that a function finds.
   * Default: no signature is looked for, and anybody can have sent it.
   */
  readonly verifyWith?: VerificationKeys | FindVerificationKeys;
  /** Signs what is encrypted in responses: `importSigningKey()`. Default: nothing is signed. */
  readonly signWith?: SigningKey;
  /**
   * Looks for values that are encrypted or redacted in the clear elsewhere in a response: `leakGuard`. Default: nobody does;
   * for tests, and wherever the search costs less than a leak.
   */
  readonly leakGuard?: LeakGuard | undefined;
  readonly limits?: Partial<Limits>;
  /** Hears what an operator should know. Default: a line on the console for the worrying ones. */
  readonly onEvent?: Report;
}

/** What an adapter has to do for a request. */
export interface Coverage {
  /** The operation of the policy that it is, as the policy writes it. */
  readonly operation?: string;
  /** It asks for the published keys. */
  readonly keys: boolean;
  /** Its body must go through `decryptRequest`. */
  readonly request: boolean;
  /** It must go through `decryptRequest`, whatever its body is: a header may hold the secret that its answer needs. */
  readonly offer?: true;
  /** Its response must go through `protectResponse`, on every way out. */
  readonly response: boolean;
}

/** The server end of a call: the policy applied to what comes in and what goes out. */
export interface E2eeServer {
  /** How a body that is one token arrives: its content type, and how long it may be, in bytes. */
  readonly message: { readonly contentType: string; readonly maxLength: number };
  /**
   * What has to be done for a request. Cheap; touches no key. Throws `operation_refused` for an ambiguous path, and
   * `tls_required`; the headers and `secure` matter for that alone.
   */
  covers(request: Pick<E2eeRequest, 'method' | 'path'> & Partial<E2eeRequest>): Coverage;
  /**
   * Decrypts what the policy says, all or nothing. The input is never mutated.
   *
   * Rejects with `token_invalid` or `key_rejected` for tokens; with `plaintext_refused`, `field_conflict`,
   * `field_required`, `field_invalid`, `body_unreadable`, `media_type_unsupported` or `limit_exceeded` for bodies; with
   * `operation_refused` or `tls_required`; with `over_capacity`, `keys_unavailable` or `store_unavailable` for what is
   * wrong on our side: then no handler may see the request.
   */
  decryptRequest(request: E2eeRequest): Promise<E2eeRequest>;
  /**
   * Redacts or encrypts what the policy says, in every status. `recipient` stands in for the option of that name where
   * an adapter knows the framework's own request.
   *
   * Rejects with `response_refused`, `encryption_failed` or `keys_unavailable`: then the response must not be sent.
   * An error or redirection whose body cannot be read as JSON keeps its status and loses its body, as does an error that
   * repeats a protected value of the request: give the request as `decryptRequest` resolved to it.
   */
  protectResponse(
    request: E2eeRequest,
    response: E2eeResponse,
    recipient?: () => ReturnType<FindRecipient<never>>,
  ): Promise<E2eeResponse>;
  /** The answer to a request for the published keys; nothing for any other request. Rejects with `tls_required`. */
  publishedKeys(request: E2eeRequest): Promise<E2eeResponse | undefined>;
  /**
   * The same server end for one handler: whatever the path, a request is covered by `rows`, and by what the policy says
   * of its operation. Where both have a row for a field path, each member that `rows` mentions counts. `name` names the handler in events
   * and errors where the policy does not. Throws `policy_invalid`.
   */
  bind(name: string, rows: PolicyRows): E2eeServer;
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
  readonly message: E2eeServer['message'];
  readonly #options: E2eeServerOptions;
  readonly #policy: Policy;
  readonly #recipient: FindRecipient<E2eeRequest> | undefined;
  readonly #refuseUnmatched: boolean;
  readonly #requireTls: RequireTls;
  readonly #context: RequestContext &
    Pick<ResponseContext, 'signWith' | 'leakGuard'> & { readonly keyRing: KeyRing };
  readonly #verifyWith: E2eeServerOptions['verifyWith'];

  /** `capacity` is that of the server end that this one is bound from. */
  constructor(options: E2eeServerOptions, capacity?: Capacity) {
    const { keyRing, recipient, unmatched = 'pass', plaintext = 'refuse' } = options;
    const profile = checkProfile(options.profile);
    const limits = checkLimits(options.limits);
    const report = reporter(options.onEvent);
    this.#policy = definePolicy(options.policy ?? profile.policy);
    if (typeof keyRing?.find !== 'function') invalidOption('keyRing', 'made by createKeyRing()', keyRing);
    if (recipient !== undefined && typeof recipient !== 'function')
      invalidOption('recipient', 'a function', recipient);
    checkChoice('unmatched', unmatched, 'pass', 'refuse');
    checkChoice('plaintext', plaintext, 'refuse', 'accept');
    keyRing.publishedFor?.(profile.publication.maxAge);
    this.#recipient = recipient;
    this.#refuseUnmatched = unmatched === 'refuse';
    this.#requireTls = checkRequireTls(options.requireTls);
    const { replay = defaultReplay(profile), leakGuard } = options;
    if (leakGuard !== undefined && typeof leakGuard !== 'function')
      invalidOption('leakGuard', 'the `leakGuard` of this package', leakGuard);
    // A server end that is bound to a handler has the same.
    this.#options = { ...options, replay };
    this.#context = {
      profile,
      limits,
      keyRing,
      capacity: capacity ?? capacityOf(limits),
      report,
      acceptPlaintext: plaintext === 'accept',
      refuseReplay: replay === false ? undefined : replayGuard(replay, profile),
      signWith: checkSigning(options.signWith, profile),
      leakGuard,
    };
    this.#verifyWith = checkFinding(options.verifyWith);
    if (this.#verifyWith) checkAudience('verifyWith', profile);
    if (this.#verifyWith && plaintext === 'accept')
      throw new E2eeError(
        'option_invalid',
        'Option `plaintext: "accept"` lets in what nobody has signed: leave `verifyWith` out',
      );
    this.message = { contentType: profile.message.contentType, maxLength: limits.messageLength };
  }

  covers(request: Pick<E2eeRequest, 'method' | 'path'> & Partial<E2eeRequest>): Coverage {
    const keys = asksForKeys(request.path, this.#context.profile);
    const operation = this.#reported(undefined, () => this.#policy.match(request.method, request.path));
    if (keys || operation) this.#reported(operation, () => refuseWithoutTls(request, this.#requireTls));
    if (!operation) return { keys, request: this.#refuseUnmatched && !keys, response: false };
    return {
      keys,
      operation: operation.name,
      request: operation.request.treats,
      ...(this.#context.profile.perMessageKey && { offer: true }),
      // An error must not repeat what was protected in the request.
      response: operation.request.treats || operation.response.treats || this.#recipient !== undefined,
    };
  }

  async decryptRequest(request: E2eeRequest): Promise<E2eeRequest> {
    let operation: Operation | undefined;
    try {
      operation = this.#policy.match(request.method, request.path);
      if (operation) refuseWithoutTls(request, this.#requireTls);
      const verifyWith = verifierOf(this.#verifyWith, request);
      if (operation) return await openRequest(request, operation, { ...this.#context, verifyWith });
      if (this.#refuseUnmatched)
        throw new E2eeError('operation_refused', 'The policy does not cover this operation');
      return request;
    } catch (error) {
      this.#context.report({ type: 'request_refused', ...where(operation), ...asE2eeError(error) });
      throw error;
    }
  }

  async protectResponse(
    request: E2eeRequest,
    response: E2eeResponse,
    recipient?: () => ReturnType<FindRecipient<never>>,
  ): Promise<E2eeResponse> {
    const operation = this.#policy.match(request.method, request.path);
    if (!operation || isAbsent(response.body)) return response;
    const { status, headers } = response;
    if (BODILESS.includes(status)) return { status, headers };
    const find = recipient ?? (this.#recipient && (() => this.#recipient?.(request)));
    try {
      const exchange = { request, operation, recipient: await this.#findRecipient(find) };
      return await protectBody(response, exchange, this.#context);
    } catch (error) {
      const failure = asServerFailure(error, operation.name);
      this.#context.report({
        type: 'response_refused',
        operation: operation.name,
        ...asE2eeError(error, failure),
      });
      if (isFaultOfBody(error) && status >= 300) return withoutBody(response, this.#context.profile);
      throw failure;
    }
  }

  /** What `recipient` throws is not passed on. Without a recipient, an error answer can still keep its status. */
  async #findRecipient(
    find: (() => ReturnType<FindRecipient<never>>) | undefined,
  ): Promise<Recipient | undefined> {
    try {
      return await find?.();
    } catch {
      throw new E2eeError('response_refused', 'The recipient could not be found: `recipient` has thrown', {
        status: 400,
      });
    }
  }

  async publishedKeys(request: E2eeRequest): Promise<E2eeResponse | undefined> {
    const { keyRing, profile } = this.#context;
    if (!asksForKeys(request.path, profile)) return undefined;
    refuseWithoutTls(request, this.#requireTls);
    return answerWithKeys(request, keyRing, profile);
  }

  bind(name: string, rows: PolicyRows): E2eeServer {
    const policy = bindPolicy(this.#policy, name, rows);
    return new Server({ ...this.#options, policy }, this.#context.capacity);
  }

  errorResponse(error: unknown): E2eeResponse {
    return errorAnswer(error, this.#context.profile);
  }

  /** Lets an operator hear of a request that is refused before its body is looked at. */
  #reported<Result>(operation: Operation | undefined, check: () => Result): Result {
    try {
      return check();
    } catch (error) {
      this.#context.report({ type: 'request_refused', ...where(operation), ...asE2eeError(error) });
      throw error;
    }
  }
}

function where(operation: Operation | undefined): { operation?: string } {
  return operation ? { operation: operation.name } : {};
}

function asE2eeError(error: unknown, failure?: E2eeError): { error?: E2eeError } {
  if (error instanceof E2eeError) return { error };
  return failure ? { error: failure } : {};
}
