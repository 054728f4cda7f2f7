import type { LogPolicy } from './body-view.js';
import { type LogSerializers, logSerializers } from './log-serializers.js';
import { isError } from './logged-error.js';

/** Options of Pino: `serializers` and `hooks`. A type and no interface, so that Pino's own options take it. */
export type LogOptions = {
  readonly serializers: LogSerializers;
  readonly hooks: {
    /** Pino's hook: calls `method` with the arguments of a log call, and with a message where an error came without one. */
    readonly logMethod: (this: unknown, args: unknown[], method: (...args: never[]) => void) => void;
  };
};

/**
 * Options for Pino that leave nothing of an error to it: the serializers of {@link logSerializers}, and a hook. Where an
 * error is logged without a message, Pino takes the error's own for one, past every serializer; the hook gives it the
 * message that the serializer shows. A message that comes with the error is yours, and stays.
 *
 * A logger has one `logMethod`: end your own with `hooks.logMethod.call(this, args, method)` in the place of
 * `method.apply(this, args)`. With a `messageKey` other than `msg`, give messages as arguments. Throws `policy_invalid` or
 * `option_invalid`.
 *
 * @example
 * const log = pino({ level: 'info', ...logOptions(banked) })
 * log.error(error) // {"err":{"type":"SyntaxError","message":"[REDACTED]",…},"msg":"[REDACTED]"}
 */
export function logOptions(policy: LogPolicy): LogOptions {
  const serializers = logSerializers(policy);
  return {
    serializers,
    hooks: {
      logMethod(args, method) {
        const message = messageFor(args, serializers);
        Reflect.apply(method, this, message === undefined ? args : [args[0], message]);
      },
    },
  };
}

/** What to say of an error that is logged without a message; nothing where nothing has to be said. */
function messageFor([logged, message]: readonly unknown[], { err }: LogSerializers): string | undefined {
  if (message !== undefined || typeof logged !== 'object' || logged === null) return undefined;
  try {
    const error = errorIn(logged);
    return error === undefined ? undefined : err(error).message;
  } catch {
    return err(undefined).message; // a getter that throws
  }
}

/** What Pino would take the message of. Which member that is, its `errorKey` says: any error will do. */
function errorIn(logged: object): unknown {
  if (isError(logged)) return logged;
  const { err, msg } = logged as { err?: unknown; msg?: unknown }; // checked by whoever takes it
  if (msg !== undefined) return undefined;
  return typeof err === 'object' && err !== null ? err : Object.values(logged).find(isError); // as Pino does
}
