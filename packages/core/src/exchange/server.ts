import { E2eeError } from '../errors.js';
import { bindPolicy } from '../policy/define-policy.js';
import type { Operation, PolicyRows } from '../policy/policy.js';
import { type Capacity, capacityOf } from './capacity.js';
import { isAbsent } from './json-body.js';
import type { E2eeRequest, E2eeResponse } from './message.js';
import { openRequest } from './open-request.js';
import { errorAnswer } from './profile-answers.js';
import { asServerFailure, isFaultOfBody, protectBody, withoutBody } from './protect-response.js';
import { answerWithKeys, asksForKeys } from './published-keys.js';
import type { FindRecipient, Recipient } from './recipient.js';
import { checkServerOptions, type E2eeServerOptions, type ServerSettings } from './server-options.js';
import { verifierOf } from './signing.js';
import { refuseWithoutTls } from './tls.js';

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
  readonly #settings: ServerSettings;
  readonly #capacity: Capacity;

  /** `capacity` is that of the server end that this one is bound from. */
  constructor(options: E2eeServerOptions, capacity?: Capacity) {
    this.#settings = checkServerOptions(options);
    const { profile, limits, replay } = this.#settings;
    this.#options = { ...options, replay }; // a server end that is bound to a handler has the same
    this.#capacity = capacity ?? capacityOf(limits);
    this.message = { contentType: profile.message.contentType, maxLength: limits.messageLength };
  }

  covers(request: Pick<E2eeRequest, 'method' | 'path'> & Partial<E2eeRequest>): Coverage {
    const { profile, policy, requireTls, refuseUnmatched, recipient } = this.#settings;
    const keys = asksForKeys(request.path, profile);
    const operation = this.#reported(undefined, () => policy.match(request.method, request.path));
    if (keys || operation) this.#reported(operation, () => refuseWithoutTls(request, requireTls));
    if (!operation) return { keys, request: refuseUnmatched && !keys, response: false };
    return {
      keys,
      operation: operation.name,
      request: operation.request.treats,
      ...(profile.perMessageKey && { offer: true }),
      // An error must not repeat what was protected in the request.
      response: operation.request.treats || operation.response.treats || recipient !== undefined,
    };
  }

  async decryptRequest(request: E2eeRequest): Promise<E2eeRequest> {
    const { policy, requireTls, refuseUnmatched, report } = this.#settings;
    let operation: Operation | undefined;
    try {
      operation = policy.match(request.method, request.path);
      if (operation) {
        refuseWithoutTls(request, requireTls);
        const verifyWith = verifierOf(this.#settings.verifyWith, request);
        const context = { ...this.#settings, capacity: this.#capacity, verifyWith };
        return await openRequest(request, operation, context);
      }
      if (refuseUnmatched)
        throw new E2eeError('operation_refused', 'The policy does not cover this operation');
      return request;
    } catch (error) {
      report({ type: 'request_refused', ...where(operation), ...asE2eeError(error) });
      throw error;
    }
  }

  async protectResponse(
    request: E2eeRequest,
    response: E2eeResponse,
    recipient?: () => ReturnType<FindRecipient<never>>,
  ): Promise<E2eeResponse> {
    const { policy, profile, report, recipient: ours } = this.#settings;
    const operation = policy.match(request.method, request.path);
    if (!operation || isAbsent(response.body)) return response;
    const { status, headers } = response;
    if (BODILESS.includes(status)) return { status, headers };
    const find = recipient ?? (() => ours?.(request));
    try {
      const exchange = { request, operation, recipient: await foundBy(find) };
      return await protectBody(response, exchange, this.#settings);
    } catch (error) {
      const failure = asServerFailure(error, operation.name);
      report({
        type: 'response_refused',
        operation: operation.name,
        ...asE2eeError(error, failure),
      });
      if (isFaultOfBody(error) && status >= 300) return withoutBody(response, profile);
      throw failure;
    }
  }

  async publishedKeys(request: E2eeRequest): Promise<E2eeResponse | undefined> {
    const { keyRing, profile, requireTls } = this.#settings;
    if (!asksForKeys(request.path, profile)) return undefined;
    refuseWithoutTls(request, requireTls);
    return answerWithKeys(request, keyRing, profile);
  }

  bind(name: string, rows: PolicyRows): E2eeServer {
    const policy = bindPolicy(this.#settings.policy, name, rows);
    return new Server({ ...this.#options, policy }, this.#capacity);
  }

  errorResponse(error: unknown): E2eeResponse {
    return errorAnswer(error, this.#settings.profile);
  }

  /** Lets an operator hear of a request that is refused before its body is looked at. */
  #reported<Result>(operation: Operation | undefined, check: () => Result): Result {
    try {
      return check();
    } catch (error) {
      this.#settings.report({ type: 'request_refused', ...where(operation), ...asE2eeError(error) });
      throw error;
    }
  }
}

/** What `recipient` throws is not passed on. Without a recipient, an error answer can still keep its status. */
async function foundBy(find: () => ReturnType<FindRecipient<never>>): Promise<Recipient | undefined> {
  try {
    return await find();
  } catch {
    throw new E2eeError('response_refused', 'The recipient could not be found: `recipient` has thrown', {
      status: 400,
    });
  }
}

function where(operation: Operation | undefined): { operation?: string } {
  return operation ? { operation: operation.name } : {};
}

function asE2eeError(error: unknown, failure?: E2eeError): { error?: E2eeError } {
  if (error instanceof E2eeError) return { error };
  return failure ? { error: failure } : {};
}
