import { E2eeError } from '../errors.js';
import { refuseEcho } from '../exchange/echo.js';
import { isAbsent, serialisedJson } from '../exchange/json-body.js';
import { isSealedBy } from '../exchange/tokens.js';
import { isDeeperThan } from '../fields/depth.js';
import { type SelectOptions, selectFields } from '../fields/select.js';
import { definePolicy } from '../policy/define-policy.js';
import { type Operation, Policy, type PolicyDocument } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { type EitherDirection, eitherDirection } from './either-direction.js';

/** What a log shows in place of what it must not hold. */
export const CONCEALED = '[REDACTED]';

const DEEPEST = 64;

/** What says which values no log may hold: a profile, which also names encrypted fields, or a policy. */
export type LogPolicy = Profile | Policy | PolicyDocument;

/** What tells which operation a body belongs to. */
export interface Call {
  readonly method: string | undefined;
  /** Every path by which frameworks, or the policy, may know the request. */
  readonly paths: readonly string[];
  /** The request's body. */
  readonly body: unknown;
}

/** What a log may show of a body: plain data, and `[REDACTED]` where anything about it is in doubt. Nothing here throws. */
export class BodyView {
  readonly #policy: Policy;
  readonly #names: Readonly<Record<'request' | 'response', SelectOptions>>;
  readonly #protected = new WeakMap<Operation, EitherDirection>();

  /** Throws `policy_invalid` or `option_invalid`. */
  constructor(source: LogPolicy) {
    const profile = isProfile(source) ? checkProfile(source) : undefined;
    this.#policy = definePolicy(isProfile(source) ? source.policy : source);
    // A policy alone knows no names of encrypted fields, and no algorithms by which to tell a token.
    const isToken = profile ? isSealedBy(profile) : () => false;
    const { request, response } = profile?.prefix ?? { request: '', response: '' };
    this.#names = { request: { prefix: request, isToken }, response: { prefix: response, isToken } };
  }

  /** Whether anything of the bodies of a call may have to be concealed. */
  covers(call: Call): boolean {
    try {
      return this.#operationOf(call) !== undefined;
    } catch {
      return true;
    }
  }

  requestBody(call: Call): unknown {
    return this.#shown(call.body, 'request', call);
  }

  /** `status` tells an error: one that repeats a protected value of the request is not shown. */
  responseBody(body: unknown, call: Call | undefined, status: number | undefined): unknown {
    return this.#shown(body, 'response', call, (value, operation) => {
      if (status !== undefined && status < 400) return;
      // What refuseEcho walks through must end: a handler's body may have cycles.
      if (!isAbsent(call?.body)) refuseEcho(value, serialisedJson(call?.body), operation);
    });
  }

  #shown(
    body: unknown,
    direction: 'request' | 'response',
    call: Call | undefined,
    check?: (value: unknown, operation: Operation) => void,
  ): unknown {
    if (isAbsent(body)) return undefined;
    try {
      const operation = call ? this.#operationOf(call) : unknownOperation();
      if (!operation) return typeof body === 'string' ? body : serialisedJson(body);
      const value = this.#redacted(body, operation, direction);
      check?.(value, operation);
      return value;
    } catch {
      return CONCEALED;
    }
  }

  /** What is known as two operations could be either. Throws. */
  #operationOf({ method, paths }: Call): Operation | undefined {
    if (method === undefined || paths.length === 0) return unknownOperation();
    const found = new Set(paths.map((path) => this.#policy.match(method, path)));
    found.delete(undefined);
    const [operation, ...others] = found;
    return others.length === 0 ? operation : unknownOperation();
  }

  #redacted(body: unknown, operation: Operation, direction: 'request' | 'response'): unknown {
    const { whole, fields } = this.#protectedOf(operation);
    if (whole || typeof body === 'string') return CONCEALED;
    const value = serialisedJson(body);
    if (isDeeperThan(value, DEEPEST)) return CONCEALED;
    const options = this.#names[direction];
    const { slots, mismatch, result } = selectFields(value, fields, options);
    if (mismatch) return CONCEALED;
    for (const slot of slots) {
      if (slot.plain) slot.setPlain(CONCEALED);
      else if (slot.wire && !options.isToken(slot.wire.value)) slot.setWire(CONCEALED);
    }
    return result();
  }

  #protectedOf(operation: Operation): EitherDirection {
    const known = this.#protected.get(operation) ?? eitherDirection(operation);
    this.#protected.set(operation, known);
    return known;
  }
}

const views = new WeakMap<object, BodyView>();

/** The view of a policy, which is compiled once. Throws `policy_invalid` or `option_invalid`. */
export function viewOf(source: LogPolicy): BodyView {
  const view = views.get(source) ?? new BodyView(source);
  views.set(source, view);
  return view;
}

function isProfile(source: LogPolicy): source is Profile {
  return !(source instanceof Policy) && 'policy' in Object(source);
}

function unknownOperation(): never {
  throw new E2eeError('operation_refused', 'Nobody can tell which operation this is');
}
