import { encodeField } from '../fields/encoding.js';
import { encryptJwe } from '../jwe/encrypt.js';
import type { EncryptionKey } from '../keys/key.js';
import type { Profile } from '../profiles/profile.js';
import { refuseLongToken } from './body-rules.js';
import { type E2eeResponse, headersForBody } from './message.js';
import { checkKey } from './seal-tokens.js';

/**
 * A request or response with its whole JSON body as one token, `maxLength` characters long at the most. Rejects with
 * `encryption_failed` or `limit_exceeded`.
 */
export async function sealMessage<Message extends Pick<E2eeResponse, 'headers' | 'body'>>(
  message: Message,
  key: EncryptionKey,
  profile: Profile,
  maxLength: number = Number.POSITIVE_INFINITY,
): Promise<Message> {
  const options = { enc: profile.encrypt.enc, cty: 'json' };
  const token = await encryptJwe(encodeField(message.body, 'json', '$'), checkKey(key, profile), options);
  refuseLongToken(token, maxLength, '$');
  const { member, contentType } = profile.message;
  const headers = headersForBody(message.headers, member === undefined ? contentType : 'application/json');
  return { ...message, headers, body: messageBody(token, profile) };
}

/** A body that holds a whole-message token, as the profile writes it. */
export function messageBody(token: string, { message }: Profile): unknown {
  return message.member === undefined ? token : { [message.member]: token };
}
