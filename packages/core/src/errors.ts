/**
 * Every code an {@link E2eeError} can carry, with the HTTP status it answers with.
 *
 * Statuses below 500 blame the peer and are safe to show; the others are ours, and their message stays in the log.
 */
const STATUS = {
  /** An option, a profile or a store was set up wrongly. The message names the option. */
  option_invalid: 500,
  /** A policy breaks a rule. The message names the operation and the field path. */
  policy_invalid: 500,
  /** A key is malformed, too weak, of the wrong kind, or not meant for encryption. */
  key_invalid: 500,
  /** No valid key can be had at the moment: the JWKS is out of reach or every key in it has expired. */
  keys_unavailable: 503,
  /** The store that tells whether a token came before cannot be asked. */
  store_unavailable: 503,
  /** More private-key operations are wanted than the limits allow: nothing was decrypted. Try again soon. */
  over_capacity: 503,
  /** There is no WebCrypto: the page came by plain `http:`, not from localhost. Nothing was sent. */
  crypto_unavailable: 500,
  /** Encryption failed although a key was there. Nothing was sent. */
  encryption_failed: 500,
  /** The one answer to every bad token: malformed, tampered with, wrong key, refused algorithm. */
  token_invalid: 400,
  /** The token names a key that this end does not hold (any more): fetch the keys again and retry. */
  key_rejected: 422,
  /** A field arrived in plain although the policy says it is encrypted. `path` names it. */
  plaintext_refused: 400,
  /** A field arrived both in plain and encrypted. `path` names it. */
  field_conflict: 400,
  /** A field that the policy requires is absent. `path` names it. */
  field_required: 400,
  /** A value does not have the shape that its row needs (a container at `path`, a string for `as: 'text'`). */
  field_invalid: 400,
  /** The body of a covered operation cannot be read as JSON. */
  body_unreadable: 400,
  /** The body of a covered operation has a content type that cannot be read. */
  media_type_unsupported: 415,
  /** The body is larger than the limit. */
  body_too_large: 413,
  /** Too many tokens or array elements, or nesting too deep. */
  limit_exceeded: 400,
  /** `requireTls` is set, and the request did not come, or would not go, by TLS. */
  tls_required: 403,
  /** The operation is not in the policy, and `unmatched` is `'refuse'`; or its path is ambiguous. */
  operation_refused: 403,
  /** `leakGuard` is set, and a protected value also stands in the clear elsewhere in the message. `path` names the field. */
  leak_refused: 500,
  /** A response cannot be protected as the policy asks, so it was not sent. */
  response_refused: 500,
} as const;

/** A stable identifier to `switch` on. */
export type E2eeErrorCode = keyof typeof STATUS;

export interface E2eeErrorOptions {
  readonly cause?: unknown;
  /** The HTTP status, where it differs from the code's own. */
  readonly status?: number;
  /** The field path concerned. */
  readonly path?: string;
}

/**
 * The only error class of the library.
 *
 * Thrown as it is, Express, Koa and NestJS answer with its `status`. Neither the message nor any property ever holds
 * a plaintext value, a token or key material.
 *
 * @example
 * try { await client.encryptRequest(request) }
 * catch (error) { if (error instanceof E2eeError && error.code === 'keys_unavailable') retryLater() }
 */
export class E2eeError extends Error {
  override readonly name = 'E2eeError';
  readonly code: E2eeErrorCode;
  /** HTTP status of the answer this error should become. */
  readonly status: number;
  /** The same as `status`, under the name that Express' `finalhandler` also knows. */
  readonly statusCode: number;
  /** Whether the message may be shown to the peer. */
  readonly expose: boolean;
  /** The field path concerned, where there is one. */
  declare readonly path?: string; // only declared, so that an error without one has no such property

  constructor(code: E2eeErrorCode, message: string, options: E2eeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.statusCode = this.status;
    this.expose = this.status < 500;
    if (options.path !== undefined) this.path = options.path;
  }

  /** What structured loggers print: no stack, no cause. */
  toJSON(): { name: string; code: E2eeErrorCode; status: number; message: string; path?: string } {
    const { name, code, status, message, path } = this;
    return path === undefined ? { name, code, status, message } : { name, code, status, message, path };
  }
}

/** Throws `option_invalid` for anything but one of these. */
export function checkChoice(option: string, value: unknown, ...choices: readonly string[]): void {
  const isOne = choices.some((choice) => choice === value);
  if (!isOne) invalidOption(option, choices.map((choice) => `"${choice}"`).join(' or '), value);
}

/** Whoever is to hear of events, if anybody is. Throws `option_invalid` for what is no function. */
export function checkListener<Listener>(onEvent: Listener | undefined): Listener | undefined {
  if (onEvent === undefined || typeof onEvent === 'function') return onEvent;
  return invalidOption('onEvent', 'a function', onEvent);
}

/** Throws `option_invalid` naming the option and the kind of value it was given. */
export function invalidOption(option: string, expected: string, value: unknown): never {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
  throw new E2eeError('option_invalid', `Option \`${option}\` must be ${expected}, not ${kind}`);
}
