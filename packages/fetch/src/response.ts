import { bodyText, E2eeError, type E2eeResponse } from '@e2ee/core';
import { flat, rewrite } from './headers.js';

/** A response as plain data. Its body is read from a copy, so that the response can be handed on. */
export async function answerOf(
  response: Response,
  reads: (head: E2eeResponse) => boolean,
): Promise<E2eeResponse> {
  const head = { status: response.status, headers: flat(response.headers) };
  const isRead = response.body !== null && reads(head);
  return isRead ? { ...head, body: await response.clone().text() } : head;
}

/** A response with its body decrypted, as if it had come so. */
export function restoredResponse(response: Response, answer: E2eeResponse, restored: E2eeResponse): Response {
  const text = bodyText(restored);
  const body = text === undefined ? null : new TextEncoder().encode(text); // of a text, `Response` would invent a type
  const headers = rewrite(response.headers, answer.headers, restored.headers);
  return cameFrom(response, withHead(response, body, headers));
}

/** Servers send statuses and phrases that `Response` does not take. */
function withHead(
  { status, statusText }: Response,
  body: Uint8Array<ArrayBuffer> | null,
  headers: Headers,
): Response {
  try {
    return new Response(body, { status, statusText, headers });
  } catch {
    return new Response(body, { headers });
  }
}

/** What was asked for may have been done all the same: the caller must learn what the server said of it. */
export function withStatus(error: unknown, status: number): unknown {
  if (!(error instanceof E2eeError)) return error;
  const message = `The answer, of status ${status}, cannot be decrypted: ${error.message}`;
  return new E2eeError(error.code, message, { ...error, cause: error });
}

const ORIGINAL = ['url', 'redirected', 'type', 'status', 'ok', 'statusText'] as const;

/** Gives a response that was made here, and its copies, what only fetch can give one otherwise. */
function cameFrom(original: Response, made: Response): Response {
  const copy = made.clone.bind(made);
  const facts = ORIGINAL.map((name) => [name, { value: original[name] }] as const);
  return Object.defineProperties(made, {
    ...Object.fromEntries(facts),
    clone: { value: () => cameFrom(made, copy()) },
  });
}
