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
 * that an HTTP client got. The message of a `SyntaxError` quotes what was parsed.
 */
export function loggedError(error: unknown): LoggedError {
  return shown(error, CAUSES);
}

function shown(error: unknown, causes: number): LoggedError {
  if (!isError(error)) return { type: typeof error, message: CONCEALED };
  const { name, message, stack, cause } = error;
  const { code, status, path } = error as { code?: unknown; status?: unknown; path?: unknown }; // some errors have them
  return {
    type: name,
    message: name === 'SyntaxError' ? CONCEALED : message,
    ...(typeof stack === 'string' && { stack: framesOf(stack, message) }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof path === 'string' && { path }),
    ...(isError(cause) && causes > 0 && { cause: shown(cause, causes - 1) }),
  };
}

/** Also one of another realm, as test runners have them. */
function isError(value: unknown): value is Error {
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
