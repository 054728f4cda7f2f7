import { encodeText } from '../fields/encoding.js';
import type { Profile } from '../profiles/profile.js';
import { refuseDeepJson, refuseLongToken } from './body-rules.js';
import type { Limits } from './limits.js';
import { type E2eeResponse, headersForBody } from './message.js';
import { type Sealer, seal } from './seal-tokens.js';

const encoder = new TextEncoder();

/**
 * A request or response with its whole body, a JSON text, as one token, which is as long as it may be at the most. Rejects
 * with `encryption_failed` or `limit_exceeded`.
 */
export async function sealMessage<Message extends Pick<E2eeResponse, 'headers' | 'body'>>(
  message: Message,
  json: string,
  sealer: Sealer,
  limits: Pick<Limits, 'depth'> & Partial<Pick<Limits, 'messageLength'>>,
): Promise<{ sealed: Message; token: string }> {
  const { profile } = sealer;
  // What `JSON.stringify` has written is well-formed, and long, maybe.
  const plaintext = typeof message.body === 'string' ? encodeText(json, json, '$') : encoder.encode(json);
  refuseDeepJson(plaintext, limits);
  const token = await seal(plaintext, '$', sealer, { cty: 'json' });
  refuseLongToken(token, limits.messageLength ?? Number.POSITIVE_INFINITY, '$');
  const { member, contentType } = profile.message;
  const headers = headersForBody(message.headers, member === undefined ? contentType : 'application/json');
  return { sealed: { ...message, headers, body: messageBody(token, profile) }, token };
}

/** A body that holds a whole-message token, as the profile writes it. */
export function messageBody(token: string, { message }: Profile): unknown {
  return message.member === undefined ? token : { [message.member]: token };
}
