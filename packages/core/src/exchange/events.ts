import { checkListener, type E2eeError } from '../errors.js';

/** Something that an operator should know. Never holds a value, a token or a key. */
export interface E2eeEvent {
  readonly type: E2eeEventType;
  /** The operation concerned, as the policy writes it. */
  readonly operation?: string;
  /** The field path concerned, as the policy writes it. */
  readonly path?: string;
  /** The id of the recipient concerned. */
  readonly recipient?: string;
  readonly error?: E2eeError;
}

/** Every type of event, and whether it is worth a line on the console when nobody listens. */
const LOUD = {
  /** Server end: a request was refused, with this error. */
  request_refused: false,
  /** Server end: a response could not be protected and was not sent as it was. */
  response_refused: true,
  /** Server end: a field that the row would encrypt was redacted, because there is no recipient with a key. */
  redacted_without_key: false,
  /** Server end: a field came in plain and was let through, because `plaintext` is `'accept'`. */
  plaintext_accepted: true,
  /** Client end: a field that should have been protected came back in plain. */
  plaintext_received: true,
  /** Client end: a field came back encrypted, and there is no key ring to decrypt it with. */
  ciphertext_left: false,
} as const;

export type E2eeEventType = keyof typeof LOUD;

export type Report = (event: E2eeEvent) => void;

/** A reporter that never throws into the exchange. Without a listener, loud events go to the console. */
export function reporter(onEvent: Report | undefined): Report {
  checkListener(onEvent);
  return (event) => {
    try {
      if (onEvent) Promise.resolve(onEvent(event)).catch(ignore);
      else if (LOUD[event.type]) console.warn(describe(event));
    } catch {
      ignore();
    }
  };
}

/** A listener that fails, at once or later, must not decide whether a message is protected. */
function ignore(): void {}

function describe({ type, operation, path, recipient, error }: E2eeEvent): string {
  const parts = [operation, path && `field ${path}`, recipient && `recipient ${recipient}`, error?.message];
  return `[e2ee] ${type}: ${parts.filter(Boolean).join(', ')}`;
}
