import { CONCEALED, type LogPolicy, viewOf } from './body-view.js';
import { logSerializers } from './log-serializers.js';
import { readRequest } from './message-shapes.js';

/** What `util.inspect` of Node calls, and `console.log` with it; also those of Deno and Bun. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * From now on, `console.log` and `util.inspect` show of a request, of its body and of what is within it what
 * {@link logSerializers} would show, also of a body that a handler or a validator puts in the place of the first. What is
 * added are a property that neither copies nor JSON text have, and an accessor of `body`: handlers notice nothing.
 *
 * For requests as `logSerializers(policy).req` takes them, when they have been decrypted. What it does not reach: responses, a
 * single text or number, copies, frozen objects, `JSON.stringify`, `console.dir` and `console.table`. Never fails for a
 * request; throws `policy_invalid` or `option_invalid`.
 *
 * @example
 * app.use((req, _res, next) => { concealFromInspect(banked, req); next() }) // after e2ee()
 */
export function concealFromInspect(policy: LogPolicy, request: object): void {
  const view = viewOf(policy);
  const { req } = logSerializers(policy);
  const concealBody = (): void => {
    const call = readRequest(request);
    if (isContainer(call.body) && view.covers(call)) concealAll(call.body, () => view.requestBody(call));
  };
  conceal(request, () => req(request));
  attempt(concealBody);
  onReplaced(request, () => attempt(concealBody));
}

/** Calls `then` whenever `body` has become another one, where it is a member of the request's own. */
function onReplaced(request: object, then: () => void): void {
  const {
    configurable,
    writable,
    enumerable = true,
    value,
  } = Object.getOwnPropertyDescriptor(request, 'body') ?? {};
  if (!configurable || !writable) return;
  let body: unknown = value;
  Object.defineProperty(request, 'body', {
    get: () => body,
    set: (other: unknown) => {
      body = other;
      then();
    },
    enumerable,
    configurable,
  });
}

/** Getters may throw: then the request is concealed, and its body cannot be had. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The body stays as it is.
  }
}

type Show = () => unknown;

/** Conceals a value and the containers in it, each as the part of what is shown that it is. Needs no recursion. */
function concealAll(body: object, show: Show): void {
  const pending: (readonly [object, Show])[] = [[body, show]];
  const seen = new Set<object>();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [container, shown] = next;
    if (seen.has(container)) continue;
    seen.add(container);
    conceal(container, shown);
    for (const [name, inner] of membersOf(container))
      if (isContainer(inner)) pending.push([inner, () => memberOf(shown(), name)]);
  }
}

function conceal(value: object, show: Show): void {
  const shown = (): unknown => {
    try {
      return show();
    } catch {
      return CONCEALED;
    }
  };
  Reflect.defineProperty(value, INSPECT, { value: shown, configurable: true, writable: true });
}

/** Of JSON containers; others, such as bytes, are shown as a whole. */
function membersOf(container: object): readonly (readonly [name: string, value: unknown])[] {
  const prototype = Object.getPrototypeOf(container);
  const isJson = Array.isArray(container) || prototype === Object.prototype || prototype === null;
  return isJson ? Object.entries(container) : [];
}

/** What is shown of a member. A member that is not shown is within something that is concealed. */
function memberOf(shown: unknown, name: string): unknown {
  return isContainer(shown) && Object.hasOwn(shown, name) ? Reflect.get(shown, name) : CONCEALED;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
