import { E2eeError } from '../errors.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { ResponseTreatment } from '../policy/policy.js';
import type { MessageKey } from '../profiles/per-message-key.js';

/** The party that a response is for, found from the authenticated request. */
export interface Recipient {
  /** Names the party in events. */
  readonly id: string;
  /** Its public keys. Without them its fields are redacted. */
  readonly encryptionKeys?: EncryptionKeys;
  /** What it chose: fields encrypted one by one, fields redacted, or the whole body as one JWE. */
  readonly response: 'encrypt' | 'redact' | 'message';
}

/** Finds the recipient of the response to a request; nothing when there is none. */
export type FindRecipient<Request> = (
  request: Request,
) => Recipient | undefined | Promise<Recipient | undefined>;

/** How a response goes out, and with whose keys: those of the recipient, or the secret of the call. */
export type Delivery =
  | { readonly mode: 'keyless' }
  | { readonly mode: 'redact' | 'encrypt' | 'message'; readonly keys: EncryptionKeys | MessageKey };

/** A treatment that changes anything. */
export type Treating = Exclude<ResponseTreatment, 'none'>;

/** What becomes of a field: treatment by mode of delivery. `keep`: it is safe inside the encrypted message. */
export const FIELD_ACTIONS: Readonly<
  Record<Treating, Readonly<Record<Delivery['mode'], 'redact' | 'encrypt' | 'keep'>>>
> = {
  redact: { keyless: 'redact', redact: 'redact', encrypt: 'redact', message: 'redact' },
  encrypt: { keyless: 'redact', redact: 'encrypt', encrypt: 'encrypt', message: 'keep' },
  'redact-or-encrypt': { keyless: 'redact', redact: 'redact', encrypt: 'encrypt', message: 'keep' },
};

export function isResponseChoice(value: unknown): value is Recipient['response'] {
  return value === 'encrypt' || value === 'redact' || value === 'message';
}

/**
 * Decides how a response goes to a recipient. Keys that are registered for it come first. A secret that came with the call
 * stands in for them: anybody can have brought it, so that it opens nothing to whom `recipient` has not found. Throws
 * `option_invalid` for a choice that there is not.
 */
export function deliveryTo(recipient: Recipient | undefined, messageKey?: MessageKey): Delivery {
  if (!recipient) return { mode: 'keyless' };
  if (!isResponseChoice(recipient.response)) {
    throw new E2eeError(
      'option_invalid',
      'A recipient must have chosen `response`: "encrypt", "redact" or "message"',
    );
  }
  const keys = recipient.encryptionKeys ?? messageKey;
  if (!keys) return { mode: 'keyless' };
  if (recipient.encryptionKeys && typeof recipient.encryptionKeys.current !== 'function') {
    throw new E2eeError(
      'option_invalid',
      'The `encryptionKeys` of a recipient are made by staticKeys() or remoteJwks()',
    );
  }
  return { mode: recipient.response, keys };
}

/** Whether a field is redacted only because there is no recipient with a key. */
export function lacksKey(treatment: Treating, delivery: Delivery, recipient: Recipient | undefined): boolean {
  return (
    delivery.mode === 'keyless' && FIELD_ACTIONS[treatment][recipient?.response ?? 'encrypt'] !== 'redact'
  );
}
