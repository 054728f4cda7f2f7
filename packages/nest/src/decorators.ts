import 'reflect-metadata';
import { E2eeError, encryptedBy, type PolicyRows } from '@e2ee/core';
import { mergedRows } from '@e2ee/core/adapter';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { openedRequests } from './exchange.js';

const KEY = 'e2ee:rules';
const SKIP = 'skip';

/** What the decorators of a class or a method say. */
type Rules = PolicyRows | typeof SKIP;

/**
 * Protects a handler, or every handler of a controller, by rows of its own: the path of the request does not matter.
 *
 * Rows add up, by field path and member: what the handler says goes before what its controller says, and that before the
 * policy. What is not mentioned stays. To lift a treatment, write `none`. A mistake stops the start of the application with `policy_invalid`.
 *
 * @example
 * \@Protect({ payee: { request: 'encrypt', response: 'redact' } })
 * \@Post('checkouts')
 * create(@Body() checkout: Checkout): Receipt { … }
 */
export function Protect(rows: PolicyRows): MethodDecorator & ClassDecorator {
  return rulesDecorator((before) => (before === SKIP ? contradiction() : mergedRows(before, rows)));
}

/**
 * The one way out: nothing is decrypted, refused or protected on this handler, or on every handler of a controller that
 * has no `@Protect` of its own, whatever the policy says. The log names them at the start.
 */
export function SkipE2ee(): MethodDecorator & ClassDecorator {
  return rulesDecorator((before) => (before === undefined || before === SKIP ? SKIP : contradiction()));
}

/**
 * Which of our keys a value was encrypted to: the `kid` for a field path as the policy writes it (`$`: the whole body),
 * `undefined` where it came in plain or not at all. Without a path, all of them by path.
 *
 * @example
 * create(@Body() checkout: Checkout, @EncryptedBy('card') kid: string | undefined): Receipt { … }
 */
export const EncryptedBy: (path?: string) => ParameterDecorator = createParamDecorator(
  (path: string | undefined, context: ExecutionContext) => {
    const request = context.switchToHttp().getRequest();
    const opened = openedRequests.get(request?.raw ?? request);
    const encrypted = opened ? encryptedBy(opened) : {};
    if (path === undefined) return encrypted;
    return Object.hasOwn(encrypted, path) ? encrypted[path] : undefined;
  },
);

/** What holds for a method of a controller: the rows that it and its controller have, or that it is left out. */
export function rulesOf(type: object & { prototype: object }, method: string): Rules | undefined {
  const ofClass = Reflect.getMetadata(KEY, type) as Rules | undefined; // only the decorators above write it
  const ofMethod = Reflect.getMetadata(KEY, type.prototype, method) as Rules | undefined;
  if (ofMethod === undefined || ofMethod === SKIP) return ofMethod ?? ofClass;
  return ofClass === SKIP ? ofMethod : mergedRows(ofClass, ofMethod);
}

/**
 * Metadata of the method's name, not of its function: decorators that replace the function would lose it, and what is
 * inherited or overridden keeps it.
 */
function rulesDecorator(change: (before: Rules | undefined) => Rules): MethodDecorator & ClassDecorator {
  return (target: object, method?: string | symbol): void => {
    if (method === undefined)
      Reflect.defineMetadata(KEY, change(Reflect.getOwnMetadata(KEY, target)), target);
    else Reflect.defineMetadata(KEY, change(Reflect.getOwnMetadata(KEY, target, method)), target, method);
  };
}

function contradiction(): never {
  throw new E2eeError('policy_invalid', '`@Protect` and `@SkipE2ee` contradict each other on one handler');
}
