import { encodeText } from '../fields/encoding.js';
import type { Profile } from '../profiles/profile.js';
import { refuseLongToken } from './body-rules.js';
import { type E2eeResponse, headersForBody } from './message.js';
import { type Sealer, seal } from './seal-tokens.js';

/**
 * A request or response with its whole body, a JSON text, as one token, `maxLength` characters long at the most. Rejects with
 * `encryption_failed` or `limit_exceeded`.
 */
export async function sealMessage<Message extends Pick<E2eeResponse, 'headers' | 'body'>>(
  message: Message,
  json: string,
  sealer: Sealer,
  maxLength: number = Number.POSITIVE_INFINITY,
): Promise<{ sealed: Message; token: string }> {
  const { profile } = sealer;
  const token = await seal(encodeText(json, json, '$'), '$', sealer, { cty: 'json' });
  refuseLongToken(token, maxLength, '$');
  const { member, contentType } = profile.message;
  const headers = headersForBody(message.headers, member === undefined ? contentType : 'application/json');
  return { sealed: { ...message, headers, body: messageBody(token, profile) }, token };
}

/** A body that holds a whole-message token, as the profile writes it. */
export function messageBody(token: string, { message }: Profile): unknown {
  return message.member === undefined ? token : { [message.member]: token };
}
