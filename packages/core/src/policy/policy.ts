import { E2eeError } from '../errors.js';
import type { FieldEncoding, FieldRule, FieldTree } from '../fields/tree.js';
import type { Router } from './router.js';

/** What happens to a field of a request. */
export type RequestTreatment = 'encrypt' | 'none';
/** What happens to a field of a response. `redact-or-encrypt` follows the recipient's choice. */
export type ResponseTreatment = 'encrypt' | 'redact' | 'redact-or-encrypt' | 'none';

/** One row of the table: what happens to a field in each direction. */
export interface PolicyRow {
  /** How sensitive the field is. For readers; nothing depends on it. */
  readonly sensitivity?: 'low' | 'medium' | 'high';
  /** Default: nothing is said of requests. */
  readonly request?: RequestTreatment;
  /** Default: nothing is said of responses. */
  readonly response?: ResponseTreatment;
  /** `json` (default) encrypts the value's JSON text, `text` the UTF-8 bytes of a string. */
  readonly as?: FieldEncoding;
  /** Whether a request without the field is refused. Default false: presence is for the handler to judge. */
  readonly required?: boolean;
}

/** Field path → row. */
export type PolicyRows = Readonly<Record<string, PolicyRow>>;

/** Operation (`POST /v2/payment_sessions`) → field path → row. Plain JSON. */
export type PolicyDocument = Readonly<Record<string, PolicyRows>>;

/** The rules of one direction of an operation: for the whole body, or for fields of it. */
export interface DirectionRules {
  /** The rule of `$`. */
  readonly whole?: FieldRule;
  readonly fields: FieldTree;
  /** Whether any rule treats anything. */
  readonly treats: boolean;
  readonly required: readonly FieldRule[];
}

/** One operation of a compiled policy. */
export interface Operation {
  /** As written: `POST /v2/payment_sessions`. */
  readonly name: string;
  readonly method: string;
  readonly template: string;
  readonly request: DirectionRules;
  readonly response: DirectionRules;
}

/** What finds the operation of a request. */
export type Routing = Pick<Router<Operation>, 'find'>;

/** A compiled policy. Made by {@link definePolicy}; serialises to the document that it was made from. */
export class Policy {
  /** What the policy was made from. */
  readonly document: PolicyDocument;
  /** The operations that it covers. */
  readonly operations: readonly Operation[];
  readonly #router: Routing;

  /** @internal Use {@link definePolicy}. */
  constructor(document: PolicyDocument, operations: readonly Operation[], router: Routing) {
    this.document = document;
    this.operations = operations;
    this.#router = router;
    Object.freeze(this);
  }

  /**
   * The operation that covers a request, if one does: at least wherever a framework would route the request to that
   * operation's handler. Throws `operation_refused` for a path that frameworks may read as two different operations.
   */
  match(method: string, path: string): Operation | undefined {
    const routes = this.#router.find(method, path);
    if (routes.length > 1) throw new E2eeError('operation_refused', 'The path is ambiguous', { status: 400 });
    return routes[0]?.target;
  }

  toJSON(): PolicyDocument {
    return this.document;
  }
}
