import { CONCEALED } from './body-view.js';

/** What a log shows of an error. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  /** Where it was thrown: without the message, which a stack begins with. */
  readonly stack?: string;
  readonly code?: string | number;
  readonly status?: number;
  /** The field path that an `E2eeError` names. */
  readonly path?: string;
  readonly cause?: LoggedError;
}

/** An error of which others are the cause is shown so deep. */
const CAUSES = 8;

/**
 * An error without its own members, which hold whole messages: the text that a body parser could not read, the response
 * that an HTTP client got. A message that tells of JSON may quote what was parsed.
 */
export function loggedError(error: unknown): LoggedError {
  return shown(error, CAUSES);
}

function shown(given: unknown, causes: number): LoggedError {
  const error = isError(given) ? given : rawOf(given);
  if (!isError(error)) return { type: typeof given, message: CONCEALED };
  const { name, message, stack, cause } = error;
  const { code, status, path } = error as { code?: unknown; status?: unknown; path?: unknown }; // some errors have them
  return {
    type: name,
    message: quotes(error) ? CONCEALED : message,
    ...(typeof stack === 'string' && { stack: framesOf(stack, message) }),
    ...(isCode(code) && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof path === 'string' && { path }),
    ...(isError(cause) && causes > 0 && { cause: shown(cause, causes - 1) }),
  };
}

/** Of what Pino's own serializer has made of an error: that error. `pino-http` lets that one go first. */
function rawOf(given: unknown): unknown {
  return typeof given === 'object' && given !== null ? Reflect.get(given, 'raw') : undefined;
}

/** Whether its message quotes what could not be parsed; frameworks make errors of their own with the same message. */
function quotes({ name, message }: Error): boolean {
  return /SyntaxError/.test(name) || /JSON|Unexpected (?:token|end|identifier)/i.test(message);
}

/** Whether it is one by which programs tell errors apart, and not a text. */
function isCode(code: unknown): code is string | number {
  return typeof code === 'number' || (typeof code === 'string' && /^\w{1,64}$/.test(code));
}

/** Also one of another realm, as test runners have them. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** Behind the message, lines such as `    at handler (file:1:2)`, or `handler@file:1:2` in other engines. */
function framesOf(stack: string, message: string): string {
  const behind = stack.slice(stack.indexOf(message) + message.length);
  return behind
    .split('\n')
    .filter((line) => /^\s+at |@.*:\d+:\d+$/.test(line))
    .join('\n');
}
