import { bodyText, E2eeError, type E2eeResponse } from '@e2ee/core';
import { flat, rewrite } from './headers.js';

/**
 * A response as plain data. Its body is read where the policy has a say, or where it is a whole message: what is
 * downloaded otherwise may be large, or without an end. It is read from a copy, so that the response can be handed on.
 */
export async function answerOf(response: Response, isCovered: boolean): Promise<E2eeResponse> {
  const { status, body } = response;
  const headers = flat(response.headers);
  const isRead = body !== null && (isCovered || isMessage(headers['content-type']));
  return { status, headers, body: isRead ? await response.clone().text() : undefined };
}

/** A response with its body decrypted, as if it had come so. */
export function restoredResponse(response: Response, answer: E2eeResponse, restored: E2eeResponse): Response {
  const { status, statusText } = response;
  const headers = rewrite(response.headers, answer.headers, restored.headers);
  return cameFrom(response, new Response(bodyText(restored) ?? null, { status, statusText, headers }));
}

/** What was asked for may have been done all the same: the caller must learn what the server said of it. */
export function withStatus(error: unknown, status: number): unknown {
  if (!(error instanceof E2eeError)) return error;
  const message = `The answer, of status ${status}, cannot be decrypted: ${error.message}`;
  return new E2eeError(error.code, message, { cause: error });
}

function isMessage(contentType = ''): boolean {
  return /^application\/jose\s*(?:;|$)/i.test(contentType);
}

/** Gives a response that was made here, and its copies, what only fetch can give one otherwise. */
function cameFrom({ url, redirected, type }: Response, made: Response): Response {
  const copy = made.clone.bind(made);
  return Object.defineProperties(made, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: () => cameFrom(made, copy()) },
  });
}
