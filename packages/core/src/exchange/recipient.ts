import { E2eeError } from '../errors.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { EncryptionKey } from '../keys/key.js';
import type { ResponseTreatment } from '../policy/policy.js';
import type { Report } from './events.js';

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

/** How a response goes out: to whom, with which key. */
export type Delivery =
  | { readonly mode: 'keyless' }
  | { readonly mode: 'redact' | 'encrypt' | 'message'; readonly key: EncryptionKey };

/** What becomes of a field: treatment by mode of delivery. `keep`: it is safe inside the encrypted message. */
export const FIELD_ACTIONS: Readonly<
  Record<
    Exclude<ResponseTreatment, 'none'>,
    Readonly<Record<Delivery['mode'], 'redact' | 'encrypt' | 'keep'>>
  >
> = {
  redact: { keyless: 'redact', redact: 'redact', encrypt: 'redact', message: 'redact' },
  encrypt: { keyless: 'redact', redact: 'encrypt', encrypt: 'encrypt', message: 'keep' },
  'redact-or-encrypt': { keyless: 'redact', redact: 'redact', encrypt: 'encrypt', message: 'keep' },
};

const CHOICES: readonly unknown[] = ['encrypt', 'redact', 'message'];

/**
 * Decides how a response goes to a recipient. Rejects when the recipient has keys but none can be had: redacting then
 * would store masks in its records as if they were data.
 */
export async function deliveryTo(recipient: Recipient | undefined): Promise<Delivery> {
  if (!recipient) return { mode: 'keyless' };
  if (!CHOICES.includes(recipient.response)) {
    throw new E2eeError(
      'option_invalid',
      'A recipient must have chosen `response`: "encrypt", "redact" or "message"',
    );
  }
  if (!recipient.encryptionKeys) return { mode: 'keyless' };
  return { mode: recipient.response, key: await recipient.encryptionKeys.current() };
}

/** Tells when fields are redacted only because the recipient has no key. */
export function reportKeyless(report: Report, operation: string, recipient: Recipient | undefined): void {
  if (recipient?.response === 'redact') return;
  report({ type: 'redacted_without_key', operation, ...(recipient && { recipient: recipient.id }) });
}
